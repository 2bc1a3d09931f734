// The members of a cluster are changed while it works.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <future>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "tests/integration/api_errors.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/files.h"
#include "tests/integration/ports.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

using ::testing::Pair;

constexpr char kNotReady[] =
    "etcdserver: can only promote a learner member which is in sync with leader";

bool LogHas(const Cluster& cluster, int node, const std::string& words) {
  return absl::StrContains(ReadFile(cluster.log_file(node)), words);
}

uint64_t IdOf(Cluster& cluster, int node) {
  return cluster.client(node).Status().response.header().member_id();
}

// "node1 http://127.0.0.1:4711", for each; a learner says so.
std::vector<std::string> MembersSeenBy(Cluster& cluster, int node) {
  std::vector<std::string> members;
  const auto list = cluster.client(node).MemberList();
  for (const auto& member : list.response.members()) {
    members.push_back(absl::StrCat(member.name(), " ", absl::StrJoin(member.peerurls(), ","),
                                   member.islearner() ? " learner" : ""));
  }
  return members;
}

void ExpectNoLeader(Cluster& cluster, int node) {
  const auto status = cluster.client(node).Status();
  ASSERT_OK(status);
  EXPECT_EQ(status.response.leader(), 0u);
}

std::string MemberLine(const Cluster& cluster, int node) {
  return absl::StrCat("node", node + 1, " ", cluster.peer_url(node));
}

// Every one of `nodes` must come to list all of them as voters, and nobody else.
void ExpectMembers(Cluster& cluster, const std::vector<int>& nodes) {
  std::vector<std::string> want;
  for (const int node : nodes) want.push_back(MemberLine(cluster, node));
  std::sort(want.begin(), want.end());
  for (const int node : nodes) {
    std::vector<std::string> got;
    Eventually([&] {
      got = MembersSeenBy(cluster, node);
      std::sort(got.begin(), got.end());
      return got == want;
    });
    EXPECT_EQ(got, want) << "as seen by node" << node + 1;
  }
}

class MembershipTest : public ::testing::Test {
 protected:
  // Promotes a member as soon as the leader agrees; `asked` is the node that is asked.
  static void Promote(Cluster& cluster, uint64_t id, int asked) {
    Answer<etcdserverpb::MemberPromoteResponse> answer;
    Eventually([&] {
      answer = cluster.client(asked).MemberPromote(id);
      return answer.ok() || answer.status.error_message() != kNotReady;
    });
    ASSERT_OK(answer);
  }

  // Adds a node through `asked`, with a vote, and starts it.
  static void Join(Cluster& cluster, int node, int asked) {
    ASSERT_OK(cluster.client(asked).MemberAdd(cluster.peer_url(node)));
    ASSERT_OK(cluster.client(asked).Put("while it", "is not started"));
    ASSERT_OK(cluster.Start(node));
    ASSERT_OK(cluster.WaitForCatchUp(node));
  }
};

TEST_F(MembershipTest, TheLeaderIsReplacedWhileClientsWrite) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  UniqueWriters writers(&cluster, {});
  writers.Begin();
  ASSERT_TRUE(writers.WaitForAcknowledged(3000, Cluster::kPatience));

  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int other = (leader + 1) % cluster.size();
  const int fourth = cluster.AddNode();
  const auto added = cluster.client(other).MemberAddAsLearner(cluster.peer_url(fourth));
  ASSERT_OK(added);
  EXPECT_EQ(added.response.members_size(), 4);
  ASSERT_OK(cluster.Start(fourth));
  Promote(cluster, added.response.member().id(), other);

  ASSERT_OK_AND_ASSIGN(const int old_leader, cluster.WaitForLeader());
  const std::vector<int> rest = cluster.AllNodesBut(old_leader);
  ASSERT_OK(cluster.client(rest[0]).MemberRemove(IdOf(cluster, old_leader)));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster.AwaitEnd(old_leader));
  EXPECT_EQ(exit, ExitStatus{.code = 0});
  EXPECT_TRUE(LogHas(cluster, old_leader, "this member was removed from the cluster"));
  const size_t by_then = writers.acknowledged_count();
  ASSERT_TRUE(writers.WaitForAcknowledged(by_then + 3000, Cluster::kPatience));
  writers.End();

  const absl::Duration gap = writers.longest_gap();
  std::cout << "longest time without a write: " << gap << "\n"
            << "most failures of one writer in a row: " << writers.longest_failure_run() << "\n";
  EXPECT_LT(gap, 2 * cluster.options().election_timeout);
  EXPECT_LE(writers.longest_failure_run(), 1);
  ExpectMembers(cluster, rest);
  for (const int node : rest) {
    ASSERT_OK(cluster.WaitForCatchUp(node));
    ASSERT_OK_AND_ASSIGN(const StoreState state,
                         ReadState(cluster.client(node), "unique/", ReadMode::kSerializable));
    EXPECT_EQ(writers.FaultIn(state), "") << "node" << node + 1;
  }

  ASSERT_OK(cluster.Start(old_leader));
  ASSERT_OK_AND_ASSIGN(const ExitStatus again, cluster.AwaitEnd(old_leader));
  EXPECT_EQ(again, ExitStatus{.code = 1});
  EXPECT_TRUE(LogHas(cluster, old_leader, "which was removed from its cluster: to have it there"));
}

