#include "raft/transport/codec.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/peer.pb.h"
#include "raft/base/prng.h"
#include "raft/transport/sample_messages.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;

constexpr StreamEnds kEnds{NodeId(2), NodeId(1)};

wire::Envelope Encoded(const std::vector<Message>& messages) {
  wire::Envelope envelope;
  for (const Message& message : messages) EncodeMessage(message, &envelope);
  return envelope;
}

// An envelope with one message that tests then damage.
template <typename Body>
wire::Envelope EnvelopeOf(Body body, Term term = Term(7)) {
  return Encoded({Message{kEnds.from, kEnds.to, term, MessageBody(std::move(body))}});
}

AppendRequest TwoEntries() {
  return AppendRequest{.prev = {LogIndex(4), Term(2)},
                       .entries = {SampleCommand(LogIndex(5), Term(2), "five"),
                                   SampleCommand(LogIndex(6), Term(3), "six")},
                       .commit = LogIndex(4)};
}

TEST(CodecTest, EveryKindOfMessageComesBackAsItWas) {
  const std::vector<Message> messages = SampleMessages(kEnds.from, kEnds.to);
  ASSERT_EQ(messages.size(), std::variant_size_v<MessageBody>);

  wire::Envelope envelope = Encoded(messages);
  const auto decoded = DecodeEnvelope(kEnds, &envelope);
  ASSERT_TRUE(decoded.ok()) << decoded.status();

  ASSERT_EQ(decoded->size(), messages.size());
  for (size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(Described((*decoded)[i]), Described(messages[i])) << "body " << i;
  }
}

TEST(CodecTest, SenderAndReceiverAreThoseOfTheStream) {
  wire::Envelope envelope = EnvelopeOf(TimeoutNow{});
  const auto decoded = DecodeEnvelope({NodeId(9), NodeId(8)}, &envelope);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->front().from, NodeId(9));
  EXPECT_EQ(decoded->front().to, NodeId(8));
}

TEST(CodecTest, OnlyAppendsSnapshotsAndTheirAnswersAreBulk) {
  for (const Message& message : SampleMessages(kEnds.from, kEnds.to)) {
    const std::string name = Described(message);
    const bool bulk =
        name.find("Append") != std::string::npos || name.find("Snapshot") != std::string::npos;
    EXPECT_EQ(StreamKindOf(message) == StreamKind::kBulk, bulk) << name;
  }
}

TEST(CodecTest, EstimateCoversTheEncodedSize) {
  for (const Message& message : SampleMessages(kEnds.from, kEnds.to)) {
    EXPECT_GE(EstimateBytes(message), Encoded({message}).ByteSizeLong()) << Described(message);
  }
}

// One kind of damage, done to a good envelope.
struct Damage {
  const char* what;
  wire::Envelope envelope;
  std::function<void(wire::Message*)> damage;
};

wire::Entry* SecondEntry(wire::Message* m) {
  return m->mutable_append_request()->mutable_entries(1);
}

