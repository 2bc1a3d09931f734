// ProposalTracker: the proposals that wait for their outcome.

#ifndef PONTOON_RAFT_NODE_PROPOSAL_TRACKER_H_
#define PONTOON_RAFT_NODE_PROPOSAL_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "raft/base/instant.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/core/raft_core.h"
#include "raft/node/completion.h"
#include "raft/node/deadline_bound.h"
#include "raft/node/node_instruments.h"
#include "raft/node/turn_due.h"

namespace pontoon::raft {

// Knows of each proposal of this node's clients whether an attempt to have it applied is alive, and
// so what may be said of it: a proposal whose every attempt is known to be dead may be tried again,
// or be given back as NotApplied; one with an attempt alive cannot, and if its deadline passes its
// outcome is unknown.
//
//   queued  --TakeQueued-->  offered  --OnTaken-->  attempted  --OnApplied-->  done
//      ^                        |                       |
//      +------- OnRefused ------+--- OnRefusedLater ----+
//      +------------------- a later term was applied ---+
//
// An attempt belongs to the term T in which it was taken, and dies in one of two ways:
//
//   - It is refused: the leader tells that it never appended it.
//   - An entry of a term later than T has been applied, and the attempt has not. The terms of a log
//     never fall, and every log that will ever be committed has the applied entries in it. So no
//     entry of term T can follow, and the attempt could only have become an entry of term T.
//
// Each attempt has a sequence number of its own, higher than all before. An old attempt and its
// refusal may still be under way somewhere, doubled perhaps; under its own number nothing that is
// said of it can be taken for news of the new one.
//
// Thread safety: all methods may be called from any thread. Nothing is called out to: completions
// are returned for the caller to run.
class ProposalTracker {
 public:
  // Far longer than an attempt takes while all is well, and far shorter than clients wait.
  static constexpr absl::Duration kForwardAgainDelay = absl::Seconds(1);

  struct Options {
    NodeId self;
    uint64_t first_sequence = 0;  // no number from here on was ever used by this node
    size_t waiting_max = 16384;
    size_t waiting_bytes_max = 64 << 20;
  };

  // `instruments` must outlive the tracker.
  ProposalTracker(const Options& options, ProposalInstruments* instruments)
      : options_(options), instruments_(instruments) {}

  // Queues a proposal, and tells when TakeQueued is due for it. If it cannot be taken (too many
  // wait, or Stop was called) its completion is returned at once.
  struct AddOutcome {
    std::optional<CompletedProposal> refused;
    TurnDue due = TurnDue::kSet;
  };
  AddOutcome Add(Payload command, Instant deadline, ProposeCallback done);

  bool HasQueued() const;

  // Attempts that are offered to the core together, numbered from first_sequence on. One of OnTaken
  // and OnRefused must follow before anything of them can be applied.
  struct Offer {
    uint64_t first_sequence = 0;
    uint64_t count = 0;
  };
  // A number of the same kind, for another request of this node.
  uint64_t TakeSequence();
  // Makes attempts for as many of the queued proposals as fit into `bytes_max`, but at least for
  // one if there is any, and appends them to `proposals`.
  Offer TakeQueued(size_t bytes_max, std::vector<Proposal>* proposals);
  // The offered attempts live in `term`, since `now`.
  void OnTaken(Offer offer, Term term, Instant now);
  // The offered attempts were refused at once. For overload the proposals are given back; else they
  // are queued again.
  std::vector<CompletedProposal> OnRefused(Offer offer, Refusal refusal);

  // Attempts of `term` that have been under way for `kForwardAgainDelay`, as they were offered, up
  // to `bytes_max` but at least one, if there is any: on their way to the leader they may be lost.
  // The same ones are not returned again for that long.
  std::vector<Proposal> TakeUnanswered(Instant now, Term term, size_t bytes_max);

  // Attempts that were taken were never appended by the leader (Ready::proposals_refused). True if
  // one of them was made in `term`: the leader of that term would refuse the next one, too.
  bool OnRefusedLater(std::span<const RequestId> requests, Term term);

  // Sets ApplyItem::wants_result of the commands that somebody here waits for.
  void MarkWanted(std::span<ApplyItem> items) const;
  // `items`, which follow what was applied before, have been applied.
  struct AppliedOutcome {
    std::vector<CompletedProposal> completed;
    bool take_queued = false;  // attempts have died or are all done, and TakeQueued has work
  };
  AppliedOutcome OnApplied(std::span<ApplyItem> items);
  // A snapshot that ends with an entry of `term` took the place of the state. Attempts of that term
  // or an earlier one may be in it, or not: their outcome is unknown.
  AppliedOutcome OnInstalled(Term term);

  // When Expire wants to be called.
  Instant NextDeadline() const;
  // Gives up the proposals whose deadline has passed.
  std::vector<CompletedProposal> Expire(Instant now);

  // Gives up all proposals, and from now on takes none.
  std::vector<CompletedProposal> Stop();

 private:
  struct Waiter {
    Payload command;
    Instant deadline;
    ProposeCallback done;
  };
  struct Attempt {
    Waiter waiter;
    Term term;     // 0 while only offered
    Instant sent;  // or sent again
  };
  using Attempts = absl::btree_map<uint64_t, Attempt>;  // by sequence

  static size_t CountedBytes(const Waiter& waiter) {
    return Entry::kOverheadBytes + waiter.command->size();
  }

  void Count(const ProposeOutcome& outcome) const;

  // These require mutex_.
  // Takes the waiter out of the books and completes it.
  CompletedProposal Complete(Waiter waiter, ProposeOutcome outcome);
  // An entry of `term` was applied: queues the proposals of older terms again. True if there are
  // any.
  bool QueueDeadAgain(Term term);
  // Queues the proposals of these attempts again, before all others; unknown ones are passed over.
  void QueueAgain(std::span<const uint64_t> sequences);

  const Options options_;
  ProposalInstruments* const instruments_;

  mutable std::mutex mutex_;  // guards all below
  bool stopped_ = false;
  std::deque<Waiter> queue_;
  Attempts attempts_;
  uint64_t next_sequence_ = options_.first_sequence;
  size_t waiting_bytes_ = 0;  // of queue_ and attempts_
  Term applied_term_;         // of the last entry applied
  DeadlineBound deadlines_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_PROPOSAL_TRACKER_H_
