// Referee: sees everything that nodes write, send and apply, and knows what may not be.

#ifndef PONTOON_TESTS_SIM_REFEREE_H_
#define PONTOON_TESTS_SIM_REFEREE_H_

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/node/replica.h"
#include "raft/storage/log_store.h"
#include "tests/sim/coverage.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"

namespace pontoon::sim {

// Checks, each at the moment at which it could first be broken:
//
//   - at most one leader in a term (thesis figure 3.2, "Election Safety");
//   - two logs that have an entry of the same index and term are the same up to it ("Log
//     Matching"), whatever is on any disk;
//   - a leader's log has every entry that was committed in an earlier term ("Leader
//     Completeness");
//   - all nodes apply the same ("State Machine Safety"; see Ledger), and come to the same by it;
//   - what is applied anywhere is durable on a quorum, and on the node that applies it;
//   - a promise is durable when it is sent: a vote, a candidate's term, the end of its log, the
//     entries that are acknowledged;
//   - no disk forgets: after any crash the term, the vote and the entries that were durable are
//     there;
//   - the term, commit index and applied index of a node do not fall while it lives.
//
// It keeps for each node what its disk must hold: an entry is in the book once the write has
// returned, and leaves it when a write that truncates begins. An entry that was dropped from the
// front of a log, or came with a state as a whole, stays in the book: the node's state holds it.
//
// A failed check ends the process.
//
// Thread safety: none.
class Referee {
 public:
  Referee(Ledger* ledger, Coverage* coverage);

  // A log was opened, which found `recovered`.
  void OnRecovered(NodeId node, const raft::RecoveredLog& recovered, const raft::LogStore& log);
  // A write of `batches` begins; has ended well. Between the two the node may die.
  void OnWrite(NodeId node, std::span<const PersistBatch> batches);
  void OnWritten(NodeId node, std::span<const PersistBatch> batches);
  // The entries of a log up to `upto` begin to be dropped.
  void OnDropPrefix(NodeId node, LogIndex upto);
  void OnSent(const raft::Message& message);
  void OnApply(NodeId node, std::span<const ApplyItem> items);
  // A node took a state from another one, which ends with `position`.
  void OnInstall(NodeId node, LogPosition position);
  // What a node's store has come to by the entries up to `index`, some of them in an earlier life.
  void OnState(NodeId node, LogIndex index, const StateMark& mark) {
    ledger_->OnState(node, index, mark);
  }
  // A picture of a node, of the same life as the one before unless OnRecovered came between.
  void OnStatus(const raft::ReplicaStatus& status);

  // Whom the newest term is led by; kNoNode if nobody ever led.
  NodeId newest_leader() const { return newest_leader_; }
  uint64_t leaders_ = 0;
  Term newest_term() const { return newest_term_; }
  // Terms that were led.
  uint64_t leaders() const { return leaders_; }
  const HardState& DurableState(NodeId node) const { return BookOf(node).durable_state; }
  LogIndex DurableLast(NodeId node) const { return LogIndex(BookOf(node).log.size()); }

 private:
  struct KeptEntry {
    Term term;
    uint64_t prefix_digest;  // of the log up to and with this entry
  };
  struct Book {
    HardState durable_state;
    std::vector<KeptEntry> log;  // what the disk must hold, from index 1 on
    LogIndex base_max;           // up to which entries may be missing in the files
    // Of the present life.
    Term term;
    LogIndex commit;
    LogIndex applied;
    LogIndex applied_from_log;  // but for what came with a snapshot after it
    raft::Role role = raft::Role::kFollower;
    Term led_term;
  };

  Book& BookOf(NodeId node) { return books_[node.value()]; }
  const Book& BookOf(NodeId node) const { return books_[node.value()]; }
  static bool Holds(const Book& book, LogPosition position);
  // What a state at `position` holds. Checks that it is of the log that was applied.
  std::vector<KeptEntry> AppliedUpTo(LogPosition position) const;
  // Takes out of the book what may be gone when a state at `position` replaces the log.
  void ForgetReplaced(Book* book, LogPosition position);
  // An entry that a disk holds. Checks that it fits what other disks held there.
  void Keep(NodeId node, const Entry& entry);
  void OnLeaderSpeaks(NodeId node, Term term);
  NodeId LeaderOf(Term term) const;
  void CheckVoteSent(const raft::Message& message, bool granted);
  void CheckCandidateSent(const raft::Message& message, const raft::VoteRequest& request);
  void CheckAcknowledged(const raft::Message& message, LogIndex match);
  void NoteConfiguration(const Entry& entry);
  void NoteTakenBack(NodeId node, LogIndex from);
  bool QuorumKeeps(const Membership& membership, LogPosition position) const;
  void CheckQuorumKeeps(LogPosition position);

  Ledger* const ledger_;
  Coverage* const coverage_;
  std::array<Book, kNodesMax + 1> books_;
  std::vector<NodeId> leader_of_term_;
  NodeId newest_leader_;
  Term newest_term_;
  // The digest of the log up to an entry, by the entry's position; of all entries ever on a disk.
  absl::flat_hash_map<uint64_t, uint64_t> prefix_of_entry_;
  // The configurations that were ever in a log, whatever became of them.
  std::map<std::pair<LogIndex, Term>, Membership> configurations_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_REFEREE_H_
