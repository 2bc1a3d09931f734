#include "cmd/pontoonctl/snapshot_file.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cmd/pontoonctl/sha256.h"
#include "kv/store/layout.h"
#include "kv/store/record_reader.h"
#include "kv/store/snapshot_stream.h"

namespace pontoon::ctl {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;

// bbolt's first page: a head of 16 bytes, then this number, in the byte order of the machine.
constexpr size_t kBboltMagicOffset = 16;
constexpr std::string_view kBboltMagic = "\xed\xda\x0c\xed";
// Our header: the magic and the version, then index and term.
constexpr size_t kPositionOffset = kv::kSnapshotMagic.size() + sizeof(uint64_t);
constexpr size_t kHeadBytes = kPositionOffset + 2 * sizeof(uint64_t);

// What the store knows of itself: the few records that ReadMeta wants.
class MetaRecords : public kv::RecordReader {
 public:
  void Add(std::string_view key, std::string_view value) { records_.emplace(key, value); }

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override {
    const auto found = records_.find(std::string(key));
    if (found != records_.end()) *value = found->second;
    return found != records_.end();
  }

  std::unique_ptr<kv::RecordIterator> NewIterator() const override {
    return std::make_unique<Iterator>(records_);
  }

 private:
  using Records = std::map<std::string, std::string>;

  class Iterator : public kv::RecordIterator {
   public:
    explicit Iterator(const Records& records) : records_(records), at_(records.end()) {}

    bool Valid() const override { return at_ != records_.end(); }
    void Seek(std::string_view target) override { at_ = records_.lower_bound(std::string(target)); }
    void Next() override { ++at_; }
    std::string_view key() const override { return at_->first; }
    std::string_view value() const override { return at_->second; }
    absl::Status status() const override { return absl::OkStatus(); }

   private:
    const Records& records_;
    Records::const_iterator at_;
  };

  Records records_;
};

// Counts what a snapshot of ours holds.
class Contents {
 public:
  explicit Contents(LogPosition position)
      : stream_(position, kv::SnapshotStreamReader::AfterEnd::kZeros) {}

  absl::Status Read(std::string_view bytes) {
    return stream_.Read(bytes, [this](std::string_view key, std::string_view value) {
      if (key.empty()) return;
      if (key.front() == kv::kCurrentPrefix) ++counts_.keys;
      if (key.front() == kv::kEventPrefix) ++counts_.versions;
      if (key.front() == kv::kMetaPrefix) meta_.Add(key, value);
    });
  }

  absl::StatusOr<SnapshotSummary::Contents> Finish() {
    if (const absl::Status whole = stream_.Finish(); !whole.ok()) return whole;
    const absl::StatusOr<kv::StoreMeta> meta = kv::ReadMeta(meta_);
    if (!meta.ok()) return meta.status();
    counts_.meta = *meta;
    return counts_;
  }

 private:
  kv::SnapshotStreamReader stream_;
  MetaRecords meta_;
  SnapshotSummary::Contents counts_;
};

// That its header says; whoever reads the stream checks the header.
LogPosition PositionIn(std::string_view head) {
  head.remove_prefix(kPositionOffset);
  const uint64_t index = kv::TakeFixed64(&head).value();
  return {LogIndex(index), Term(kv::TakeFixed64(&head).value())};
}

absl::Status ReadExactly(std::istream& in, uint64_t bytes, std::string* out) {
  out->resize(bytes);
  if (in.read(out->data(), static_cast<std::streamsize>(bytes))) return absl::OkStatus();
  return absl::UnavailableError("the file cannot be read to its end");
}

}  // namespace

absl::StatusOr<SnapshotSummary> InspectSnapshot(std::istream& in, uint64_t bytes) {
  const absl::Status none = absl::InvalidArgumentError("it is no snapshot of Pontoon or etcd");
  if (bytes < kHeadBytes + kSha256Bytes) return none;
  std::string chunk;
  if (const absl::Status read = ReadExactly(in, kHeadBytes, &chunk); !read.ok()) return read;
  SnapshotSummary summary{.format = SnapshotSummary::Format::kPontoon, .bytes = bytes};
  std::unique_ptr<Contents> contents;
  if (chunk.starts_with(kv::kSnapshotMagic)) {
    contents = std::make_unique<Contents>(PositionIn(chunk));
  } else if (std::string_view(chunk).substr(kBboltMagicOffset).starts_with(kBboltMagic)) {
    summary.format = SnapshotSummary::Format::kEtcd;
  } else {
    return none;
  }

  Sha256 sha256;
  uint64_t remaining = bytes - kSha256Bytes - chunk.size();
  for (;;) {
    sha256.Add(chunk);
    if (contents != nullptr) {
      if (const absl::Status taken = contents->Read(chunk); !taken.ok()) return taken;
    }
    if (remaining == 0) break;
    const uint64_t next = std::min(remaining, kChunkBytes);
    if (const absl::Status read = ReadExactly(in, next, &chunk); !read.ok()) return read;
    remaining -= next;
  }
  std::string digest;
  if (const absl::Status read = ReadExactly(in, kSha256Bytes, &digest); !read.ok()) return read;
  if (digest != sha256.Finish()) {
    return absl::DataLossError(
        "the SHA-256 at its end is not that of the rest: it is damaged, or was not made by "
        "\"snapshot save\"");
  }
  if (contents == nullptr) return summary;
  absl::StatusOr<SnapshotSummary::Contents> counted = contents->Finish();
  if (!counted.ok()) return counted.status();
  summary.contents = *std::move(counted);
  return summary;
}

}  // namespace pontoon::ctl
