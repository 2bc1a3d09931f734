// DivergenceWatch: sees that the members' states are the same.

#ifndef PONTOON_KV_MAINTENANCE_DIVERGENCE_WATCH_H_
#define PONTOON_KV_MAINTENANCE_DIVERGENCE_WATCH_H_

#include <functional>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "kv/maintenance/alarm_raiser.h"
#include "kv/maintenance/digest_comparison.h"
#include "kv/store/kv_store.h"
#include "raft/base/membership.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Members apply the same log, and still their states may differ: because of a fault in memory, on a
// disk, in the program. Nobody notices by itself. So the leader compares the running digests of all
// members each second, and tells a member that differs from a majority. That one does not take the
// leader's word, but asks all others itself. If a majority agrees against it, it is corrupt: it
// says so, serves nobody any more, hands over if it leads, and raises the alarm CORRUPT about
// itself, which makes all members refuse writes. Once its state was made anew and the alarm was
// cleared it serves again.
//
// Thread safety: Start is called once, Suspect by any thread; the rest happens on the executor,
// which must be gone before the watch.
class DivergenceWatch {
 public:
  static constexpr absl::Duration kLookInterval = absl::Seconds(1);

  // Whether those that are asked are told that they differ.
  enum class Tone { kNeutral, kSuspicion };
  // The reports of those members that answer; may wait for a moment.
  using Ask = std::function<std::map<NodeId, DigestReport>(const PeerUrls& members, Tone tone)>;

  struct Parts {
    raft::Replica* replica;  // these five are borrowed
    const KvStore* store;
    const Clock* clock;
    Executor* executor;
    AlarmRaiser* alarms;
    Ask ask;
    // Told after each look.
    std::function<void(bool is_corrupt)> set_corrupt;
  };

  explicit DivergenceWatch(Parts parts) : parts_(std::move(parts)) {}

  void Start();

  // A peer says that this member differs from a majority.
  void Suspect();

 private:
  void Look();
  void Compare(const raft::ReplicaStatus& status);
  // This member differs from a majority.
  void Convict(const raft::ReplicaStatus& status);
  void TellOthers(const raft::ReplicaStatus& status, const std::vector<NodeId>& corrupt);
  bool IsAlarmRaised(NodeId member) const;
  // Keeps what was found up to date with the alarm, and tells of it.
  void Settle(const raft::ReplicaStatus& status);

  const Parts parts_;
  bool is_suspected_ = false;
  bool is_convicted_ = false;
  bool was_alarm_seen_ = false;  // since the conviction
  bool was_undecided_ = false;   // by the last comparison
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_DIVERGENCE_WATCH_H_
