// The Cluster service: members are listed, and changed.

#include "kv/service/cluster_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "kv/errors.h"
#include "kv/service/member_changes.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/service_fixture.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using testing::ElementsAre;
using testing::IsEmpty;

using ClusterServiceTest = ServiceTest;

// Whose ids, and which of them are learners, as in "a1 a2 learner".
std::string Ids(const google::protobuf::RepeatedPtrField<etcdserverpb::Member>& members) {
  std::vector<std::string> ids;
  for (const auto& member : members) {
    ids.push_back(absl::StrCat(absl::Hex(member.id()), member.islearner() ? " learner" : ""));
  }
  return absl::StrJoin(ids, " ");
}

TEST_F(ClusterServiceTest, MembersAreListed) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.learners = {kPeer};
  replica_->SetMembership(membership);
  const int barriers = replica_->barriers();
  MemberListResponse list;
  ASSERT_TRUE(cluster_->MemberList(Call().get(), MemberListRequest(), &list).ok());
  EXPECT_EQ(replica_->barriers(), barriers);
  EXPECT_EQ(list.header().cluster_id(), kCluster.value());
  EXPECT_EQ(list.header().revision(), 0) << "as in etcd, cluster calls have none";
  ASSERT_EQ(list.members_size(), 2);
  EXPECT_EQ(list.members(0).id(), kSelf.value());
  EXPECT_EQ(list.members(0).name(), "a");
  EXPECT_THAT(list.members(0).peerurls(), ElementsAre("http://a:2380"));
  EXPECT_THAT(list.members(0).clienturls(), ElementsAre("http://a:2379"));
  EXPECT_FALSE(list.members(0).islearner());
  EXPECT_TRUE(list.members(1).islearner());
  EXPECT_THAT(list.members(1).clienturls(), IsEmpty());

  ASSERT_TRUE(
      cluster_->MemberList(Call().get(), Parse<MemberListRequest>("linearizable: true"), &list)
          .ok());
  EXPECT_EQ(replica_->barriers(), barriers + 1);
}

TEST_F(ClusterServiceTest, MemberListMayNeedALeader) {
  replica_->SetLeader(kNoNode);
  replica_->FailNextBarrier(absl::DeadlineExceededError("x"));
  MemberListResponse list;
  EXPECT_TRUE(Failed(
      cluster_->MemberList(Call().get(), Parse<MemberListRequest>("linearizable: true"), &list),
      kErrNoLeader));
}

TEST_F(ClusterServiceTest, AMemberIsAddedAsALearnerWhateverItIsToBe) {
  MemberAddResponse added;
  ASSERT_TRUE(cluster_
                  ->MemberAdd(Call().get(),
                              Parse<MemberAddRequest>("peerURLs: 'http://c:2380/' "
                                                      "peerURLs: 'http://d:2380'"),
                              &added)
                  .ok());
  EXPECT_EQ(added.header().cluster_id(), kCluster.value());
  EXPECT_EQ(added.header().revision(), 0);
  EXPECT_EQ(added.member().name(), "");
  EXPECT_THAT(added.member().peerurls(), ElementsAre("http://c:2380", "http://d:2380"));
  EXPECT_FALSE(added.member().islearner()) << "as what it was added";
  ASSERT_EQ(added.members_size(), 3);
  for (const auto& member : added.members()) {
    EXPECT_EQ(member.islearner(), member.id() == added.member().id()) << "what it is now";
  }
  Membership membership = replica_->Status().membership;
  EXPECT_THAT(membership.learners, ElementsAre(NodeId(added.member().id())));
  EXPECT_EQ(membership.joining, membership.learners);

  MemberAddResponse learner;
  ASSERT_TRUE(cluster_
                  ->MemberAdd(Call().get(),
                              Parse<MemberAddRequest>("peerURLs: 'http://e:2380' isLearner: true"),
                              &learner)
                  .ok());
  EXPECT_TRUE(learner.member().islearner());
  EXPECT_EQ(learner.members_size(), 4);
  membership = replica_->Status().membership;
  EXPECT_TRUE(membership.IsLearner(NodeId(learner.member().id())));
  EXPECT_THAT(membership.joining, ElementsAre(NodeId(added.member().id()))) << "not the second";
}

TEST_F(ClusterServiceTest, ThereIsALearnerAtATime) {
  const auto add = [this](const std::string& request) {
    MemberAddResponse added;
    return cluster_->MemberAdd(Call().get(), Parse<MemberAddRequest>(request), &added);
  };
  EXPECT_TRUE(add("peerURLs: 'http://c:2380'").ok());
  EXPECT_TRUE(add("peerURLs: 'http://d:2380' isLearner: true").ok()) << "the other joins to vote";
  const Membership membership = replica_->Status().membership;
  EXPECT_TRUE(Failed(add("peerURLs: 'http://e:2380' isLearner: true"), kErrTooManyLearners));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://d:2380' isLearner: true"), kErrPeerURLExist));
  EXPECT_EQ(replica_->Status().membership, membership);
  EXPECT_TRUE(add("peerURLs: 'http://e:2380'").ok()) << "this one is to vote";
}

TEST_F(ClusterServiceTest, AnIdIsNeverUsedTwice) {
  const auto request = Parse<MemberAddRequest>("peerURLs: 'http://c:2380'");
  MemberAddResponse first;
  ASSERT_TRUE(cluster_->MemberAdd(Call().get(), request, &first).ok());
  MemberRemoveRequest remove;
  remove.set_id(first.member().id());
  MemberRemoveResponse removed;
  ASSERT_TRUE(cluster_->MemberRemove(Call().get(), remove, &removed).ok());
  MemberAddResponse second;
  ASSERT_TRUE(cluster_->MemberAdd(Call().get(), request, &second).ok());
  EXPECT_NE(second.member().id(), first.member().id());
}

