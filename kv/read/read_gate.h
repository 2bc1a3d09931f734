// ReadGate: lets a read begin once this member's state is as new as the read wants it.

#ifndef PONTOON_KV_READ_READ_GATE_H_
#define PONTOON_KV_READ_READ_GATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/read/read_options.h"
#include "kv/read/revision_waiter.h"
#include "raft/base/instant.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// How old the state of a member can be is proved by what the leader has said, on the member's own
// clock: a read barrier that began at a time and has passed shows that the state, as it is since,
// has everything that was committed anywhere before that time (Replica::ReadBarrier). The time of
// beginning counts and not that of the answer, which may have been under way for long. The clocks
// of others play no part, since only barriers that asked a quorum count.
//
// So a bounded read that finds a recent proof begins at once, and one that finds none passes a
// barrier itself. While such reads come, the proof is renewed before it is too old for them, by one
// barrier at a time in the background: then none of them waits, and a member that is cut off serves
// them for as long as it truly can.
//
// Thread safety: Pass may be called from any thread. It must not be called any more when the
// replica is gone.
class ReadGate {
 public:
  struct Parts {  // all borrowed
    raft::Replica* replica;
    KvStore* store;
    const Clock* clock;
  };

  // What is known of the state when a read may begin: it shows everything that was committed before
  // `shows`. InfinitePast: nothing is proven.
  struct Passed {
    Consistency consistency;
    Instant shows;
  };
  // Or an error: those of Replica::ReadBarrier, as clients know them (ErrorOfRead); UNAVAILABLE,
  // which says what can be proved, if the bounds of the options were not met in time;
  // ErrTooManyRequests, ErrStopped.
  using Done = absl::AnyInvocable<void(absl::StatusOr<Passed>) &&>;

  // Who waits for a revision is told on `executor`.
  ReadGate(const Parts& parts, std::unique_ptr<Executor> executor);

  ReadGate(const ReadGate&) = delete;
  ReadGate& operator=(const ReadGate&) = delete;

  // Calls `done` once, perhaps before it returns, on whatever thread knows. A view that is taken
  // after that shows what was asked for.
  void Pass(const ReadOptions& options, Instant deadline, Done done);

  // How old a state can be by now of which `passed` is known; nothing if that is not proven.
  std::optional<absl::Duration> StalenessOf(const Passed& passed) const;

  // From now on nobody waits for a revision: ErrStopped. Who does hears it soon.
  void Stop() { revisions_.Stop(); }

 private:
  // Shared with barriers that are under way, which may outlive the gate.
  struct Proof {
    std::atomic<int64_t> shows_nanos = Instant::InfinitePast().nanos();
    std::atomic<bool> renewing = false;

    Instant shows() const { return Instant::FromNanos(shows_nanos); }
    // A quorum has confirmed a barrier that began at `began`.
    void Advance(Instant began);
  };

  void PassBarrier(raft::ReadMode mode, Instant deadline, Done done);
  void PassBounded(absl::Duration max_staleness, Instant deadline, Done done);
  void RenewProof(Instant now);
  Done ThenAwait(Revision revision, Instant deadline, Done done);

  const Parts parts_;
  const std::shared_ptr<Proof> proof_;
  RevisionWaiter revisions_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_READ_READ_GATE_H_
