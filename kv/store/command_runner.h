// CommandRunner: executes the commands of the log.

#ifndef PONTOON_KV_STORE_COMMAND_RUNNER_H_
#define PONTOON_KV_STORE_COMMAND_RUNNER_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "kv/store/alarms.h"
#include "kv/store/kv_reader.h"
#include "kv/store/kv_result.h"
#include "kv/store/lease_records.h"
#include "kv/store/store_instruments.h"
#include "kv/store/write_overlay.h"
#include "proto/command.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// Executes serialized Commands (proto/command.proto) one after the other, each on what the one
// before it left. What a command does depends on nothing but its bytes, its term and the store: a
// payload that makes no sense, of which no valid service would have written the log, is refused in
// the same way everywhere.
//
// A command may come with conditions: a fence, without which it is refused, and a name, by which it
// is decided once (OnceSession).
//
// While an alarm is raised, commands are refused: those that need space for NOSPACE; for CORRUPT
// all that change keys or leases, of which no member can be sure any more what they are.
//
// Thread safety: none.
class CommandRunner {
 public:
  // `reader` reads `overlay`; these and `instruments` are borrowed. `alarms` are raised.
  CommandRunner(KvReader* reader, WriteOverlay* overlay, AlarmSet alarms,
                StoreInstruments* instruments)
      : reader_(reader), overlay_(overlay), alarms_(std::move(alarms)), instruments_(instruments) {}

  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // Executes the command of an entry of `term`. `result` may be null: then nobody wants it, and
  // nothing is counted. An error: the storage failed, and the overlay is worthless.
  absl::Status Run(const std::string& payload, Term term, KvResult* result);

  // After the commands so far.
  const AlarmSet& alarms() const { return alarms_; }
  // What they did to leases, in order.
  std::vector<LeaseChange> TakeLeaseChanges() { return std::exchange(lease_changes_, {}); }

 private:
  // Each gives the command's own error, and sets `result` if it is not null.
  absl::Status Execute(const storage::v1::Command& command, Term term, KvResult* result);
  // The same for one that is to be decided once.
  absl::Status ExecuteOnce(const storage::v1::Command& command, Term term, KvResult* result);
  // The same for one that is decided now.
  absl::Status Decide(const storage::v1::Command& command, Term term, KvResult* result);
  // OK unless an alarm stands in the way.
  absl::Status CheckAlarms(const storage::v1::Command& command) const;
  // OK if the lock is held.
  absl::Status CheckFence(const v1::Fence& fence);
  absl::Status Put(const etcdserverpb::PutRequest& request, KvResult* result);
  absl::Status DeleteRange(const etcdserverpb::DeleteRangeRequest& request, KvResult* result);
  absl::Status Txn(const etcdserverpb::TxnRequest& request, KvResult* result);
  absl::Status Compact(const etcdserverpb::CompactionRequest& request, KvResult* result);
  absl::Status GrantLease(const etcdserverpb::LeaseGrantRequest& request, KvResult* result);
  absl::Status RevokeLease(const storage::v1::LeaseRevocation& revocation, Term term,
                           KvResult* result);
  absl::Status CheckpointLeases(const storage::v1::LeaseCheckpoints& checkpoints, Term term);
  absl::Status ChangeAlarms(const etcdserverpb::AlarmRequest& request, KvResult* result);
  absl::Status Publish(const storage::v1::MemberPublication& publication);

  // Counts the command, if anybody wants its result.
  void Count(Counter StoreInstruments::*counter) {
    if (is_wanted_) (instruments_->*counter).Add();
  }
  // For an error of the storage, which it keeps.
  absl::Status Fail(absl::Status failure) { return failure_ = std::move(failure); }
  // Nothing if there is no such lease, or the storage failed.
  std::optional<LeaseState> FindLease(LeaseId lease);

  KvReader* reader_;
  WriteOverlay* overlay_;
  AlarmSet alarms_;
  StoreInstruments* instruments_;
  bool is_wanted_ = false;  // the result of the command that is executed
  std::vector<LeaseChange> lease_changes_;
  absl::Status failure_;          // of the storage, but for what the reader has seen
  storage::v1::Command command_;  // reused, to keep its memory
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_COMMAND_RUNNER_H_
