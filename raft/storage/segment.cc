#include "raft/storage/segment.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/storage/damage.h"

namespace pontoon::raft {
namespace {

// What a reader reads at least at once: many small frames, or most of a large one.
constexpr uint64_t kReadBytes = 64 << 10;

// A window onto the bytes of a file. Reads no more than it is asked for, and no less than
// kReadBytes if there are so many.
class ReadBuffer {
 public:
  ReadBuffer(const File* file, uint64_t end) : file_(file), end_(end) {}

  // The bytes from `offset` on: `bytes` of them, fewer only at the end, perhaps more.
  absl::StatusOr<absl::string_view> Get(uint64_t offset, uint64_t bytes) {
    bytes = std::min(bytes, end_ - offset);
    if (offset < offset_ || offset + bytes > offset_ + buffer_.size()) {
      buffer_.resize(std::min(std::max(bytes, kReadBytes), end_ - offset));
      offset_ = offset;
      const absl::StatusOr<size_t> read = file_->ReadAt(offset, buffer_);
      if (!read.ok()) return read.status();
      buffer_.resize(*read);
    }
    return absl::string_view(buffer_).substr(offset - offset_);
  }

 private:
  const File* const file_;
  const uint64_t end_;
  uint64_t offset_ = 0;
  std::string buffer_;
};

}  // namespace

Segment::Segment(SegmentHeader header, std::string path, std::shared_ptr<File> file)
    : header_(header),
      path_(std::move(path)),
      file_(std::move(file)),
      last_(header.previous.index) {}

absl::StatusOr<Segment> Segment::Create(FileSystem* fs, const std::string& dir,
                                        const SegmentHeader& header, uint64_t bytes) {
  std::string path = JoinPath(dir, SegmentFileName(header));
  const std::string temporary = absl::StrCat(path, ".tmp");
  absl::StatusOr<std::unique_ptr<File>> file = fs->CreateFile(temporary);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->Preallocate(bytes); !s.ok()) return s;
  if (absl::Status s = (*file)->WriteAt(0, EncodeSegmentHeader(header)); !s.ok()) return s;
  if (absl::Status s = (*file)->Sync(); !s.ok()) return s;
  if (absl::Status s = fs->Rename(temporary, path); !s.ok()) return s;
  if (absl::Status s = fs->SyncDir(dir); !s.ok()) return s;
  return Segment(header, std::move(path), *std::move(file));
}

absl::StatusOr<Segment> Segment::Open(FileSystem* fs, const std::string& dir,
                                      const std::string& name) {
  std::string path = JoinPath(dir, name);
  absl::StatusOr<std::unique_ptr<File>> file = fs->OpenFile(path);
  if (!file.ok()) return file.status();
  char bytes[kSegmentHeaderBytes];
  const absl::StatusOr<size_t> read = (*file)->ReadAt(0, bytes);
  if (!read.ok()) return read.status();
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(absl::string_view(bytes, *read));
  if (!header.ok()) {
    return DamageError("log segment", path,
                       absl::StrCat("damage at byte 0: ", header.status().message()));
  }
  if (SegmentFileName(*header) != name) {
    return DamageError("log segment", path,
                       absl::StrCat("its header is of ", SegmentFileName(*header)));
  }
  return Segment(*header, std::move(path), *std::move(file));
}

void Segment::AddFrame(const FrameHeader& frame) {
  CHECK_EQ(frame.first, last_.Next()) << path_;
  if (points_.empty() || frame.first - points_.back().first >= kPointEntries) {
    points_.push_back({frame.first, end_offset_});
  }
  last_ = frame.last();
  end_offset_ += frame.FrameBytes();
}

void Segment::ClipAfter(LogIndex last) {
  CHECK(last >= previous() && last <= last_) << path_ << " " << last;
  last_ = last;
}

uint64_t Segment::OffsetAtOrBefore(LogIndex index) const {
  CHECK(index > previous() && index <= last_) << path_ << " " << index;
  const auto after = std::upper_bound(points_.begin(), points_.end(), index,
                                      [](LogIndex i, const Point& p) { return i < p.first; });
  CHECK(after != points_.begin()) << "the first frame of a segment has a point";
  return std::prev(after)->offset;
}

void EntryCollector::Offer(const EntryView& view) {
  if (done() || view.index < next_) return;
  CHECK_EQ(view.index, next_);
  const size_t bytes = Entry::kOverheadBytes + view.payload.size();
  if (!entries_.empty() && bytes > bytes_left_) {
    full_ = true;
    return;
  }
  entries_.push_back(view.ToEntry());
  bytes_left_ -= std::min(bytes, bytes_left_);
  full_ = bytes_left_ == 0;
  next_ = next_.Next();
}

SegmentSlice::SegmentSlice(const Segment& segment, LogIndex first)
    : file_(segment.file()),
      path_(segment.path()),
      begin_{.sequence = segment.header().sequence, .offset = segment.OffsetAtOrBefore(first)},
      end_offset_(segment.end().offset),
      last_(segment.last()) {}

absl::Status SegmentSlice::ReadTo(EntryCollector* collector) const {
  ReadBuffer buffer(file_.get(), end_offset_);
  FramePlace place = begin_;
  while (!collector->done() && collector->next() <= last_) {
    if (place.offset >= end_offset_) return Damaged(place.offset, "entries are missing");
    absl::StatusOr<absl::string_view> bytes = buffer.Get(place.offset, kFrameHeaderBytes);
    if (!bytes.ok()) return bytes.status();
    const std::optional<FrameHeader> header = DecodeFrameHeader(place, *bytes);
    if (!header.has_value()) return Damaged(place.offset, "header checksum mismatch");
    if (header->last() >= collector->next()) {
      bytes = buffer.Get(place.offset, header->FrameBytes());
      if (!bytes.ok()) return bytes.status();
      const absl::StatusOr<Frame> frame = DecodeFrame(place, *bytes);
      if (!frame.ok()) return Damaged(place.offset, frame.status().message());
      const absl::Status visited = ForEachEntry(*frame, [&](const EntryView& entry) {
        if (entry.index <= last_) collector->Offer(entry);
      });
      if (!visited.ok()) return Damaged(place.offset, visited.message());
    }
    place.offset += header->FrameBytes();
  }
  return absl::OkStatus();
}

absl::Status SegmentSlice::Damaged(uint64_t offset, absl::string_view details) const {
  return DamageError("log segment", path_,
                     absl::StrCat("damaged frame at byte ", offset, " (", details, ")"));
}

}  // namespace pontoon::raft
