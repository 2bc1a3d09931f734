#include "raft/core/testing/describe.h"

#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/base/membership.h"

namespace pontoon::raft {
namespace {

// Writes the kind of a message, and what it says after "term N".
struct BodyWords {
  std::ostream& out;

  void operator()(const PreVoteRequest& m) { out << " last " << Describe(m.last); }
  void operator()(const PreVoteResponse& m) { out << (m.granted ? " granted" : " denied"); }
  void operator()(const VoteRequest& m) {
    out << " last " << Describe(m.last) << (m.leader_asked ? " as the leader asked" : "");
  }
  void operator()(const VoteResponse& m) { out << (m.granted ? " granted" : " denied"); }
  void operator()(const AppendRequest& m) {
    out << " prev " << Describe(m.prev) << " entries " << Describe(m.entries) << " commit "
        << m.commit;
  }
  void operator()(const AppendAccepted& m) { out << " match " << m.match; }
  void operator()(const AppendRejected& m) {
    out << " rejected " << m.rejected << " hint " << Describe(m.hint);
  }
  void operator()(const Heartbeat& m) { out << " round " << m.round << " commit " << m.commit; }
  void operator()(const HeartbeatAck& m) {
    out << " round " << m.round << (m.log_verified ? "" : " log not verified");
  }
  void operator()(const CommitNotice& m) { out << " commit " << m.commit; }
  void operator()(const StaleTerm&) {}
  void operator()(const TimeoutNow&) {}
  void operator()(const ForwardProposals& m) {
    for (const Proposal& proposal : m.proposals) out << " " << *proposal.payload;
  }
  void operator()(const ProposalsRefused& m) { out << " of " << m.requests.size(); }
  void operator()(const ReadRequest& m) {
    out << " read " << m.id << (m.mode == ReadMode::kLease ? " by lease" : "");
  }
  void operator()(const ReadReply& m) { out << " read " << m.id << " index " << m.index; }
  void operator()(const ReadRefused& m) { out << " read " << m.id; }
  void operator()(const SnapshotChunk& m) { out << " of " << Describe(m.position); }
  void operator()(const SnapshotAck& m) {
    out << (m.state == SnapshotAck::State::kRefused ? " refused" : " received");
  }
  void operator()(const ForwardChange& m) {
    for (const MembershipChange& change : m.changes) out << " " << Describe(change);
  }
  void operator()(const ChangeRefused& m) { out << ": " << RefusalText(m.refusal); }
};

}  // namespace

std::string Describe(LogPosition position) {
  std::ostringstream out;
  out << position.index << "@" << position.term;
  return out.str();
}

std::string Describe(const std::vector<Entry>& entries) {
  if (entries.empty()) return "none";
  std::ostringstream out;
  for (size_t i = 0; i < entries.size();) {
    size_t last = i;
    while (last + 1 < entries.size() && entries[last + 1].term == entries[i].term) ++last;
    if (i > 0) out << " ";
    out << Describe(LogPosition{entries[i].index, entries[i].term});
    if (last > i) out << ".." << Describe(LogPosition{entries[last].index, entries[last].term});
    i = last + 1;
  }
  return out.str();
}

std::string Describe(const Membership& membership) {
  const auto list = [](const std::vector<NodeId>& nodes) {
    return absl::StrJoin(nodes, ",",
                         [](std::string* out, NodeId node) { absl::StrAppend(out, node.value()); });
  };
  std::string words = absl::StrCat("voters(", list(membership.voters), ")");
  if (membership.IsJoint()) absl::StrAppend(&words, "from(", list(membership.outgoing), ")");
  if (!membership.learners.empty())
    absl::StrAppend(&words, "learners(", list(membership.learners), ")");
  if (!membership.joining.empty())
    absl::StrAppend(&words, "joining(", list(membership.joining), ")");
  return words;
}

std::string Describe(const MembershipChange& change) {
  static constexpr const char* kKinds[] = {"add-learner", "add",    "promote",
                                           "demote",      "remove", "update"};
  return absl::StrCat(kKinds[static_cast<size_t>(change.kind) - 1], ":", change.node.value());
}

std::string Describe(const PersistBatch& batch) {
  std::ostringstream out;
  const char* separator = "";
  if (batch.hard_state) {
    out << "term " << batch.hard_state->term << " vote " << batch.hard_state->vote;
    separator = ", ";
  }
  if (batch.reset_to) {
    out << separator << "reset to " << Describe(*batch.reset_to);
    separator = ", ";
  }
  if (batch.truncate_from) {
    out << separator << "truncate from " << *batch.truncate_from;
    separator = ", ";
  }
  if (!batch.entries.empty()) out << separator << "entries " << Describe(batch.entries);
  return out.str();
}

std::string KindOf(const MessageBody& body) {
  static constexpr const char* kKinds[] = {
      "PreVoteRequest", "PreVoteResponse", "VoteRequest", "VoteResponse",   "Append",
      "AppendAccepted", "AppendRejected",  "Heartbeat",   "HeartbeatAck",   "CommitNotice",
      "StaleTerm",      "TimeoutNow",      "Forward",     "ForwardRefused", "ReadRequest",
      "ReadReply",      "ReadRefused",     "Snapshot",    "SnapshotAck",    "ForwardChange",
      "ChangeRefused"};
  static_assert(std::size(kKinds) == std::variant_size_v<MessageBody>);
  return kKinds[body.index()];
}

std::string Describe(const Message& message) {
  std::ostringstream out;
  out << message.from << " -> " << message.to << " " << KindOf(message.body) << " term "
      << message.term;
  std::visit(BodyWords{out}, message.body);
  return out.str();
}

std::string NameOf(const Entry& entry) {
  if (entry.kind == EntryKind::kMembership) return Describe(*DecodeMembership(*entry.payload));
  return entry.payload ? *entry.payload : "-";
}

}  // namespace pontoon::raft
