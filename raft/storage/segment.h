// Segment: one file of an open log, and where in it the entries are.

#ifndef PONTOON_RAFT_STORAGE_SEGMENT_H_
#define PONTOON_RAFT_STORAGE_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/env/file_system.h"
#include "raft/storage/log_format.h"

namespace pontoon::raft {

// A sparse index keeps the memory small: to find an entry, frames are skipped from the last point
// before it on. Not thread safe.
class Segment {
 public:
  Segment(SegmentHeader header, std::string path, std::shared_ptr<File> file);

  // Makes the file, `bytes` long, with its header, durably. The file gets its name only when the
  // header is on the disk, so a segment without a valid header is damage and never a crash's trace.
  static absl::StatusOr<Segment> Create(FileSystem* fs, const std::string& dir,
                                        const SegmentHeader& header, uint64_t bytes);
  // Opens a file of that name, and reads its header.
  static absl::StatusOr<Segment> Open(FileSystem* fs, const std::string& dir,
                                      const std::string& name);

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  const std::shared_ptr<File>& file() const { return file_; }
  LogIndex previous() const { return header_.previous.index; }
  // The last entry; previous() if there is none.
  LogIndex last() const { return last_; }
  // Of its frames.
  uint64_t frames_bytes() const { return end_offset_ - kSegmentHeaderBytes; }
  // Where the next frame goes.
  FramePlace end() const { return {.sequence = header_.sequence, .offset = end_offset_}; }

  // Notes the frame that was written, or found, at end().
  void AddFrame(const FrameHeader& frame);

  // A later segment replaced the entries after `last`. Their frames stay in the file.
  void ClipAfter(LogIndex last);

  // The offset of a frame at or before the one that holds the entry at `index`.
  uint64_t OffsetAtOrBefore(LogIndex index) const;

 private:
  static constexpr uint64_t kPointEntries = 64;

  struct Point {
    LogIndex first;  // of the frame at `offset`
    uint64_t offset = 0;
  };

  SegmentHeader header_;
  std::string path_;
  std::shared_ptr<File> file_;
  LogIndex last_;
  uint64_t end_offset_ = kSegmentHeaderBytes;
  std::vector<Point> points_;  // about kPointEntries entries apart
};

// Gathers the entries that a Read is to return.
class EntryCollector {
 public:
  // Wants the entries from `first` to `last`, as many as fit into `bytes_max` but at least one.
  EntryCollector(LogIndex first, LogIndex last, size_t bytes_max)
      : next_(first), last_(last), bytes_left_(bytes_max) {}

  bool done() const { return full_ || next_ > last_; }
  LogIndex next() const { return next_; }
  void Offer(const EntryView& entry);
  std::vector<Entry> Take() { return std::move(entries_); }

 private:
  LogIndex next_;
  const LogIndex last_;
  size_t bytes_left_;
  bool full_ = false;
  std::vector<Entry> entries_;
};

// The part of a segment that a reader looks at. Holds what it needs, so that it can be read while
// the segment grows, is clipped or is removed.
class SegmentSlice {
 public:
  // From the entry at `first` on.
  SegmentSlice(const Segment& segment, LogIndex first);

  // Hands entries to `collector` until it has enough or the slice ends. DATA_LOSS if the disk
  // returns anything but what was written.
  absl::Status ReadTo(EntryCollector* collector) const;

 private:
  absl::Status Damaged(uint64_t offset, absl::string_view details) const;

  std::shared_ptr<const File> file_;
  std::string path_;
  FramePlace begin_;
  uint64_t end_offset_;
  LogIndex last_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_SEGMENT_H_