std::vector<Damage> AllDamage() {
  const wire::Envelope append = EnvelopeOf(TwoEntries());
  const wire::Envelope vote = EnvelopeOf(VoteRequest{.last = {LogIndex(4), Term(2)}});
  const wire::Envelope forward =
      EnvelopeOf(ForwardProposals{{{{NodeId(2), 1}, std::make_shared<std::string>("x")}}});
  const wire::Envelope chunk =
      EnvelopeOf(SnapshotChunk{.transfer = TransferId(1),
                               .position = {LogIndex(4), Term(2)},
                               .offset = 0,
                               .bytes = std::make_shared<const std::string>("x"),
                               .last = false});
  const Payload membership =
      std::make_shared<const std::string>(EncodeMembership({.voters = {NodeId(1)}}));
  const wire::Envelope member_append = EnvelopeOf(
      AppendRequest{.prev = {LogIndex(4), Term(2)},
                    .entries = {SampleCommand(LogIndex(5), Term(2), "five"),
                                {LogIndex(6), Term(3), EntryKind::kMembership, {}, membership}},
                    .commit = LogIndex(4)});
  const wire::Envelope change = EnvelopeOf(ForwardChange{
      {NodeId(2), 1}, {{MembershipChange::Kind::kAddVoter, NodeId(4), {"http://a"}}}});
  const wire::Envelope change_refused =
      EnvelopeOf(ChangeRefused{{NodeId(2), 1}, ChangeRefusal::kBusy});
  const auto first_change = [](wire::Message* m) {
    return m->mutable_forward_change()->mutable_changes(0);
  };
  const wire::Envelope ack = EnvelopeOf(SnapshotAck{.transfer = TransferId(1)});
  return {
      {"no body", vote, [](wire::Message* m) { m->clear_body(); }},
      {"term out of range", vote, [](wire::Message* m) { m->set_term(kCounterMax + 1); }},
      {"largest term", vote, [](wire::Message* m) { m->set_term(~uint64_t{0}); }},
      {"index without a term", vote,
       [](wire::Message* m) { m->mutable_vote_request()->mutable_last()->set_term(0); }},
      {"term without an index", vote,
       [](wire::Message* m) { m->mutable_vote_request()->mutable_last()->set_index(0); }},
      {"position later than the message", vote,
       [](wire::Message* m) { m->mutable_vote_request()->mutable_last()->set_term(8); }},
      {"gap between entries", append, [](wire::Message* m) { SecondEntry(m)->set_index(7); }},
      {"entry twice", append, [](wire::Message* m) { SecondEntry(m)->set_index(5); }},
      {"gap after prev", append,
       [](wire::Message* m) { m->mutable_append_request()->mutable_prev()->set_index(3); }},
      {"largest index", append,
       [](wire::Message* m) {
         m->mutable_append_request()->mutable_prev()->set_index(~uint64_t{0});
         m->mutable_append_request()->mutable_entries(0)->set_index(0);
       }},
      {"terms fall", append, [](wire::Message* m) { SecondEntry(m)->set_term(1); }},
      {"entry before prev's term", append,
       [](wire::Message* m) { m->mutable_append_request()->mutable_entries(0)->set_term(1); }},
      {"entry later than the message", append,
       [](wire::Message* m) { SecondEntry(m)->set_term(8); }},
      {"entry kind missing", append,
       [](wire::Message* m) { SecondEntry(m)->set_kind(wire::ENTRY_KIND_UNSPECIFIED); }},
      {"entry kind unknown", append,
       [](wire::Message* m) { SecondEntry(m)->set_kind(static_cast<wire::EntryKind>(77)); }},
      {"empty entry with a payload", append,
       [](wire::Message* m) { SecondEntry(m)->set_kind(wire::ENTRY_KIND_NO_OP); }},
      {"command without an origin", append,
       [](wire::Message* m) { SecondEntry(m)->set_origin(0); }},
      {"command too large", append,
       [](wire::Message* m) {
         SecondEntry(m)->set_payload(std::string(kPayloadBytesMax + 1, 'x'));
       }},
      {"commit out of range", append,
       [](wire::Message* m) { m->mutable_append_request()->set_commit(~uint64_t{0}); }},
      {"offset out of range", chunk,
       [](wire::Message* m) { m->mutable_snapshot_chunk()->set_offset(~uint64_t{0}); }},
      {"snapshot of nothing", chunk,
       [](wire::Message* m) { m->mutable_snapshot_chunk()->clear_position(); }},
      {"piece too large", chunk,
       [](wire::Message* m) {
         m->mutable_snapshot_chunk()->set_bytes(std::string(kPayloadBytesMax + 1, 'x'));
       }},
      {"transfer in an unknown state", ack,
       [](wire::Message* m) {
         m->mutable_snapshot_ack()->set_state(static_cast<wire::SnapshotAckState>(3));
       }},
      {"membership that is none", member_append,
       [](wire::Message* m) { SecondEntry(m)->set_payload("damage"); }},
      {"membership without a payload", member_append,
       [](wire::Message* m) { SecondEntry(m)->clear_payload(); }},
      {"membership with a request of nobody", member_append,
       [](wire::Message* m) { SecondEntry(m)->set_sequence(1); }},
      {"change without an origin", change,
       [](wire::Message* m) { m->mutable_forward_change()->clear_request(); }},
      {"change of nothing", change,
       [](wire::Message* m) { m->mutable_forward_change()->clear_changes(); }},
      {"too many changes", change,
       [=](wire::Message* m) {
         const wire::MembershipChange one = *first_change(m);
         for (size_t i = 0; i < kChangePartsMax; ++i) {
           *m->mutable_forward_change()->add_changes() = one;
         }
       }},
      {"change of a missing kind", change,
       [=](wire::Message* m) { first_change(m)->clear_kind(); }},
      {"change of an unknown kind", change,
       [=](wire::Message* m) {
         first_change(m)->set_kind(static_cast<wire::MembershipChangeKind>(7));
       }},
      {"change of nobody", change, [=](wire::Message* m) { first_change(m)->clear_member(); }},
      {"too many addresses", change,
       [=](wire::Message* m) {
         for (size_t i = 0; i < kChangePartsMax; ++i) first_change(m)->add_peer_urls("http://a");
       }},
      {"refusal without an origin", change_refused,
       [](wire::Message* m) { m->mutable_change_refused()->clear_request(); }},
      {"refusal for a missing reason", change_refused,
       [](wire::Message* m) { m->mutable_change_refused()->clear_refusal(); }},
      {"refusal for an unknown reason", change_refused,
       [](wire::Message* m) {
         m->mutable_change_refused()->set_refusal(static_cast<wire::ChangeRefusal>(12));
       }},
      {"proposal without an origin", forward,
       [](wire::Message* m) {
         m->mutable_forward_proposals()->mutable_proposals(0)->clear_request();
       }},
  };
}

