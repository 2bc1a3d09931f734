// CommandRunner: executes the commands of the log.

#ifndef PONTOON_KV_STORE_COMMAND_RUNNER_H_
#define PONTOON_KV_STORE_COMMAND_RUNNER_H_

#include <string>

#include "absl/status/status.h"
#include "kv/store/kv_reader.h"
#include "kv/store/kv_result.h"
#include "kv/store/lease_lookup.h"
#include "kv/store/write_overlay.h"
#include "proto/command.pb.h"

namespace pontoon::kv {

// Executes serialized Commands (proto/command.proto) one after the other, each on what the one
// before it left. What a command does depends on nothing but its bytes and the store: a payload
// that makes no sense, of which no valid service would have written the log, is refused in the same
// way everywhere.
//
// Thread safety: none.
class CommandRunner {
 public:
  // `reader` reads `overlay`. All are borrowed.
  CommandRunner(const LeaseLookup* leases, KvReader* reader, WriteOverlay* overlay)
      : leases_(leases), reader_(reader), overlay_(overlay) {}

  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // `result` may be null: then nobody wants it. An error: the storage failed, and the overlay is
  // worthless.
  absl::Status Run(const std::string& payload, KvResult* result);

 private:
  // Each gives the command's own error, and sets `result` if it is not null.
  absl::Status Execute(const storage::v1::Command& command, KvResult* result);
  absl::Status Put(const etcdserverpb::PutRequest& request, KvResult* result);
  absl::Status DeleteRange(const etcdserverpb::DeleteRangeRequest& request, KvResult* result);
  absl::Status Txn(const etcdserverpb::TxnRequest& request, KvResult* result);
  absl::Status Compact(const etcdserverpb::CompactionRequest& request, KvResult* result);
  absl::Status Publish(const storage::v1::MemberPublication& publication);

  const LeaseLookup* leases_;
  KvReader* reader_;
  WriteOverlay* overlay_;
  absl::Status failure_;          // of the storage, but for what the reader has seen
  storage::v1::Command command_;  // reused, to keep its memory
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_COMMAND_RUNNER_H_
