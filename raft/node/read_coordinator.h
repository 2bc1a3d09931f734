// ReadCoordinator: the callers that wait until a read is linearizable.

#ifndef PONTOON_RAFT_NODE_READ_COORDINATOR_H_
#define PONTOON_RAFT_NODE_READ_COORDINATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/node/completion.h"
#include "raft/node/deadline_bound.h"
#include "raft/node/turn_due.h"

namespace pontoon::raft {

// Gathers read barriers into batches, so that any number of callers costs the leader one
// confirmation.
//
//   waiting  --BeginBatch-->  asked  --OnGranted-->  granted  --TakeReadable-->  done
//      ^                        |
//      +-- OnRefused, OnLeaderChange
//
// Each question has an id of its own, and ids rise. An answer speaks for all callers that came
// before its question was asked, those of earlier questions too, and never for others (etcd issue
// 20418 is what comes of using an id again); but one that a lease may have given does not speak for
// those who want a quorum.
//
// While a question to another node is out, the callers who come gather for the next one of their
// mode, until there is news of it, or for `gather_delay`. (A leader has its ReadQueue, which
// gathers, and to ask itself costs nothing.) When answers stay out for `answer_timeout`, one more
// is asked on behalf of all; the earlier ones stand: where a round trip takes longer than that,
// their answers are still in time for those who asked.
//
// Thread safety: all methods may be called from any thread. Nothing is called out to: completions
// are returned for the caller to run.
class ReadCoordinator {
 public:
  struct Options {
    // No id from here on was ever used by this node, in an earlier life of its process neither: an
    // answer to that one may still be under way.
    ReadId first_id;
    size_t waiting_max = 65536;
    absl::Duration gather_delay = absl::ZeroDuration();
    // An answer that takes longer may be lost: the question is asked again.
    absl::Duration answer_timeout = absl::Milliseconds(500);
  };

  explicit ReadCoordinator(const Options& options) : options_(options) {}

  // Adds a caller, and tells when BeginBatch is due for it. If it cannot be taken (too many wait,
  // or Stop was called) its completion is returned at once.
  struct AddOutcome {
    std::optional<CompletedCall> refused;
    TurnDue due = TurnDue::kSet;
  };
  AddOutcome Add(ReadMode mode, Instant now, Instant deadline, ReadCallback done);

  // Makes a batch of all waiting callers of `mode`, to be asked for in that mode under the returned
  // id; nullopt if none waits or they are still to gather, and no question need be asked again. If
  // the question is not taken, OnRefused must be called.
  std::optional<ReadId> BeginBatch(ReadMode mode, Instant now);
  void OnGranted(const ReadGrant& grant);
  // True if there is anybody whom that concerns: they wait again.
  bool OnRefused(ReadId id);
  // Answers of the leader that was asked may never come. Questions now go to this node itself, if
  // `leads`.
  void OnLeaderChange(bool leads);
  // From when on BeginBatch has something to ask.
  Instant NextBatch() const;

  // The state up to `applied` can be read: completes the callers that were granted that much.
  std::vector<CompletedCall> TakeReadable(LogIndex applied);

  // When Expire wants to be called.
  Instant NextDeadline() const;
  // Gives up the callers whose deadline has passed. If an answer seems lost, the next BeginBatch
  // asks again.
  std::vector<CompletedCall> Expire(Instant now);

  // Gives up all callers, and from now on takes none.
  std::vector<CompletedCall> Stop();

 private:
  struct Caller {
    ReadMode mode;
    Instant deadline;
    ReadCallback done;
  };
  using Callers = std::vector<Caller>;
  struct Batch {
    ReadMode mode;
    Instant asked;  // or asked again
    Callers callers;
  };

  // These require mutex_.
  Callers& WaitingFor(ReadMode mode) { return waiting_[static_cast<size_t>(mode)]; }
  // Until then callers of `mode` gather: InfinitePast if no question of theirs is out.
  Instant GatherUntil(ReadMode mode) const;
  // Notes that a lease may answer the question of `id`, which is the newest.
  void NoteLeaseQuestion(ReadId id);
  bool MustAskAgain() const { return ask_again_ && !asked_.empty(); }
  void WaitAgain(Callers callers);
  CompletedCall Complete(Caller caller, absl::Status status);
  void ExpireIn(Instant now, Callers* callers, std::vector<CompletedCall>* expired);

  const Options options_;

  mutable std::mutex mutex_;  // guards all below
  bool stopped_ = false;
  std::array<Callers, 2> waiting_;  // by ReadMode
  bool leads_ = false;
  absl::btree_map<ReadId, Batch> asked_;
  absl::btree_set<ReadId> lease_questions_;  // all that are not older than those in asked_
  bool ask_again_ = false;                   // for those in asked_
  absl::btree_map<LogIndex, Callers> granted_;
  size_t count_ = 0;  // of callers, wherever they are
  ReadId next_id_ = options_.first_id;
  DeadlineBound deadlines_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_READ_COORDINATOR_H_