TEST_F(MembershipTest, OneNodeBecomesThree) {
  Cluster cluster({.node_count = 1});
  ASSERT_OK(cluster.StartAll());
  Join(cluster, cluster.AddNode(), 0);
  ExpectMembers(cluster, {0, 1});
  Join(cluster, cluster.AddNode(), 1);
  ExpectMembers(cluster, {0, 1, 2});

  // They need the first one no more, and find each other again after a restart.
  ASSERT_OK(cluster.client(2).Put("of", "three"));
  cluster.KillAll();
  ASSERT_OK(cluster.Start(1));
  ASSERT_OK(cluster.Start(2));
  ASSERT_OK(cluster.WaitForLeader());
  EXPECT_EQ(cluster.client(1).Get("of").response.count(), 1);
  EXPECT_OK(cluster.client(2).Put("of", "two"));
}

// The limit is a part of each change, and changes are made one at a time: so it holds whoever is
// asked, and for those who are asked together.
TEST_F(MembershipTest, LearnersThatAreAddedTogetherAreNotTooMany) {
  Cluster cluster({.extra_flags = {{"max-learners", "2"}}});
  ASSERT_OK(cluster.StartAll());
  const std::vector<PortReservation> ports(6);
  std::vector<std::future<std::string>> asked;
  for (size_t i = 0; i < ports.size(); ++i) {
    asked.push_back(std::async(std::launch::async, [&, i] {
      Client& client = cluster.client(static_cast<int>(i) % cluster.size());
      return CodeAndText(client.MemberAddAsLearner(ports[i].url()).status);
    }));
  }
  std::map<std::string, int> answers;
  for (std::future<std::string>& answer : asked) ++answers[answer.get()];
  EXPECT_THAT(answers,
              ::testing::UnorderedElementsAre(Pair(CodeAndText(grpc::Status::OK), 2),
                                              Pair(CodeAndText(kv::kErrTooManyLearners), 4)));
  const std::vector<std::string> members = MembersSeenBy(cluster, 0);
  EXPECT_EQ(
      absl::c_count_if(members, [](const std::string& m) { return absl::EndsWith(m, " learner"); }),
      2);
}

TEST_F(MembershipTest, AMemberMoves) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int mover = (leader + 1) % cluster.size();
  const PortReservation port;
  ASSERT_OK(cluster.client(leader).MemberUpdate(IdOf(cluster, mover), port.url()));
  ASSERT_OK(cluster.Stop(mover));
  Flags flags = cluster.FlagsOf(mover);
  flags["listen-peer-urls"] = port.url();
  ASSERT_OK(cluster.StartWith(mover, flags));
  ASSERT_OK(cluster.WaitForCatchUp(mover));
  for (const int node : cluster.AllNodes()) {
    EXPECT_THAT(MembersSeenBy(cluster, node),
                ::testing::Contains(absl::StrCat("node", mover + 1, " ", port.url())));
  }
}

// A cluster whose members listen at a second address each, which nobody knows yet. Whoever is to
// move needs it: the others turn to the new address as soon as they hear of it.
class MovingTest : public MembershipTest {
 protected:
  void StartAll() {
    for (const int node : cluster_.AllNodes()) {
      Flags flags = cluster_.FlagsOf(node);
      flags["listen-peer-urls"] += "," + second_[node].url();
      ASSERT_OK(cluster_.StartWith(node, flags));
    }
  }
  void AnnounceMove(int node, int asked) {
    ASSERT_OK(cluster_.client(asked).MemberUpdate(IdOf(cluster_, node), second_[node].url()));
  }
  // Starts a node that listens at its second address alone.
  void StartMoved(int node) {
    Flags flags = cluster_.FlagsOf(node);
    flags["listen-peer-urls"] = second_[node].url();
    ASSERT_OK(cluster_.StartWith(node, flags));
  }

