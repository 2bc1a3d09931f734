// Health: whether this member does its work, for supervisors and load balancers.

#ifndef PONTOON_KV_MONITOR_HEALTH_H_
#define PONTOON_KV_MONITOR_HEALTH_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"
#include "raft/env/clock.h"
#include "raft/node/node_instruments.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Asks the member's parts. A check says in words what is wrong.
//
//   shutdown           this process is not about to stop
//   leader             a leader is known
//   non_learner        this member has a vote
//   applied            no more than kApplyLagMax committed entries wait to be applied
//   data_corruption    no alarm says that a member's state is wrong
//   disk               no write to the log has taken an election timeout
//   serializable_read  the store answers
//   linearizable_read  a quorum confirms a read, and the store answers it
//
// Thread safety: all methods may be called from any thread; each call of Look blocks for no longer
// than the timeout.
class Health {
 public:
  static constexpr uint64_t kApplyLagMax = 5000;  // as much as etcd bears before it refuses writes

  struct Parts {  // all borrowed
    raft::Replica* replica;
    const raft::NodeInstruments* instruments;
    const KvStore* store;
    const Clock* clock;
  };
  struct Options {
    absl::Duration election_timeout = absl::Seconds(1);
    absl::Duration timeout = absl::Seconds(2);  // of the checks that wait
  };

  Health(const Parts& parts, const Options& options) : parts_(parts), options_(options) {}

  // Readiness ends: the process is about to stop.
  void Retreat() { retreating_ = true; }

  enum class Check {
    kShutdown,
    kLeader,
    kNonLearner,
    kApplied,
    kDataCorruption,
    kDisk,
    kSerializableRead,
    kLinearizableRead,
  };
  static absl::string_view Name(Check check);

  // Whether the process works. If not, it is to be started again.
  static std::vector<Check> ChecksOfLiveness();
  // Whether clients should be sent here.
  static std::vector<Check> ChecksOfReadiness();

  absl::Status Look(Check check) const;

  // The kinds of alarms that are raised, of any member.
  std::vector<etcdserverpb::AlarmType> Alarms() const;

 private:
  absl::Status CheckShutdown() const;
  absl::Status CheckLeader() const;
  absl::Status CheckNonLearner() const;
  absl::Status CheckApplied() const;
  absl::Status CheckDataCorruption() const;
  absl::Status CheckDisk() const;
  absl::Status CheckSerializableRead() const;
  absl::Status CheckLinearizableRead() const;

  const Parts parts_;
  const Options options_;
  std::atomic<bool> retreating_ = false;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_HEALTH_H_
