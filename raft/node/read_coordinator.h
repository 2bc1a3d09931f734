// ReadCoordinator: the callers that wait until a read is linearizable.

#ifndef PONTOON_RAFT_NODE_READ_COORDINATOR_H_
#define PONTOON_RAFT_NODE_READ_COORDINATOR_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/node/completion.h"
#include "raft/node/deadline_bound.h"

namespace pontoon::raft {

// Gathers read barriers into batches, so that any number of callers costs the leader one
// confirmation.
//
//   waiting  --BeginBatch-->  asked  --OnGranted-->  granted  --TakeReadable-->  done
//      ^                        |
//      +-- OnRefused, OnLeaderChange, or no answer within `answer_timeout`
//
// Whenever a batch is asked for anew it is under a new id, and what is said of the old one from
// then on is ignored: an answer can only ever speak for callers that came before its question was
// asked (etcd issue 20418 is what comes of using an id again).
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
    // An answer that takes longer is taken for lost.
    absl::Duration answer_timeout = absl::Milliseconds(500);
  };

  explicit ReadCoordinator(const Options& options) : options_(options) {}

  // Adds a caller. If it cannot be taken (too many wait, or Stop was called) its completion is
  // returned at once.
  std::optional<CompletedCall> Add(Instant deadline, ReadCallback done);

  // Makes a batch of all waiting callers, to be asked for under the returned id; nullopt if none
  // waits. If the question is not taken, OnRefused must be called.
  std::optional<ReadId> BeginBatch(Instant now);
  void OnGranted(const ReadGrant& grant);
  void OnRefused(ReadId id);
  // Answers of the leader that was asked may never come.
  void OnLeaderChange();
  bool HasWaiting() const;

  // The state up to `applied` can be read: completes the callers that were granted that much.
  std::vector<CompletedCall> TakeReadable(LogIndex applied);

  // When Expire wants to be called.
  Instant NextDeadline() const;
  // Gives up the callers whose deadline has passed. Batches whose answer seems lost wait again.
  std::vector<CompletedCall> Expire(Instant now);

  // Gives up all callers, and from now on takes none.
  std::vector<CompletedCall> Stop();

 private:
  struct Caller {
    Instant deadline;
    ReadCallback done;
  };
  using Callers = std::vector<Caller>;
  struct Batch {
    Instant asked;
    Callers callers;
  };

  // These require mutex_.
  void WaitAgain(Callers callers);
  CompletedCall Complete(Caller caller, absl::Status status);
  void ExpireIn(Instant now, Callers* callers, std::vector<CompletedCall>* expired);

  const Options options_;

  mutable std::mutex mutex_;  // guards all below
  bool stopped_ = false;
  Callers waiting_;
  absl::btree_map<ReadId, Batch> asked_;
  absl::btree_map<LogIndex, Callers> granted_;
  size_t count_ = 0;  // of callers in all three
  ReadId next_id_ = options_.first_id;
  DeadlineBound deadlines_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_READ_COORDINATOR_H_