  Cluster cluster_;
  std::vector<PortReservation> second_{static_cast<size_t>(cluster_.size())};
};

TEST_F(MovingTest, TheLeaderMovesAndGoesOnLeading) {
  StartAll();
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  const auto before = cluster_.client(leader).Status();
  ASSERT_OK(before);
  AnnounceMove(leader, leader);
  for (const int node : cluster_.AllNodes()) EXPECT_OK(cluster_.client(node).Put("k", "v"));
  const auto after = cluster_.client(leader).Status();
  ASSERT_OK(after);
  EXPECT_EQ(after.response.leader(), before.response.leader());
  EXPECT_EQ(after.response.raftterm(), before.response.raftterm());

  // Nobody needs the old address.
  ASSERT_OK(cluster_.Stop(leader));
  StartMoved(leader);
  ASSERT_OK(cluster_.WaitForCatchUp(leader));
  cluster_.KillAll();
  for (const int node : cluster_.AllNodesBut(leader)) ASSERT_OK(cluster_.Start(node));
  StartMoved(leader);
  ASSERT_OK(cluster_.WaitForLeader());
  ASSERT_OK(cluster_.WaitForCatchUp(leader));
}

// The log of the one that was away is too short to lead, and its vote has to find the other.
TEST_F(MovingTest, WhoWasAwayVotesForTheOneThatMovedMeanwhile) {
  StartAll();
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  const int mover = (leader + 1) % cluster_.size();
  const int sleeper = (leader + 2) % cluster_.size();
  ASSERT_OK(cluster_.Stop(sleeper));
  AnnounceMove(mover, leader);
  ASSERT_OK(cluster_.Stop(mover));
  StartMoved(mover);
  ASSERT_OK(cluster_.WaitForCatchUp(mover));
  cluster_.Kill(leader);
  ASSERT_OK(cluster_.Start(sleeper));
  ASSERT_OK_AND_ASSIGN(const int new_leader, cluster_.WaitForLeader());
  EXPECT_EQ(new_leader, mover);
  for (const int node : {mover, sleeper}) EXPECT_OK(cluster_.client(node).Put("k", "v"));
}

// It forgot its votes.
TEST_F(MembershipTest, AFounderThatWasWipedIsRefusedUntilItIsAddedAnew) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int wiped = (leader + 1) % cluster.size();
  const uint64_t id = IdOf(cluster, wiped);
  ASSERT_OK(cluster.Stop(wiped));
  std::filesystem::remove_all(cluster.data_folder(wiped));
  ASSERT_OK(cluster.Start(wiped));
  const std::string words = absl::StrCat("member ", absl::Hex(id), " was wiped");
  ASSERT_OK(cluster.WaitForLog(wiped, words));
  ASSERT_OK(cluster.WaitForLog(leader, words));
  Client impatient(cluster.address(wiped), {.timeout = absl::Milliseconds(300)});
  EXPECT_FALSE(impatient.Get("x").ok());
  ExpectNoLeader(cluster, wiped);
  EXPECT_OK(cluster.client(leader).Put("the others", "go on"));
  ASSERT_OK(cluster.Stop(wiped));

  // Nor does it get its old id back by asking for it.
  std::filesystem::remove_all(cluster.data_folder(wiped));
  Flags flags = cluster.FlagsOf(wiped);
  flags["initial-cluster-state"] = "existing";
  ASSERT_OK(cluster.StartWith(wiped, flags));
  ASSERT_OK_AND_ASSIGN(const ExitStatus refused, cluster.AwaitEnd(wiped));
  EXPECT_EQ(refused, ExitStatus{.code = 1});

  ASSERT_OK(cluster.client(leader).MemberRemove(id));
  ASSERT_OK(cluster.client(leader).MemberAdd(cluster.peer_url(wiped)));
  ASSERT_OK(cluster.StartWith(wiped, flags));
  ASSERT_OK(cluster.WaitForCatchUp(wiped));
  ExpectMembers(cluster, cluster.AllNodes());
  EXPECT_NE(IdOf(cluster, wiped), id);
}

