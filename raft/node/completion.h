// Completion: the answer to a caller, on its way out.
//
// The parts of a node decide under their locks what a caller is to be told; told it is later,
// outside of every lock. Until then the callback and its argument travel together in one of these.

#ifndef PONTOON_RAFT_NODE_COMPLETION_H_
#define PONTOON_RAFT_NODE_COMPLETION_H_

#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "raft/node/replica.h"

namespace pontoon::raft {

struct CompletedProposal {
  ProposeCallback done;
  ProposeOutcome outcome;
};

struct CompletedChange {
  ChangeCallback done;
  ChangeOutcome outcome;
};

// Of a read barrier or a transfer of leadership.
struct CompletedCall {
  absl::AnyInvocable<void(absl::Status) &&> done;
  absl::Status status;
};

struct Completions {
  std::vector<CompletedProposal> proposals;
  std::vector<CompletedChange> changes;
  std::vector<CompletedCall> calls;

  bool empty() const { return proposals.empty() && changes.empty() && calls.empty(); }

  void Add(std::vector<CompletedProposal> more) { Append(std::move(more), &proposals); }
  void Add(std::vector<CompletedChange> more) { Append(std::move(more), &changes); }
  void Add(std::vector<CompletedCall> more) { Append(std::move(more), &calls); }
  void Add(Completions more) {
    Add(std::move(more.proposals));
    Add(std::move(more.changes));
    Add(std::move(more.calls));
  }

  // Calls all of them. No lock may be held.
  void Run() && {
    for (CompletedProposal& p : proposals) std::move(p.done)(std::move(p.outcome));
    for (CompletedChange& c : changes) std::move(c.done)(std::move(c.outcome));
    for (CompletedCall& c : calls) std::move(c.done)(std::move(c.status));
  }

 private:
  template <typename T>
  static void Append(std::vector<T> from, std::vector<T>* to) {
    if (to->empty()) {
      *to = std::move(from);
    } else {
      to->insert(to->end(), std::make_move_iterator(from.begin()),
                 std::make_move_iterator(from.end()));
    }
  }
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_COMPLETION_H_
