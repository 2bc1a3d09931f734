#include "raft/transport/codec.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/peer.pb.h"
#include "raft/base/check.h"
#include "raft/base/membership.h"
#include "raft/base/membership_change.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;

// ---- encoding

void Encode(const LogPosition& position, wire::LogPosition* out) {
  out->set_index(position.index.value());
  out->set_term(position.term.value());
}

void Encode(const RequestId& request, wire::RequestId* out) {
  out->set_origin(request.origin.value());
  out->set_sequence(request.sequence);
}

void Encode(const Entry& entry, wire::Entry* out) {
  out->set_index(entry.index.value());
  out->set_term(entry.term.value());
  switch (entry.kind) {
    case EntryKind::kNoOp:
      out->set_kind(wire::ENTRY_KIND_NO_OP);
      break;
    case EntryKind::kCommand:
      out->set_kind(wire::ENTRY_KIND_COMMAND);
      out->set_origin(entry.request.origin.value());
      out->set_sequence(entry.request.sequence);
      out->set_payload(*entry.payload);
      break;
    case EntryKind::kMembership:
      out->set_kind(wire::ENTRY_KIND_MEMBERSHIP);
      out->set_origin(entry.request.origin.value());
      out->set_sequence(entry.request.sequence);
      out->set_payload(*entry.payload);
      break;
  }
}

void Encode(const MembershipChange& change, wire::MembershipChange* out) {
  out->set_kind(static_cast<wire::MembershipChangeKind>(change.kind));
  out->set_member(change.node.value());
  for (const std::string& url : change.peer_urls) out->add_peer_urls(url);
  if (change.learners_max.has_value()) out->set_learners_max(*change.learners_max);
}

// One overload for each body. The empty ones say by their presence all that there is to say.
struct BodyEncoder {
  wire::Message* out;

  void operator()(const PreVoteRequest& body) const {
    Encode(body.last, out->mutable_pre_vote_request()->mutable_last());
  }
  void operator()(const PreVoteResponse& body) const {
    out->mutable_pre_vote_response()->set_granted(body.granted);
  }
  void operator()(const VoteRequest& body) const {
    Encode(body.last, out->mutable_vote_request()->mutable_last());
    out->mutable_vote_request()->set_leader_asked(body.leader_asked);
  }
  void operator()(const VoteResponse& body) const {
    out->mutable_vote_response()->set_granted(body.granted);
  }
  void operator()(const AppendRequest& body) const {
    wire::AppendRequest* request = out->mutable_append_request();
    Encode(body.prev, request->mutable_prev());
    request->mutable_entries()->Reserve(static_cast<int>(body.entries.size()));
    for (const Entry& entry : body.entries) Encode(entry, request->add_entries());
    request->set_commit(body.commit.value());
  }
  void operator()(const AppendAccepted& body) const {
    out->mutable_append_accepted()->set_match(body.match.value());
  }
  void operator()(const AppendRejected& body) const {
    out->mutable_append_rejected()->set_rejected(body.rejected.value());
    Encode(body.hint, out->mutable_append_rejected()->mutable_hint());
  }
  void operator()(const Heartbeat& body) const {
    out->mutable_heartbeat()->set_commit(body.commit.value());
    out->mutable_heartbeat()->set_round(body.round.value());
  }
  void operator()(const HeartbeatAck& body) const {
    out->mutable_heartbeat_ack()->set_round(body.round.value());
    out->mutable_heartbeat_ack()->set_log_verified(body.log_verified);
    out->mutable_heartbeat_ack()->set_needs_snapshot_of(body.needs_snapshot_of.value());
    out->mutable_heartbeat_ack()->set_priority(body.priority);
  }
  void operator()(const CommitNotice& body) const {
    out->mutable_commit_notice()->set_commit(body.commit.value());
  }
  void operator()(const StaleTerm&) const { out->mutable_stale_term(); }
  void operator()(const TimeoutNow&) const { out->mutable_timeout_now(); }
  void operator()(const ForwardProposals& body) const {
    wire::ForwardProposals* forward = out->mutable_forward_proposals();
    for (const Proposal& proposal : body.proposals) {
      wire::Proposal* added = forward->add_proposals();
      Encode(proposal.request, added->mutable_request());
      added->set_payload(*proposal.payload);
    }
  }
  void operator()(const ProposalsRefused& body) const {
    wire::ProposalsRefused* refused = out->mutable_proposals_refused();
    for (const RequestId& request : body.requests) Encode(request, refused->add_requests());
  }
  void operator()(const ReadRequest& body) const {
    out->mutable_read_request()->set_id(body.id.value());
    out->mutable_read_request()->set_by_lease(body.mode == ReadMode::kLease);
  }
  void operator()(const ReadReply& body) const {
    out->mutable_read_reply()->set_id(body.id.value());
    out->mutable_read_reply()->set_index(body.index.value());
  }
  void operator()(const ReadRefused& body) const {
    out->mutable_read_refused()->set_id(body.id.value());
  }
  void operator()(const SnapshotChunk& body) const {
    wire::SnapshotChunk* chunk = out->mutable_snapshot_chunk();
    chunk->set_transfer(body.transfer.value());
    Encode(body.position, chunk->mutable_position());
    chunk->set_offset(body.offset);
    chunk->set_bytes(*body.bytes);
    chunk->set_last(body.last);
  }
  void operator()(const SnapshotAck& body) const {
    wire::SnapshotAck* ack = out->mutable_snapshot_ack();
    ack->set_transfer(body.transfer.value());
    ack->set_received(body.received);
    ack->set_state(static_cast<wire::SnapshotAckState>(body.state));
  }
  void operator()(const ForwardChange& body) const {
    wire::ForwardChange* forward = out->mutable_forward_change();
    Encode(body.request, forward->mutable_request());
    for (const MembershipChange& change : body.changes) Encode(change, forward->add_changes());
  }
  void operator()(const ChangeRefused& body) const {
    Encode(body.request, out->mutable_change_refused()->mutable_request());
    out->mutable_change_refused()->set_refusal(static_cast<wire::ChangeRefusal>(body.refusal));
  }
};

