// Ledger: the one log that all nodes must agree on, as it comes to light.

#ifndef PONTOON_TESTS_SIM_LEDGER_H_
#define PONTOON_TESTS_SIM_LEDGER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "raft/base/membership_history.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/history.h"
#include "tests/sim/lease_book.h"
#include "tests/sim/once_model.h"
#include "tests/sim/operation.h"
#include "tests/sim/state_model.h"
#include "tests/sim/store.h"

namespace pontoon::sim {

// The first node that applies an index writes it down; whoever applies it later, in another life
// too, must apply the same. From the entries the ledger makes the state that a correct store has
// after each of them, and so knows what every write must have returned and every read must have
// seen. Checks on the way that a write is applied at most once, and never after its client was told
// that it is not; and that stores which have applied the same have come to the same.
//
// A failed check ends the process.
//
// Thread safety: none.
class Ledger {
 public:
  // `founding` is in effect before the first entry.
  Ledger(const EventLoop* loop, const Membership& founding, History* history, Coverage* coverage,
         const LeaseRules& lease_rules = {})
      : loop_(loop),
        history_(history),
        coverage_(coverage),
        memberships_({.index = {}, .request = {}, .membership = founding}),
        leases_(lease_rules) {}

  // Whether the entry is news: nobody applied its index before. `newest` is the newest term that
  // anybody has led: no later one can have committed the entry.
  enum class News { kFirst, kKnown };
  News OnApplied(NodeId node, const Entry& entry, Term newest);

  // A command got into a log: an attempt to have it applied.
  void OnLogged(const Entry& entry);

  // The store of `node` has come to `mark` by the entries up to `index`.
  void OnState(NodeId node, LogIndex index, const StateMark& mark);

  LogIndex last() const { return LogIndex(entries_.size()); }
  // Of what had been applied anywhere before `time`; 0 if nothing had.
  LogIndex LastAppliedBefore(SimTime time) const;
  Term TermAt(LogIndex index) const { return EntryAt(index).term; }
  // A term that is not before that in which the entry was committed.
  Term CommittedBy(LogIndex index) const { return EntryAt(index).committed_by; }
  // What the command at `index` must have returned.
  const Effect& EffectAt(LogIndex index) const { return EntryAt(index).effect; }
  // A change of one key.
  struct Change {
    KeyId key;
    Value value;  // kAbsent: it was deleted
    LeaseId lease;
  };
  // What a revision of the store is, in the order of its events.
  std::span<const Change> ChangesAt(int64_t revision) const;
  // What a key must hold once `index` is applied, and nothing after it.
  Value ValueAt(KeyId key, LogIndex index) const;
  // What a key held when the store was at `revision`.
  Value ValueAtRevision(KeyId key, int64_t revision) const;
  // The store's revision, and how far it is compacted, after `index`.
  int64_t RevisionAt(LogIndex index) const;
  int64_t CompactedAt(LogIndex index) const;
  // Whether there was ever a compaction to just this revision.
  bool WasCompactedTo(int64_t revision) const { return compactions_.contains(revision); }
  // The configurations along what was applied.
  const MembershipHistory& memberships() const { return memberships_; }
  bool WasEverMember(NodeId node) const;
  // The state after all that was applied.
  const StateModel& model() const { return model_; }
  LeaseBook* leases() { return &leases_; }

 private:
  struct Known {
    SimTime applied_first;
    Term term;
    Term committed_by;
    uint64_t digest;
    Effect effect;
    int64_t revision;
    int64_t compacted;
    std::optional<uint64_t> state_digest;  // that a store has come to
  };
  struct Version {
    LogIndex since;
    int64_t revision;
    Value value;
  };

  const Known& EntryAt(LogIndex index) const;
  Effect Execute(const Entry& entry);
  void NoteChanges(LogIndex index, const std::vector<KeyId>& keys);
  void NoteVerdict(OnceModel::Verdict verdict, bool locked);
  void NoteLeases(const Operation& operation, Term term, const StateModel::Applied& applied);
  void NoteMembership(const Entry& entry);

  const EventLoop* const loop_;
  History* const history_;
  Coverage* const coverage_;
  std::vector<Known> entries_;  // from index 1 on
  MembershipHistory memberships_;
  StateModel model_;
  OnceModel once_;
  std::array<std::vector<Version>, kKeysMax> versions_;
  std::vector<Change> changes_;
  // Of each revision, from the first one after an empty store's: where its changes end.
  std::vector<size_t> change_ends_;
  std::set<int64_t> compactions_;
  LeaseBook leases_;
};

// The operation that a command belongs to: the number at its end. See SimStore::Encode.
OperationId OperationOf(const std::string& command);

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_LEDGER_H_