TEST(CodecTest, WhatIsOutOfRangeIsRefused) {
  for (Damage& damage : AllDamage()) {
    wire::Envelope untouched = damage.envelope;
    EXPECT_TRUE(DecodeEnvelope(kEnds, &untouched).ok()) << damage.what;
    damage.damage(damage.envelope.mutable_messages(0));
    const auto decoded = DecodeEnvelope(kEnds, &damage.envelope);
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << damage.what;
  }
}

TEST(CodecTest, GreetingAmongMessagesIsRefused) {
  wire::Envelope envelope = EnvelopeOf(StaleTerm{});
  envelope.mutable_hello();
  EXPECT_FALSE(DecodeEnvelope(kEnds, &envelope).ok());
}

TEST(CodecTest, TooManyMessagesAreRefused) {
  wire::Envelope envelope;
  for (size_t i = 0; i < kEnvelopeMessagesMax + 1; ++i) {
    envelope.add_messages()->mutable_stale_term();
  }
  EXPECT_FALSE(DecodeEnvelope(kEnds, &envelope).ok());
}

TEST(CodecTest, PayloadsAreMovedNotCopied) {
  const std::string large(1 << 16, 'x');
  wire::Envelope envelope = EnvelopeOf(AppendRequest{
      .prev = {}, .entries = {SampleCommand(LogIndex(1), Term(1), large)}, .commit = {}});
  const char* bytes = envelope.messages(0).append_request().entries(0).payload().data();
  const auto decoded = DecodeEnvelope(kEnds, &envelope);
  ASSERT_TRUE(decoded.ok());
  const auto& append = std::get<AppendRequest>(decoded->front().body);
  EXPECT_EQ(append.entries[0].payload->data(), bytes);
}

// What every decoded message promises, whatever the bytes were.
void ExpectInRange(const Message& message) {
  EXPECT_LE(message.term.value(), kCounterMax);
  if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
    LogPosition prev = append->prev;
    for (const Entry& entry : append->entries) {
      EXPECT_EQ(entry.index, prev.index.Next());
      EXPECT_GE(entry.term, prev.term);
      EXPECT_EQ(entry.kind != EntryKind::kNoOp, entry.payload != nullptr);
      prev = {entry.index, entry.term};
    }
  }
}

// Random changes to good bytes get deeper into the decoder than random bytes do.
std::string Mutated(std::string bytes, Prng* prng) {
  const uint64_t changes = 1 + prng->Below(4);
  for (uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
    const size_t at = prng->Below(bytes.size());
    switch (prng->Below(3)) {
      case 0:
        bytes[at] = static_cast<char>(prng->Next());
        break;
      case 1:
        bytes.erase(at, 1 + prng->Below(8));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(prng->Next()));
    }
  }
  return bytes;
}

TEST(CodecTest, NoBytesCrashTheDecoder) {
  std::vector<std::string> seeds;
  for (const Message& message : SampleMessages(kEnds.from, kEnds.to)) {
    seeds.push_back(Encoded({message}).SerializeAsString());
  }
  seeds.push_back(Encoded(SampleMessages(kEnds.from, kEnds.to)).SerializeAsString());
  Prng prng(20240607);
  int parsed = 0;
  int accepted = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string bytes = Mutated(seeds[prng.Below(seeds.size())], &prng);
    if (i % 10 == 0) {
      for (char& c : bytes) c = static_cast<char>(prng.Next());
    }
    wire::Envelope envelope;
    if (!envelope.ParseFromString(bytes)) continue;
    ++parsed;
    const auto decoded = DecodeEnvelope(kEnds, &envelope);
    if (!decoded.ok()) continue;
    ++accepted;
    for (const Message& message : *decoded) ExpectInRange(message);
  }
  // The loop is worth something only if it reaches both answers.
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(parsed - accepted, 1000);
}

}  // namespace
}  // namespace pontoon::raft
