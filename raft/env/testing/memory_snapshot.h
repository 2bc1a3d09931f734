// Snapshots of state machines that keep their whole state in memory, for tests.

#ifndef PONTOON_RAFT_ENV_TESTING_MEMORY_SNAPSHOT_H_
#define PONTOON_RAFT_ENV_TESTING_MEMORY_SNAPSHOT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/snapshot.h"
#include "raft/base/types.h"

namespace pontoon {

// A state that was written out. The stream carries position and checksum, and the payload of the
// last membership entry.
class MemorySnapshotSource final : public SnapshotSource {
 public:
  MemorySnapshotSource(LogPosition position, std::string_view content,
                       std::string_view membership = {});

  LogPosition position() const override { return position_; }
  absl::StatusOr<std::string> Read(size_t bytes_max) override;

 private:
  const LogPosition position_;
  const std::string stream_;
  size_t read_ = 0;
};

// Takes what a MemorySnapshotSource gives.
class MemorySnapshotSink : public SnapshotSink {
 public:
  explicit MemorySnapshotSink(LogPosition position) : position_(position) {}
  absl::Status Write(std::string_view bytes) override;
  absl::Status Finish() override;
  absl::StatusOr<std::string> Membership() const override;

  LogPosition position() const { return position_; }
  // What the source's state was; after Finish, which was OK.
  std::string_view content() const;

 private:
  const LogPosition position_;
  std::string stream_;
  size_t membership_bytes_ = 0;
  bool finished_ = false;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_TESTING_MEMORY_SNAPSHOT_H_
