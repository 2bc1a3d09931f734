#include "raft/env/testing/memory_snapshot.h"

#include <cstdint>
#include <cstring>

#include "raft/base/check.h"
#include "raft/env/crc32c.h"

namespace pontoon {
namespace {

struct Head {
  uint64_t index;
  uint64_t term;
  uint64_t membership_bytes;
  uint64_t body_bytes;
  uint64_t body_crc;

  friend bool operator==(const Head&, const Head&) = default;
};

// The body is the membership and then the content.
Head HeadOf(LogPosition position, uint64_t membership_bytes, std::string_view body) {
  return {position.index.value(), position.term.value(), membership_bytes, body.size(),
          Crc32c({body.data(), body.size()})};
}

std::string StreamOf(LogPosition position, std::string_view content, std::string_view membership) {
  const std::string body = std::string(membership).append(content);
  const Head head = HeadOf(position, membership.size(), body);
  std::string stream(reinterpret_cast<const char*>(&head), sizeof(head));
  return stream.append(body);
}

}  // namespace

MemorySnapshotSource::MemorySnapshotSource(LogPosition position, std::string_view content,
                                           std::string_view membership)
    : position_(position), stream_(StreamOf(position, content, membership)) {}

absl::StatusOr<std::string> MemorySnapshotSource::Read(size_t bytes_max) {
  CHECK_GT(bytes_max, 0u);
  std::string bytes = stream_.substr(read_, bytes_max);
  read_ += bytes.size();
  return bytes;
}

absl::Status MemorySnapshotSink::Write(std::string_view bytes) {
  CHECK(!finished_);
  stream_.append(bytes);
  return absl::OkStatus();
}

absl::Status MemorySnapshotSink::Finish() {
  CHECK(!finished_);
  Head head;
  if (stream_.size() < sizeof(head)) return absl::DataLossError("the snapshot is cut off");
  std::memcpy(&head, stream_.data(), sizeof(head));
  const std::string_view body = std::string_view(stream_).substr(sizeof(head));
  if (!(head == HeadOf(position_, head.membership_bytes, body)) ||
      head.membership_bytes > body.size()) {
    return absl::DataLossError("the snapshot is damaged, or of another position");
  }
  membership_bytes_ = head.membership_bytes;
  finished_ = true;
  return absl::OkStatus();
}

std::string_view MemorySnapshotSink::content() const {
  CHECK(finished_);
  return std::string_view(stream_).substr(sizeof(Head) + membership_bytes_);
}

absl::StatusOr<std::string> MemorySnapshotSink::Membership() const {
  CHECK(finished_);
  return stream_.substr(sizeof(Head), membership_bytes_);
}

}  // namespace pontoon