// ---- decoding

// Decodes one message. After the first fault it goes on with harmless values and keeps the fault,
// so that each field is checked in one place and nothing has to be unwound.
class MessageDecoder {
 public:
  // Null as long as nothing was wrong.
  const char* fault() const { return fault_; }

  Message Decode(StreamEnds ends, wire::Message* in) {
    term_ = Counter<Term>(in->term());
    return Message{ends.from, ends.to, term_, Body(in)};
  }

 private:
  void Expect(bool condition, const char* fault) {
    if (!condition && fault_ == nullptr) fault_ = fault;
  }

  template <typename Strong>
  Strong Counter(uint64_t value) {
    Expect(value <= kCounterMax, "a term, index or round is out of range");
    return value <= kCounterMax ? Strong(value) : Strong();
  }

  LogPosition Position(const wire::LogPosition& in) {
    const LogPosition position{Counter<LogIndex>(in.index()), Counter<Term>(in.term())};
    Expect((position.index == LogIndex()) == (position.term == Term()),
           "a log position has an index without a term, or a term without an index");
    Expect(position.term <= term_, "a log position is of a later term than its message");
    return position;
  }

  RequestId Request(uint64_t origin, uint64_t sequence) {
    Expect(origin != kNoNode.value(), "a request has no origin");
    return RequestId{NodeId(origin), sequence};
  }

  Payload TakePayload(std::string* bytes) {
    Expect(bytes->size() <= kPayloadBytesMax, "a command is too large");
    return std::make_shared<const std::string>(std::move(*bytes));
  }

  Entry TakeEntry(wire::Entry* in) {
    Entry entry;
    entry.index = Counter<LogIndex>(in->index());
    entry.term = Counter<Term>(in->term());
    switch (in->kind()) {
      case wire::ENTRY_KIND_NO_OP:
        entry.kind = EntryKind::kNoOp;
        Expect(in->origin() == 0 && in->sequence() == 0 && in->payload().empty(),
               "an empty entry is not empty");
        break;
      case wire::ENTRY_KIND_COMMAND:
        entry.kind = EntryKind::kCommand;
        entry.request = Request(in->origin(), in->sequence());
        entry.payload = TakePayload(in->mutable_payload());
        break;
      case wire::ENTRY_KIND_MEMBERSHIP:
        entry.kind = EntryKind::kMembership;
        // Without an origin if the leader brought it about by itself.
        entry.request = {NodeId(in->origin()), in->sequence()};
        Expect(in->origin() != 0 || in->sequence() == 0, "a request has no origin");
        Expect(DecodeMembership(in->payload()).ok(), "an entry holds no membership");
        entry.payload = TakePayload(in->mutable_payload());
        break;
      default:
        Expect(false, "an entry is of an unknown kind");
    }
    return entry;
  }

  AppendRequest TakeAppend(wire::AppendRequest* in) {
    AppendRequest append;
    append.prev = Position(in->prev());
    append.commit = Counter<LogIndex>(in->commit());
    append.entries.reserve(in->entries_size());
    LogPosition prev = append.prev;
    for (wire::Entry& encoded : *in->mutable_entries()) {
      Entry entry = TakeEntry(&encoded);
      Expect(entry.index == prev.index.Next(), "entries are not contiguous");
      Expect(entry.term >= prev.term && entry.term > Term(), "the terms of entries fall");
      Expect(entry.term <= term_, "an entry is of a later term than its message");
      prev = {entry.index, entry.term};
      append.entries.push_back(std::move(entry));
    }
    return append;
  }

