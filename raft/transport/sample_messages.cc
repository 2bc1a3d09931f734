#include "raft/transport/sample_messages.h"

#include <memory>
#include <sstream>
#include <utility>
#include <variant>

#include "raft/base/membership.h"
#include "raft/base/membership_change.h"

namespace pontoon::raft {
namespace {

std::ostream& operator<<(std::ostream& out, const LogPosition& position) {
  return out << position.index << "@" << position.term;
}

std::ostream& operator<<(std::ostream& out, const RequestId& request) {
  return out << request.origin << "#" << request.sequence;
}

std::ostream& operator<<(std::ostream& out, const Payload& payload) {
  return payload == nullptr ? out << "null" : out << '"' << *payload << '"';
}

std::ostream& operator<<(std::ostream& out, const Entry& entry) {
  return out << entry.index << "@" << entry.term << ":" << static_cast<int>(entry.kind) << ":"
             << entry.request << ":" << entry.payload;
}

struct Describer {
  std::ostream& out;

  void operator()(const PreVoteRequest& b) { out << "PreVoteRequest " << b.last; }
  void operator()(const PreVoteResponse& b) { out << "PreVoteResponse " << b.granted; }
  void operator()(const VoteRequest& b) {
    out << "VoteRequest " << b.last << " " << b.leader_asked;
  }
  void operator()(const VoteResponse& b) { out << "VoteResponse " << b.granted; }
  void operator()(const AppendRequest& b) {
    out << "AppendRequest " << b.prev << " commit " << b.commit;
    for (const Entry& entry : b.entries) out << " " << entry;
  }
  void operator()(const AppendAccepted& b) { out << "AppendAccepted " << b.match; }
  void operator()(const AppendRejected& b) {
    out << "AppendRejected " << b.rejected << " " << b.hint;
  }
  void operator()(const Heartbeat& b) { out << "Heartbeat " << b.commit << " " << b.round; }
  void operator()(const HeartbeatAck& b) {
    out << "HeartbeatAck " << b.round << " " << b.log_verified << " " << b.needs_snapshot_of << " "
        << b.priority;
  }
  void operator()(const CommitNotice& b) { out << "CommitNotice " << b.commit; }
  void operator()(const StaleTerm&) { out << "StaleTerm"; }
  void operator()(const TimeoutNow&) { out << "TimeoutNow"; }
  void operator()(const ForwardProposals& b) {
    out << "ForwardProposals";
    for (const Proposal& p : b.proposals) out << " " << p.request << ":" << p.payload;
  }
  void operator()(const ProposalsRefused& b) {
    out << "ProposalsRefused";
    for (const RequestId& request : b.requests) out << " " << request;
  }
  void operator()(const ReadRequest& b) {
    out << "ReadRequest " << b.id << " " << (b.mode == ReadMode::kLease);
  }
  void operator()(const ReadReply& b) { out << "ReadReply " << b.id << " " << b.index; }
  void operator()(const ReadRefused& b) { out << "ReadRefused " << b.id; }
  void operator()(const SnapshotChunk& b) {
    out << "SnapshotChunk " << b.transfer << " " << b.position.index << "@" << b.position.term
        << " " << b.offset << " " << *b.bytes << " " << b.last;
  }
  void operator()(const SnapshotAck& b) {
    out << "SnapshotAck " << b.transfer << " " << b.received << " " << static_cast<int>(b.state);
  }
  void operator()(const ForwardChange& b) {
    out << "ForwardChange " << b.request;
    for (const MembershipChange& change : b.changes) {
      out << " " << static_cast<int>(change.kind) << ":" << change.node;
      for (const std::string& url : change.peer_urls) out << " " << url;
      if (change.learners_max.has_value()) out << " of " << *change.learners_max;
    }
  }
  void operator()(const ChangeRefused& b) {
    out << "ChangeRefused " << b.request << " " << static_cast<int>(b.refusal);
  }
};

}  // namespace

Entry SampleCommand(LogIndex index, Term term, const std::string& payload) {
  return Entry{.index = index,
               .term = term,
               .kind = EntryKind::kCommand,
               .request = {NodeId(3), index.value() + 100},
               .payload = std::make_shared<const std::string>(payload)};
}

std::vector<Message> SampleMessages(NodeId from, NodeId to) {
  const LogPosition position{LogIndex(41), Term(6)};
  const Entry no_op{.index = LogIndex(42), .term = Term(7), .request = {}, .payload = nullptr};
  const RequestId request{from, ~uint64_t{0}};
  const Entry membership{.index = LogIndex(45),
                         .term = Term(7),
                         .kind = EntryKind::kMembership,
                         .request = request,
                         .payload = std::make_shared<const std::string>(EncodeMembership(
                             {.voters = {NodeId(1)}, .peer_urls = {{NodeId(1), {"http://a:1"}}}}))};
  Entry automatic = membership;
  automatic.index = LogIndex(46);
  automatic.request = {};
  std::vector<MessageBody> bodies = {
      PreVoteRequest{position},
      PreVoteResponse{true},
      VoteRequest{position, true},
      VoteResponse{true},
      AppendRequest{position,
                    {no_op, SampleCommand(LogIndex(43), Term(7), std::string("a\0b", 3)),
                     SampleCommand(LogIndex(44), Term(7), ""), membership, automatic},
                    LogIndex(40)},
      AppendAccepted{LogIndex(43)},
      AppendRejected{LogIndex(42), position},
      Heartbeat{LogIndex(40), RoundId(12)},
      HeartbeatAck{RoundId(12), true, LogIndex(39), 7},
      CommitNotice{LogIndex(40)},
      StaleTerm{},
      TimeoutNow{},
      ForwardProposals{{{request, std::make_shared<const std::string>("one")},
                        {{from, 5}, std::make_shared<const std::string>("")}}},
      ProposalsRefused{{request, {from, 5}}},
      ReadRequest{ReadId(~uint64_t{0}), ReadMode::kLease},
      ReadReply{ReadId(3), LogIndex(40)},
      ReadRefused{ReadId(4)},
      SnapshotChunk{TransferId(~uint64_t{0}), position, 1 << 20,
                    std::make_shared<const std::string>("a\0b", 3), true},
      SnapshotAck{TransferId(~uint64_t{0}), 1 << 20, SnapshotAck::State::kRefused},
      ForwardChange{request,
                    {{MembershipChange::Kind::kAddVoter, NodeId(4), {"http://a:1", "http://b:1"}},
                     {MembershipChange::Kind::kAddLearner, NodeId(5), {"http://c:1"}, 0},
                     {MembershipChange::Kind::kRemove, NodeId(~uint64_t{0})}}},
      ChangeRefused{request, ChangeRefusal::kQuorumAtRisk},
  };
  std::vector<Message> messages;
  for (MessageBody& body : bodies) messages.push_back({from, to, Term(7), std::move(body)});
  return messages;
}

std::string Described(const Message& message) {
  std::ostringstream out;
  out << message.from << "->" << message.to << " term " << message.term << " ";
  std::visit(Describer{out}, message.body);
  return out.str();
}

}  // namespace pontoon::raft
