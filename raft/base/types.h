// The vocabulary of Raft: terms, log positions, nodes, and the entries of the log.

#ifndef PONTOON_RAFT_BASE_TYPES_H_
#define PONTOON_RAFT_BASE_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "raft/base/strong_int.h"

namespace pontoon {

// A period of time with at most one leader. Term 0 is before the first election.
using Term = StrongInt<struct TermTag, uint64_t>;

// A position in the log. The first entry has index 1; 0 is "before the first entry".
using LogIndex = StrongInt<struct LogIndexTag, uint64_t>;

// A member of the cluster. 0 is "no node".
using NodeId = StrongInt<struct NodeIdTag, uint64_t>;
inline constexpr NodeId kNoNode{0};

// In hexadecimal, as member lists print it: "8e9e05c52164694d"; "none" for kNoNode. For everything
// that people read.
std::string FormatNodeId(NodeId node);

// Counts the batches that the core hands to the disk. 0 is "nothing handed out".
using PersistSeq = StrongInt<struct PersistSeqTag, uint64_t>;

// Numbers the rounds in which a leader asks a quorum whether it still leads. Rises within a term.
using RoundId = StrongInt<struct RoundIdTag, uint64_t>;

// Names one read batch at the node that asks; never used twice, in this life of its process or an
// earlier one: the answer to that one may still be under way.
using ReadId = StrongInt<struct ReadIdTag, uint64_t>;

// Names one transfer of a snapshot; never used twice by a node, in this life of its process or an
// earlier one: pieces of that one may still be under way.
using TransferId = StrongInt<struct TransferIdTag, uint64_t>;

// The last position of a log: what elections compare (thesis 3.6.1).
struct LogPosition {
  LogIndex index;
  Term term;

  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

// Whether a log that ends at `a` is at least as up to date as one that ends at `b`.
constexpr bool AtLeastAsUpToDate(const LogPosition& a, const LogPosition& b) {
  return a.term > b.term || (a.term == b.term && a.index >= b.index);
}

// Names a client request for its whole way through the cluster: the node that took it from the
// client, and a number that this node never uses twice, in this life of its process or in an
// earlier one.
struct RequestId {
  NodeId origin;
  uint64_t sequence = 0;

  friend bool operator==(const RequestId&, const RequestId&) = default;
};

// What an entry of the log is for. The values are on disk and on the wire.
enum class EntryKind : uint8_t {
  kNoOp = 0,        // appended by a new leader, so that it can commit in its own term
  kCommand = 1,     // for the state machine
  kMembership = 2,  // a configuration of the cluster (membership.h), for the log itself
};

// The bytes of an entry, shared by the log, the peers' streams and the applier; never changed.
using Payload = std::shared_ptr<const std::string>;

struct Entry {
  LogIndex index;
  Term term;
  EntryKind kind = EntryKind::kNoOp;
  RequestId request;  // what was asked for by a command or a change of membership
  Payload payload;    // null for kNoOp

  // The memory and the wire space that an entry is counted as, in bytes.
  size_t CountedBytes() const { return kOverheadBytes + (payload ? payload->size() : 0); }
  static constexpr size_t kOverheadBytes = 64;
};

// What a node must never forget of its votes (thesis figure 3.1, "persistent state").
struct HardState {
  Term term;
  NodeId vote;  // in `term`; kNoNode if it has not voted

  friend bool operator==(const HardState&, const HardState&) = default;
};

// One thing for the disk to keep: everything in it, before OnPersisted(seq) is reported to the
// core.
struct PersistBatch {
  PersistSeq seq;
  std::optional<HardState> hard_state;  // only if it changed
  // First of all, forget every entry; the log goes on after this position. For a state that came as
  // a whole from the leader, and replaces what the log explains.
  std::optional<LogPosition> reset_to;
  // With reset_to: the configuration in effect there; null if none is known.
  Payload reset_membership = nullptr;
  std::optional<LogIndex> truncate_from;  // then drop this entry and all after it
  std::vector<Entry> entries;             // then append these; contiguous
};

// A stretch of the log whose entries are of one term: from `first` up to the next run, or to the
// log's end.
struct TermRun {
  LogIndex first;
  Term term;

  friend bool operator==(const TermRun&, const TermRun&) = default;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_TYPES_H_
