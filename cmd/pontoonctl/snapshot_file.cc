#include "cmd/pontoonctl/snapshot_file.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "cmd/pontoonctl/sha256.h"
#include "kv/store/layout.h"
#include "kv/store/meta_records.h"
#include "kv/store/snapshot_stream.h"

namespace pontoon::ctl {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;

// bbolt's first page: a head of 16 bytes, then this number, in the byte order of the machine.
constexpr size_t kBboltMagicOffset = 16;
constexpr std::string_view kBboltMagic = "\xed\xda\x0c\xed";
constexpr size_t kHeadBytes = kv::kSnapshotHeaderBytes;
static_assert(kHeadBytes >= kBboltMagicOffset + kBboltMagic.size());

// Counts what a snapshot of ours holds.
class Contents {
 public:
  explicit Contents(LogPosition position)
      : stream_(position, kv::SnapshotStreamReader::AfterEnd::kZeros) {}

  absl::Status Read(std::string_view bytes) {
    return stream_.Read(bytes, [this](std::string_view key, std::string_view value) {
      if (key.starts_with(kv::kCurrentPrefix)) ++counts_.keys;
      if (key.starts_with(kv::kEventPrefix)) ++counts_.versions;
      meta_.Take(key, value);
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
  kv::MetaRecords meta_;
  SnapshotSummary::Contents counts_;
};

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
    contents = std::make_unique<Contents>(kv::PositionInHeader(chunk));
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
