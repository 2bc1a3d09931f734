// ChangeTracker: the changes of membership that wait for their outcome.

#ifndef PONTOON_RAFT_NODE_CHANGE_TRACKER_H_
#define PONTOON_RAFT_NODE_CHANGE_TRACKER_H_

#include <list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/membership_change.h"
#include "raft/base/membership_history.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/node/completion.h"

namespace pontoon::raft {

// Knows of each change that this node's operators ask for whether an attempt to make it is alive,
// as ProposalTracker does of proposals:
//
//   waiting  --TakeDue-->  offered  --OnTaken-->  attempted  --OnDone-->  made
//      ^                      |                       |
//      +----- OnRefused ------+------ OnRefused ------+
//      +-------------- OnCommitted: it is dead -------+
//
// An attempt that was taken in term T, and of which nothing more was heard, is dead once an entry
// of a later term is committed and it is not in the log: terms never fall along a log, and what is
// committed is in every later one. That it is not in the log can be told as long as the log begins
// before anything that the attempt could have become.
//
// Only what is refused for the moment is tried again, kNoLeader and kBusy.
//
// Thread safety: none. Nothing is called out to: completions are returned for the caller to run.
class ChangeTracker {
 public:
  // Between two attempts, unless news of a leader comes before.
  static constexpr absl::Duration kTryAgainDelay = absl::Milliseconds(50);
  // After that long without an answer a forwarded attempt is sent once more: it may be lost.
  static constexpr absl::Duration kForwardAgainDelay = absl::Seconds(1);

  struct Wish {
    std::vector<MembershipChange> changes;
    Instant deadline;
    ChangeCallback done;
  };
  void Add(Wish wish) { waiters_.push_back({.wish = std::move(wish)}); }

  bool empty() const { return waiters_.empty(); }
  // Whether TakeDue has something to offer.
  bool HasDue(Instant now) const;
  // The next wish that waits becomes an attempt, under a name that was never used before: returns
  // what to offer to the core, whose commit index is `commit`. OnTaken or OnRefused must follow.
  std::vector<MembershipChange> TakeDue(Instant now, RequestId request, LogIndex commit);
  void OnTaken(Instant now, RequestId request, Term term);
  // At once, or later by the leader (Ready::changes_refused).
  std::vector<CompletedChange> OnRefused(Instant now, RequestId request, ChangeRefusal refusal);

  // Those of the attempts that have been under way for kForwardAgainDelay that are of `term`. Asks
  // for the next look at all of them after as long again.
  struct Unanswered {
    RequestId request;
    std::vector<MembershipChange> changes;
  };
  std::vector<Unanswered> TakeUnanswered(Instant now, Term term);

  // The change was made (Ready::changes_done).
  std::vector<CompletedChange> OnDone(RequestId request);
  // What the core knows of the log: where it begins, of which term the last committed entry is, and
  // the configurations in it. Attempts that this shows to be dead wait again.
  struct Log {
    LogIndex base;
    Term committed_term;
    std::span<const MembershipHistory::Item> memberships;
  };
  void OnCommitted(const Log& log);
  // News of a leader: who waits need not wait any longer.
  void OnLeader();

  // When HasDue, TakeUnanswered or Expire may have something to do.
  Instant NextDeadline() const;
  // Gives up what has passed its deadline.
  std::vector<CompletedChange> Expire(Instant now);
  // Gives up all.
  std::vector<CompletedChange> GiveUp();

 private:
  struct Attempt {
    RequestId request;
    Term term;        // 0 while only offered
    LogIndex commit;  // by then; what it may become comes after that
    Instant sent;     // or sent again
  };
  struct Waiter {
    Wish wish;
    std::optional<Attempt> attempt{};
    Instant again = Instant::InfinitePast();           // without an attempt: the next one
    ChangeRefusal refusal = ChangeRefusal::kNoLeader;  // of the last one
  };
  using Waiters = std::list<Waiter>;

  Waiters::iterator Find(RequestId request);
  CompletedChange Complete(Waiters::iterator waiter, ChangeOutcome outcome);
  // What can be said of a wish that is not fulfilled yet.
  static ChangeOutcome Unfulfilled(const Waiter& waiter);

  Waiters waiters_;  // in the order in which they came
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_CHANGE_TRACKER_H_
