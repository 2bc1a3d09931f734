// Three members with real stores, one log, and a network that is a function call.

#include "kv/maintenance/divergence_watch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/store/kv_result.h"
#include "kv/store/store_harness.h"
#include "proto/command.pb.h"
#include "raft/base/check.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Members;

class FakeReplica final : public raft::Replica {
 public:
  explicit FakeReplica(Members* members) : members_(members) {}

  void Propose(Payload command, Instant, raft::ProposeCallback done) override;
  void ReadBarrier(raft::ReadMode, Instant, raft::ReadCallback) override { CHECK(false); }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    CHECK(false);
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override { ++hand_overs; }
  raft::ReplicaStatus Status() const override { return status; }

  raft::ReplicaStatus status;
  int hand_overs = 0;

 private:
  Members* const members_;
};

struct FakeMember {
  FakeMember(Members* members, NodeId id);

  FakeReplica replica;
  StoreHarness store;
  std::unique_ptr<AlarmRaiser> alarms;
  std::unique_ptr<DivergenceWatch> watch;
  bool is_corrupt = false;
  bool is_reachable = true;
};

// The first one leads.
class Members {
 public:
  explicit Members(int count) {
    Membership membership;
    for (int i = 1; i <= count; ++i) {
      membership.voters.push_back(NodeId(i));
      membership.peer_urls[NodeId(i)] = {absl::StrCat("http://", i)};
    }
    for (const NodeId id : membership.voters) {
      FakeMember& member = *members_.emplace_back(std::make_unique<FakeMember>(this, id));
      member.replica.status.membership = membership;
      member.watch->Start();
    }
  }

  FakeMember& operator[](int number) { return *members_.at(number - 1); }
  ManualClock* clock() { return &clock_; }
  ManualExecutor* executor() { return &executor_; }

  // One entry, for all.
  void ApplyToAll(const std::string& payload) {
    for (const auto& member : members_) member->store.ApplyPayload(payload);
  }
  void PutToAll(const std::string& key) {
    storage::v1::Command command;
    *command.mutable_put() = PutOf(key, "v");
    ApplyToAll(command.SerializeAsString());
  }
  // One entry, to another effect at one of them.
  void Diverge(int number) {
    for (const auto& member : members_) {
      member->store.Put("k", member.get() == members_.at(number - 1).get() ? "wrong" : "right");
    }
  }
  void RunFor(absl::Duration time) { executor_.RunFor(time); }

  std::map<NodeId, DigestReport> Ask(const PeerUrls& urls, DivergenceWatch::Tone tone) {
    std::map<NodeId, DigestReport> reports;
    for (const auto& [node, url] : urls) {
      FakeMember& member = (*this)[static_cast<int>(node.value())];
      if (!member.is_reachable) continue;
      if (tone == DivergenceWatch::Tone::kSuspicion) {
        told_.push_back(node);
        member.watch->Suspect();
      }
      reports[node] = ReportOf(member.store.store());
    }
    return reports;
  }

  // Who was told that it differs.
  const std::vector<NodeId>& told() const { return told_; }
  // Who serves nobody.
  std::vector<int> Corrupt() const {
    std::vector<int> corrupt;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i]->is_corrupt) corrupt.push_back(static_cast<int>(i) + 1);
    }
    return corrupt;
  }
  // Whom the alarms name, as all members see them.
  std::vector<uint64_t> Named() {
    std::vector<uint64_t> named;
    const AlarmSet alarms = members_.front()->store.store().View()->alarms();
    for (const auto& member : members_) EXPECT_EQ(member->store.store().View()->alarms(), alarms);
    for (const AlarmSet::Alarm& alarm : alarms.raised()) {
      EXPECT_EQ(alarm.type, etcdserverpb::CORRUPT);
      named.push_back(alarm.member.value());
    }
    return named;
  }
  void ClearAlarm(uint64_t member) {
    storage::v1::Command command;
    command.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::DEACTIVATE);
    command.mutable_alarm()->set_alarm(etcdserverpb::CORRUPT);
    command.mutable_alarm()->set_memberid(member);
    ApplyToAll(command.SerializeAsString());
  }

 private:
  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  std::vector<std::unique_ptr<FakeMember>> members_;
  std::vector<NodeId> told_;
};

void FakeReplica::Propose(Payload command, Instant, raft::ProposeCallback done) {
  members_->ApplyToAll(*command);
  std::move(done)(raft::Applied{{}, std::make_unique<KvResult>()});
}

