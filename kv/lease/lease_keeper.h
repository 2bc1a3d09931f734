// LeaseKeeper: takes clients' questions about leases to the lessor that keeps their time.

#ifndef PONTOON_KV_LEASE_LEASE_KEEPER_H_
#define PONTOON_KV_LEASE_LEASE_KEEPER_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/lease/lease_question.h"
#include "kv/lease/lessor.h"
#include "kv/lease/lessor_client.h"
#include "raft/base/instant.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// The lessor is this member's own or the leader's. While a question is under way the next ones
// gather, so that thousands of renewals on a follower are a few messages. A question that came to
// nothing, since there is no leader or another one, is asked again until its deadline.
//
// Thread safety: Ask and Stop may be called from any thread. The rest happens on the executor.
class LeaseKeeper {
 public:
  struct Parts {  // all borrowed
    const raft::Replica* replica;
    Lessor* lessor;
    const Clock* clock;
    Executor* executor;
  };
  struct Options {
    // After so long a leader that does not answer is given up.
    absl::Duration answer_timeout = absl::Seconds(1);
    absl::Duration retry_interval = absl::Milliseconds(100);
  };
  // As in LeaseAnswer, for one lease. ErrNoLeader, ErrLeaderChanged, ErrTimeout: it was not
  // answered before its deadline; ErrTooManyRequests, ErrStopped.
  using Callback = absl::AnyInvocable<void(absl::StatusOr<int64_t> seconds) &&>;

  // Clients' questions that are not answered; more are refused.
  static constexpr size_t kWaitingMax = 1 << 16;
  // Leases in one question.
  static constexpr size_t kTogetherMax = 10'000;

  LeaseKeeper(const Parts& parts, const Options& options);
  // The executor must be gone, and Close have been called before that.
  ~LeaseKeeper();

  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // Calls `done` once, on the executor.
  void Ask(LeaseQuestion::Kind kind, LeaseId lease, Instant deadline, Callback done);

  // From now on there is one answer: ErrStopped. Who waits gets it soon.
  void Stop();

  // After this nothing more is posted to the executor. Ask and Stop are not called any more.
  void Close();

 private:
  struct Waiting {
    LeaseId lease;
    Instant deadline;
    Callback done;
  };
  // Of one kind of question.
  struct Lane {
    std::vector<Waiting> waiting;
    std::vector<Waiting> under_way;
    bool asking = false;  // there are some under way
    Instant ask_again;    // not before
    bool saw_other_leader = false;
  };
  static constexpr size_t kKinds = 2;
  class Mailbox;

  void Run();
  void Expire(Lane* lane, Instant now);
  void AskNext(LeaseQuestion::Kind kind, Instant now);
  void OnAnswer(LeaseQuestion::Kind kind, LeaseAnswer answer, Instant now);
  void FailAll(Lane* lane, const absl::Status& error);
  void Answer(Waiting waiting, absl::StatusOr<int64_t> seconds);
  Lane& LaneOf(LeaseQuestion::Kind kind) { return lanes_[static_cast<size_t>(kind)]; }

  const Parts parts_;
  const Options options_;
  const NodeId self_;
  const std::shared_ptr<Mailbox> mailbox_;

  // ---- on the executor
  std::array<Lane, kKinds> lanes_;
  LessorClient client_;
  size_t attempts_ = 0;  // that failed: a leader may have several addresses
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LEASE_KEEPER_H_