  ForwardProposals TakeForward(wire::ForwardProposals* in) {
    ForwardProposals forward;
    forward.proposals.reserve(in->proposals_size());
    for (wire::Proposal& proposal : *in->mutable_proposals()) {
      forward.proposals.push_back(
          {Request(proposal.request().origin(), proposal.request().sequence()),
           TakePayload(proposal.mutable_payload())});
    }
    return forward;
  }

  ProposalsRefused Refused(const wire::ProposalsRefused& in) {
    ProposalsRefused refused;
    refused.requests.reserve(in.requests_size());
    for (const wire::RequestId& request : in.requests()) {
      refused.requests.push_back(Request(request.origin(), request.sequence()));
    }
    return refused;
  }

  SnapshotChunk TakeChunk(wire::SnapshotChunk* in) {
    Expect(in->offset() <= kCounterMax, "the offset of a piece is out of range");
    const LogPosition position = Position(in->position());
    Expect(position.index > LogIndex(), "a snapshot of nothing");
    return {.transfer = TransferId(in->transfer()),
            .position = position,
            .offset = in->offset(),
            .bytes = TakePayload(in->mutable_bytes()),
            .last = in->last()};
  }

  SnapshotAck Ack(const wire::SnapshotAck& in) {
    Expect(wire::SnapshotAckState_IsValid(in.state()), "a transfer is in an unknown state");
    return {.transfer = TransferId(in.transfer()),
            .received = in.received(),
            .state = static_cast<SnapshotAck::State>(in.state())};
  }

  MembershipChange Change(const wire::MembershipChange& in) {
    Expect(wire::MembershipChangeKind_IsValid(in.kind()) &&
               in.kind() != wire::MEMBERSHIP_CHANGE_KIND_UNSPECIFIED,
           "a change of membership is of an unknown kind");
    Expect(NodeId(in.member()) != kNoNode, "a change of membership of nobody");
    Expect(static_cast<size_t>(in.peer_urls_size()) <= kChangePartsMax,
           "a change of membership has too many addresses");
    MembershipChange change{.kind = static_cast<MembershipChange::Kind>(in.kind()),
                            .node = NodeId(in.member()),
                            .peer_urls = {in.peer_urls().begin(), in.peer_urls().end()}};
    if (in.has_learners_max()) change.learners_max = in.learners_max();
    return change;
  }

  ForwardChange TakeForward(const wire::ForwardChange& in) {
    ForwardChange forward{.request = Request(in.request().origin(), in.request().sequence()),
                          .changes = {}};
    Expect(in.changes_size() > 0 && static_cast<size_t>(in.changes_size()) <= kChangePartsMax,
           "no changes of membership, or too many at once");
    for (const wire::MembershipChange& change : in.changes()) {
      forward.changes.push_back(Change(change));
    }
    return forward;
  }

  ChangeRefused Refused(const wire::ChangeRefused& in) {
    Expect(wire::ChangeRefusal_IsValid(in.refusal()) &&
               in.refusal() != wire::CHANGE_REFUSAL_UNSPECIFIED,
           "a change of membership was refused for an unknown reason");
    return {Request(in.request().origin(), in.request().sequence()),
            static_cast<ChangeRefusal>(in.refusal())};
  }

  MessageBody Body(wire::Message* in);

  Term term_;
  const char* fault_ = nullptr;
};