FakeMember::FakeMember(Members* members, NodeId id) : replica(members) {
  replica.status.self = id;
  replica.status.leader = NodeId(1);
  alarms = std::make_unique<AlarmRaiser>(&replica, members->clock());
  watch = std::make_unique<DivergenceWatch>(DivergenceWatch::Parts{
      .replica = &replica,
      .store = &store.store(),
      .clock = members->clock(),
      .executor = members->executor(),
      .alarms = alarms.get(),
      .ask = [members](const PeerUrls& urls,
                       DivergenceWatch::Tone tone) { return members->Ask(urls, tone); },
      .set_corrupt = [this](bool corrupt) { is_corrupt = corrupt; }});
}

// What every member takes, whatever alarms are raised, and is an entry all the same.
etcdserverpb::AlarmRequest NothingToClear() {
  etcdserverpb::AlarmRequest request;
  request.set_action(etcdserverpb::AlarmRequest::DEACTIVATE);
  request.set_alarm(etcdserverpb::NOSPACE);
  return request;
}

TEST(DivergenceWatchTest, EqualMembersAreLeftAlone) {
  Members members(3);
  for (int i = 0; i < 10; ++i) {
    members.PutToAll("k");
    members.RunFor(absl::Seconds(1));
  }
  members[2].store.Put("k", "v");  // one is ahead for the moment
  members.RunFor(absl::Seconds(2));
  EXPECT_THAT(members.told(), IsEmpty());
  EXPECT_THAT(members.Corrupt(), IsEmpty());
  EXPECT_THAT(members.Named(), IsEmpty());
}

TEST(DivergenceWatchTest, TheFollowerThatDiffersIsNamed) {
  Members members(3);
  members.Diverge(2);
  members.RunFor(absl::Seconds(2));
  EXPECT_THAT(members.Corrupt(), ElementsAre(2));
  EXPECT_THAT(members.Named(), ElementsAre(2));
  EXPECT_THAT(members.told(), ElementsAre(NodeId(2))) << "and only once";
  members.RunFor(absl::Seconds(10));
  EXPECT_THAT(members.told(), ElementsAre(NodeId(2)));
}

TEST(DivergenceWatchTest, WhatWasDoneLongAgoIsFoundWhileOthersWrite) {
  Members members(3);
  members.Diverge(3);
  for (uint64_t i = 0; i < KvStore::kDigestStep; ++i) members.PutToAll("k");
  members[1].store.Put("k", "v");  // no two have applied as much
  members[1].store.Put("k", "v");
  members[2].store.Put("k", "v");
  members.RunFor(absl::Milliseconds(1));
  EXPECT_THAT(members.told(), ElementsAre(NodeId(3)));
}

TEST(DivergenceWatchTest, TheLeaderThatDiffersNamesItselfAndHandsOver) {
  Members members(3);
  members.Diverge(1);
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), ElementsAre(1));
  EXPECT_THAT(members.Named(), ElementsAre(1));
  EXPECT_THAT(members.told(), IsEmpty());
  EXPECT_EQ(members[1].replica.hand_overs, 1);
}

TEST(DivergenceWatchTest, NobodyIsConvictedByOneWord) {
  Members members(3);
  members.Diverge(1);
  members[3].is_reachable = false;
  members[2].watch->Suspect();
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), IsEmpty()) << "one against one";
  members[3].is_reachable = true;
  members[2].watch->Suspect();
  members.executor()->RunDue();
  EXPECT_THAT(members.told(), ElementsAre(NodeId(1))) << "whoever asks tells what it finds";
  EXPECT_THAT(members.Corrupt(), ElementsAre(1));
}

TEST(DivergenceWatchTest, TwoMembersCannotDecide) {
  Members members(2);
  members.Diverge(2);
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), IsEmpty());
  EXPECT_THAT(members.Named(), IsEmpty());
}

TEST(DivergenceWatchTest, AClearedAlarmComesBackUnlessTheStateWasRebuilt) {
  Members members(3);
  members.Diverge(2);
  members.RunFor(absl::Seconds(2));
  ASSERT_THAT(members.Named(), ElementsAre(2));
  members.ClearAlarm(2);
  members.RunFor(absl::Seconds(4));
  EXPECT_THAT(members.Named(), ElementsAre(2));
  EXPECT_THAT(members.Corrupt(), ElementsAre(2));
}

// As after a start with --rebuild-from-peers: a new process, and the leader's state.
TEST(DivergenceWatchTest, ARebuiltMemberServesOnceItsAlarmIsCleared) {
  Members members(3);
  members.Diverge(2);
  members.RunFor(absl::Seconds(2));
  for (int number : {1, 3}) members[number].store.Alarm(NothingToClear());
  members[2].store.InstallFrom(&members[1].store);
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), ElementsAre(2)) << "until an operator says so";
  members.ClearAlarm(2);
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), IsEmpty());
  EXPECT_THAT(members.Named(), IsEmpty());
  members.PutToAll("k");
  members.RunFor(absl::Seconds(3));
  EXPECT_THAT(members.Corrupt(), IsEmpty());
}

}  // namespace
}  // namespace pontoon::kv