TEST_F(MembershipTest, StrangersAreRefused) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  // One that nobody added.
  const int stranger = cluster.AddNode();
  ASSERT_OK(cluster.Start(stranger));
  ASSERT_OK_AND_ASSIGN(const ExitStatus unknown, cluster.AwaitEnd(stranger));
  EXPECT_EQ(unknown, ExitStatus{.code = 1});
  EXPECT_TRUE(LogHas(cluster, stranger,
                     absl::StrCat("no member has the peer address ", cluster.peer_url(stranger))));
  EXPECT_TRUE(LogHas(cluster, stranger, "add it first with: pontoonctl member add"));

  // One that takes this cluster for another one.
  Flags flags = cluster.FlagsOf(stranger);
  flags["initial-cluster-token"] = "another";
  ASSERT_OK(cluster.client(0).MemberAdd(cluster.peer_url(stranger)));
  ASSERT_OK(cluster.StartWith(stranger, flags));
  ASSERT_OK_AND_ASSIGN(const ExitStatus mistaken, cluster.AwaitEnd(stranger));
  EXPECT_EQ(mistaken, ExitStatus{.code = 1});
  EXPECT_TRUE(LogHas(cluster, stranger, "it has the token integration-test, not another"));

  // One of another cluster, where a member of this one is expected.
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int place = leader == 0 ? 1 : 0;
  ASSERT_OK(cluster.Stop(place));
  const std::filesystem::path away = cluster.data_folder(place).string() + ".away";
  std::filesystem::rename(cluster.data_folder(place), away);
  flags = cluster.FlagsOf(place);
  flags["initial-cluster-token"] = "another";
  ASSERT_OK(cluster.StartWith(place, flags));
  ASSERT_OK(cluster.WaitForLog(place, "this is cluster "));
  ExpectNoLeader(cluster, place);
  EXPECT_OK(cluster.client(leader).Put("the others", "go on"));
  ASSERT_OK(cluster.Stop(place));
  std::filesystem::remove_all(cluster.data_folder(place));
  std::filesystem::rename(away, cluster.data_folder(place));
  ASSERT_OK(cluster.Start(place));
  ASSERT_OK(cluster.WaitForCatchUp(place));
}

// The leader that would still tell it for an election timeout is another process by then. So it
// asks.
TEST_F(MembershipTest, AMemberThatWasRemovedWhileItWasAwayStopsAndDisturbsNobody) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int removed = (leader + 1) % cluster.size();
  const uint64_t id = IdOf(cluster, removed);
  ASSERT_OK(cluster.Stop(removed));
  ASSERT_OK(cluster.client(leader).MemberRemove(id));
  ASSERT_OK(cluster.Stop(leader));
  ASSERT_OK(cluster.Start(leader));
  ASSERT_OK(cluster.WaitForLeader());
  const auto before = cluster.client(leader).Status();
  ASSERT_OK(before);
  ASSERT_OK(cluster.Start(removed));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster.AwaitEnd(removed));
  EXPECT_EQ(exit, ExitStatus{.code = 0});
  EXPECT_TRUE(LogHas(cluster, removed, "it was removed from the cluster, or is not added yet"));
  EXPECT_TRUE(LogHas(cluster, removed, "a quorum says that this member was removed"));
  EXPECT_OK(cluster.client(leader).Put("the others", "go on"));
  const auto after = cluster.client(leader).Status();
  ASSERT_OK(after);
  EXPECT_EQ(after.response.leader(), before.response.leader());
  EXPECT_EQ(after.response.raftterm(), before.response.raftterm());
}

// The new leader is a stranger to a member that was away when it came.
TEST_F(MembershipTest, AMemberThatWasAwayFindsTheLeaderThatCameMeanwhile) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int sleeper = (leader + 1) % cluster.size();
  const int witness = (leader + 2) % cluster.size();
  ASSERT_OK(cluster.Stop(sleeper));
  const int fourth = cluster.AddNode();
  Join(cluster, fourth, witness);
  ASSERT_TRUE(Eventually([&] {
    return absl::c_linear_search(MembersSeenBy(cluster, witness), MemberLine(cluster, fourth));
  })) << "it never votes";
  // Of the two that are left the new one leads sooner or later.
  ASSERT_OK(cluster.client(witness).MemberRemove(IdOf(cluster, leader)));
  ASSERT_OK(cluster.AwaitEnd(leader));
  bool leads = false;
  for (int attempt = 0; attempt < 5; ++attempt) {
    ASSERT_OK_AND_ASSIGN(const int new_leader, cluster.WaitForLeader());
    leads = new_leader == fourth;
    if (leads) break;
    ASSERT_OK(cluster.Stop(witness));
    ASSERT_OK(cluster.Start(witness));
  }
  ASSERT_TRUE(leads) << "the new one never does";
  ASSERT_OK(cluster.Start(sleeper));
  EXPECT_OK(cluster.WaitForCatchUp(sleeper));
  ExpectMembers(cluster, {sleeper, witness, fourth});
}

}  // namespace
}  // namespace pontoon::testing