TEST_F(ClusterServiceTest, MembersAreRemovedPromotedAndMoved) {
  Membership membership = SelfAndPeer();
  membership.learners = {NodeId{0xa3}};
  membership.peer_urls[NodeId{0xa3}] = {"http://c:2380"};
  replica_->SetMembership(membership);

  MemberPromoteResponse promoted;
  ASSERT_TRUE(
      cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa3"), &promoted)
          .ok());
  EXPECT_EQ(Ids(promoted.members()), "a1 a2 a3");
  MemberUpdateResponse updated;
  ASSERT_TRUE(
      cluster_
          ->MemberUpdate(Call().get(),
                         Parse<MemberUpdateRequest>("ID: 0xa3 peerURLs: 'http://elsewhere:1'"),
                         &updated)
          .ok());
  EXPECT_THAT(updated.members(2).peerurls(), ElementsAre("http://elsewhere:1"));
  MemberRemoveResponse removed;
  ASSERT_TRUE(
      cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 0xa2"), &removed).ok());
  EXPECT_EQ(Ids(removed.members()), "a1 a3");
  EXPECT_EQ(removed.header().member_id(), kSelf.value());
}

TEST_F(ClusterServiceTest, AJointConfigurationIsListedAsWhatItLeadsTo) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.outgoing = {kSelf, kPeer};
  replica_->SetMembership(membership);
  MemberListResponse list;
  ASSERT_TRUE(cluster_->MemberList(Call().get(), MemberListRequest(), &list).ok());
  EXPECT_EQ(Ids(list.members()), "a1");
}

TEST_F(ClusterServiceTest, ChangesThatMakeNoSense) {
  const auto add = [this](const std::string& request) {
    MemberAddResponse response;
    return cluster_->MemberAdd(Call().get(), Parse<MemberAddRequest>(request), &response);
  };
  EXPECT_TRUE(Failed(add(""), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'c:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://0.0.0.0:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://[::]:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://" + std::string(kPeerUrlBytesMax, 'c') + ":1'"),
                     kErrMemberBadURLs));
  const auto many = [](int count) {
    std::string urls;
    for (int i = 0; i < count; ++i) absl::StrAppend(&urls, "peerURLs: 'http://m", i, ":1' ");
    return urls;
  };
  EXPECT_TRUE(Failed(add(many(1025)), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add(many(kPeerUrlsMax + 1)), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://c:2380/path'"), kErrMemberBadURLs));
  EXPECT_TRUE(
      Failed(add("peerURLs: 'http://c:2380' peerURLs: 'http://c:2380/'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://b:2380'"), kErrPeerURLExist));

  MemberUpdateResponse update;
  const auto urls = Parse<MemberUpdateRequest>("ID: 0xa1 peerURLs: 'http://b:2380'");
  EXPECT_TRUE(Failed(cluster_->MemberUpdate(Call().get(), urls, &update), kErrPeerURLExist));
  EXPECT_TRUE(
      Failed(cluster_->MemberUpdate(Call().get(), Parse<MemberUpdateRequest>("ID: 0xa1"), &update),
             kErrMemberBadURLs));
  EXPECT_TRUE(
      Failed(cluster_->MemberUpdate(
                 Call().get(), Parse<MemberUpdateRequest>("ID: 9 peerURLs: 'http://z:1'"), &update),
             kErrMemberNotFound));
  MemberRemoveResponse remove;
  EXPECT_TRUE(
      Failed(cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 9"), &remove),
             kErrMemberNotFound));
  MemberPromoteResponse promote;
  EXPECT_TRUE(
      Failed(cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 9"), &promote),
             kErrMemberNotFound));
  EXPECT_TRUE(Failed(
      cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa2"), &promote),
      kErrMemberNotLearner));
  EXPECT_EQ(replica_->Status().membership, SelfAndPeer());
}

TEST_F(ClusterServiceTest, ChangesThatTheLeaderRefuses) {
  const auto promote_after = [this](raft::ChangeOutcome outcome) {
    replica_->FailNextChange(outcome);
    MemberPromoteResponse response;
    return cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa2"),
                                   &response);
  };
  const auto remove_after = [this](raft::ChangeOutcome outcome) {
    replica_->FailNextChange(outcome);
    MemberRemoveResponse response;
    return cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 0xa2"), &response);
  };
  EXPECT_TRUE(Failed(promote_after(ChangeRefusal::kLearnerBehind), kErrLearnerNotReady));
  EXPECT_TRUE(Failed(promote_after(ChangeRefusal::kQuorumAtRisk), kErrMemberNotEnoughStarted));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kQuorumAtRisk), kErrUnhealthy));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kNoVoterLeft), kErrMemberNotEnoughStarted));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kAlreadyMember), kErrMemberExist));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kNoLeader), kErrNoLeader));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kBusy), kErrUnhealthy));
  EXPECT_TRUE(Failed(remove_after(raft::ChangeUnknown()), kErrTimeout));
  replica_->SetLeader(kNoNode);
  EXPECT_TRUE(Failed(remove_after(raft::ChangeUnknown()), kErrTimeoutDueToLeaderFail));
  EXPECT_EQ(replica_->Status().membership, SelfAndPeer());
}

}  // namespace
}  // namespace pontoon::kv
