// SnapshotSource and SnapshotSink: a whole state as a stream of bytes.
//
// A node that is so far behind that the others no longer keep the entries it lacks is given the
// state itself (thesis chapter 5). How the bytes are made is the state machine's own business; they
// must lead to the same state as applying the log up to their position.

#ifndef PONTOON_RAFT_BASE_SNAPSHOT_H_
#define PONTOON_RAFT_BASE_SNAPSHOT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"

namespace pontoon {

// A state as it was after some entry. It may outlive its state machine, and keeps what it needs of
// it, which takes space on the disk: it is for the time of one transfer.
//
// Thread safety: of one thread at a time.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;

  // The last entry whose effect is part of the state.
  virtual LogPosition position() const = 0;

  // The next bytes of the stream, `bytes_max` (at least 1) at most; empty at its end. An error is
  // final: DATA_LOSS if the storage is damaged, UNAVAILABLE if it failed.
  virtual absl::StatusOr<std::string> Read(size_t bytes_max) = 0;
};

// A state in the making, beside the present one. Unless it is installed, it leaves nothing behind
// when it is destroyed, whatever it held by then.
//
// Thread safety: of one thread at a time.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;

  // Takes the next bytes of a source's stream, cut anywhere. DATA_LOSS if they are no such stream,
  // or of another position; other errors: the storage failed. An error is final.
  virtual absl::Status Write(std::string_view bytes) = 0;

  // Every byte of the source was written. OK: the new state is whole, durable and ready to be
  // installed. DATA_LOSS if what was written is not all of a snapshot, or not one of the position
  // that was announced; otherwise as Write. Once only.
  virtual absl::Status Finish() = 0;

  // After Finish, which was OK: the payload of the last membership entry in the state, empty if
  // there was none. The storage may fail.
  virtual absl::StatusOr<std::string> Membership() const = 0;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_SNAPSHOT_H_