MessageBody MessageDecoder::Body(wire::Message* in) {
  switch (in->body_case()) {
    case wire::Message::kPreVoteRequest:
      return PreVoteRequest{Position(in->pre_vote_request().last())};
    case wire::Message::kPreVoteResponse:
      return PreVoteResponse{in->pre_vote_response().granted()};
    case wire::Message::kVoteRequest:
      return VoteRequest{Position(in->vote_request().last()), in->vote_request().leader_asked()};
    case wire::Message::kVoteResponse:
      return VoteResponse{in->vote_response().granted()};
    case wire::Message::kAppendRequest:
      return TakeAppend(in->mutable_append_request());
    case wire::Message::kAppendAccepted:
      return AppendAccepted{Counter<LogIndex>(in->append_accepted().match())};
    case wire::Message::kAppendRejected:
      return AppendRejected{Counter<LogIndex>(in->append_rejected().rejected()),
                            Position(in->append_rejected().hint())};
    case wire::Message::kHeartbeat:
      return Heartbeat{Counter<LogIndex>(in->heartbeat().commit()),
                       Counter<RoundId>(in->heartbeat().round())};
    case wire::Message::kHeartbeatAck:
      return HeartbeatAck{Counter<RoundId>(in->heartbeat_ack().round()),
                          in->heartbeat_ack().log_verified(),
                          Counter<LogIndex>(in->heartbeat_ack().needs_snapshot_of()),
                          in->heartbeat_ack().priority()};
    case wire::Message::kCommitNotice:
      return CommitNotice{Counter<LogIndex>(in->commit_notice().commit())};
    case wire::Message::kStaleTerm:
      return StaleTerm{};
    case wire::Message::kTimeoutNow:
      return TimeoutNow{};
    case wire::Message::kForwardProposals:
      return TakeForward(in->mutable_forward_proposals());
    case wire::Message::kProposalsRefused:
      return Refused(in->proposals_refused());
    case wire::Message::kReadRequest:
      return ReadRequest{ReadId(in->read_request().id()),
                         in->read_request().by_lease() ? ReadMode::kLease : ReadMode::kQuorum};
    case wire::Message::kReadReply:
      return ReadReply{ReadId(in->read_reply().id()), Counter<LogIndex>(in->read_reply().index())};
    case wire::Message::kReadRefused:
      return ReadRefused{ReadId(in->read_refused().id())};
    case wire::Message::kSnapshotChunk:
      return TakeChunk(in->mutable_snapshot_chunk());
    case wire::Message::kSnapshotAck:
      return Ack(in->snapshot_ack());
    case wire::Message::kForwardChange:
      return TakeForward(in->forward_change());
    case wire::Message::kChangeRefused:
      return Refused(in->change_refused());
    case wire::Message::BODY_NOT_SET:
      break;
  }
  Expect(false, "a message has no body, or one of an unknown kind");
  return StaleTerm{};
}

}  // namespace

const char* StreamKindName(StreamKind kind) {
  switch (kind) {
    case StreamKind::kControl:
      return "control";
    case StreamKind::kBulk:
      return "bulk";
  }
  return "unknown";
}

StreamKind StreamKindOf(const Message& message) {
  const bool bulk = std::holds_alternative<AppendRequest>(message.body) ||
                    std::holds_alternative<AppendAccepted>(message.body) ||
                    std::holds_alternative<AppendRejected>(message.body) ||
                    std::holds_alternative<SnapshotChunk>(message.body) ||
                    std::holds_alternative<SnapshotAck>(message.body);
  return bulk ? StreamKind::kBulk : StreamKind::kControl;
}

size_t EstimateBytes(const Message& message) {
  constexpr size_t kMessageBytes = 64;
  size_t bytes = kMessageBytes;
  if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
    for (const Entry& entry : append->entries) bytes += entry.CountedBytes();
  } else if (const auto* forward = std::get_if<ForwardProposals>(&message.body)) {
    for (const Proposal& proposal : forward->proposals) {
      bytes += Entry::kOverheadBytes + proposal.payload->size();
    }
  } else if (const auto* refused = std::get_if<ProposalsRefused>(&message.body)) {
    bytes += refused->requests.size() * Entry::kOverheadBytes;
  } else if (const auto* chunk = std::get_if<SnapshotChunk>(&message.body)) {
    bytes += Entry::kOverheadBytes + chunk->bytes->size();
  } else if (const auto* change = std::get_if<ForwardChange>(&message.body)) {
    for (const MembershipChange& part : change->changes) {
      bytes += Entry::kOverheadBytes;
      for (const std::string& url : part.peer_urls) bytes += Entry::kOverheadBytes + url.size();
    }
  }
  return bytes;
}

void EncodeMessage(const Message& message, wire::Envelope* envelope) {
  wire::Message* out = envelope->add_messages();
  out->set_term(message.term.value());
  std::visit(BodyEncoder{out}, message.body);
}

absl::StatusOr<std::vector<Message>> DecodeEnvelope(StreamEnds ends, wire::Envelope* envelope) {
  if (envelope->has_hello()) {
    return absl::InvalidArgumentError("a greeting among the messages");
  }
  if (static_cast<size_t>(envelope->messages_size()) > kEnvelopeMessagesMax) {
    return absl::InvalidArgumentError("an envelope holds too many messages");
  }
  std::vector<Message> messages;
  messages.reserve(envelope->messages_size());
  for (wire::Message& encoded : *envelope->mutable_messages()) {
    MessageDecoder decoder;
    messages.push_back(decoder.Decode(ends, &encoded));
    if (decoder.fault() != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("from member ", FormatNodeId(ends.from), ", message ", messages.size(),
                       " of ", envelope->messages_size(), ": ", decoder.fault()));
    }
  }
  return messages;
}

}  // namespace pontoon::raft
