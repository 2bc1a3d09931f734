// Clusters of three whole nodes, on threads.

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "raft/base/check.h"
#include "raft/node/raft_node.h"
#include "raft/node/testing/cluster_fixture.h"

namespace pontoon::raft {
namespace {

using ::testing::IsSupersetOf;
using ::testing::SizeIs;

// Counts outcomes that come from several threads, and waits for them.
class Outcomes {
 public:
  ProposeCallback Expect(const std::string& command) {
    std::lock_guard lock(mutex_);
    ++expected_;
    return [this, command](ProposeOutcome outcome) {
      std::lock_guard lock(mutex_);
      CHECK(outcomes_.emplace(command, std::move(outcome)).second) << command << " answered twice";
      changed_.notify_all();
    };
  }
  void AwaitAll() {
    std::unique_lock lock(mutex_);
    CHECK(changed_.wait_for(lock, absl::ToChronoSeconds(kPatience),
                            [this] { return outcomes_.size() == expected_; }));
  }
  size_t CountApplied() const {
    return std::count_if(outcomes_.begin(), outcomes_.end(), [](const auto& entry) {
      return std::holds_alternative<Applied>(entry.second);
    });
  }
  const std::map<std::string, ProposeOutcome>& all() const { return outcomes_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t expected_ = 0;
  std::map<std::string, ProposeOutcome> outcomes_;
};

TEST_F(ClusterTest, EveryNodeTakesProposalsAndAllApplyTheSame) {
  Outcomes outcomes;
  for (int i = 0; i < 300; ++i) {
    const NodeId id = kIds[i % 3];
    const std::string command = "c" + std::to_string(i);
    node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 300u);
  for (const NodeId id : kIds) ASSERT_TRUE(Read(id).ok());
  EXPECT_THAT(commands(NodeId(1)), SizeIs(300));
  EXPECT_EQ(commands(NodeId(2)), commands(NodeId(1)));
  EXPECT_EQ(commands(NodeId(3)), commands(NodeId(1)));
}

TEST_F(ClusterTest, ReadOnAnyNodeSeesWhatWasAppliedBefore) {
  for (int i = 0; i < 100; ++i) {
    const std::string command = "c" + std::to_string(i);
    ASSERT_TRUE(std::holds_alternative<Applied>(Propose(kIds[i % 3], command)));
    const NodeId reader = kIds[(i + 1) % 3];
    ASSERT_TRUE(Read(reader).ok());
    EXPECT_EQ(commands(reader).back(), command);
  }
}

// Each command of `outcomes` is in the journal as often as its outcome allows.
void ExpectKept(const Outcomes& outcomes, const std::vector<std::string>& journal) {
  std::map<std::string, int> times;
  for (const std::string& command : journal) ++times[command];
  for (const auto& [command, outcome] : outcomes.all()) {
    if (std::holds_alternative<Applied>(outcome)) {
      EXPECT_EQ(times[command], 1) << command;
    } else if (std::holds_alternative<NotApplied>(outcome)) {
      EXPECT_EQ(times[command], 0) << command;
    } else {
      EXPECT_LE(times[command], 1) << command;
    }
  }
}

TEST_F(ClusterTest, SurvivorsOfTheLeaderApplyEachProposalOnce) {
  for (int round = 0; round < 3; ++round) {
    const NodeId leader = AwaitLeader(NodeId(1));
    const std::vector<NodeId> survivors = Others(leader);
    Outcomes outcomes;
    const auto propose = [&](NodeId id, int i) {
      const std::string command = std::to_string(round) + "/" + std::to_string(i);
      node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
    };
    for (int i = 0; i < 200; ++i) propose(survivors[i % 2], i);
    network_.Isolate(leader);
    for (int i = 200; i < 400; ++i) propose(survivors[i % 2], i);
    outcomes.AwaitAll();
    EXPECT_EQ(outcomes.CountApplied(), 400u);
    for (const NodeId id : survivors) {
      ASSERT_TRUE(Read(id).ok());
      ExpectKept(outcomes, commands(id));
    }
    // The old leader comes back, and takes over what it missed.
    network_.Rejoin(leader);
    ASSERT_TRUE(Read(leader).ok());
    EXPECT_THAT(commands(leader), IsSupersetOf(commands(survivors[0])));
  }
}

TEST_F(ClusterTest, ProposalsOfAnIsolatedLeaderAreNotLostAndNotDoubled) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  Outcomes outcomes;
  network_.Isolate(leader);
  for (int i = 0; i < 50; ++i) {
    const std::string command = "cut off " + std::to_string(i);
    node(leader).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  // The others go on without it.
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[0], "meanwhile")));
  network_.Rejoin(leader);
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 50u);
  ASSERT_TRUE(Read(others[0]).ok());
  ExpectKept(outcomes, commands(others[0]));
}

// Without any change of leader or term, and with nobody who reports a loss.
TEST_F(ClusterTest, ForwardedProposalsThatAreLostAreForwardedAgain) {
  const NodeId follower = Others(AwaitLeader(NodeId(1)))[0];
  int lost = 0;
  network_.Lose([lost](const Message& message) mutable {
    return std::holds_alternative<ForwardProposals>(message.body) && ++lost <= 2;
  });
  Outcomes outcomes;
  for (const char* command : {"a", "b", "c"}) {
    node(follower).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 3u);
  ExpectKept(outcomes, commands(follower));
}

// The leader answers by its lease while nobody confirms that it leads.
TEST_F(ClusterTest, LeaderAnswersByItsLease) {
  absl::Status status;
  constexpr int kTriesMax = 50;  // a lease ends while a busy machine looks elsewhere
  for (int i = 0; i < kTriesMax; ++i) {
    const NodeId leader = AwaitLeader(NodeId(1));
    ASSERT_TRUE(Read(leader).ok()) << "a quorum has acknowledged a round";
    network_.Lose(
        [](const Message& message) { return std::holds_alternative<HeartbeatAck>(message.body); });
    status = Await([&](ReadCallback done) {
      node(leader).ReadBarrier(ReadMode::kLease, Clock::System()->Now() + absl::Milliseconds(100),
                               std::move(done));
    });
    network_.Lose(nullptr);
    if (status.ok()) break;
  }
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ClusterTest, IsolatedLeaderServesNoRead) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  network_.Isolate(leader);
  Event answered;
  absl::Status status;
  node(leader).ReadBarrier(ReadMode::kQuorum, Clock::System()->Now() + absl::Milliseconds(700),
                           [&](absl::Status s) {
                             status = std::move(s);
                             answered.Happen();
                           });
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[0], "meanwhile")));
  ASSERT_TRUE(answered.Await(kPatience));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClusterTest, LeadershipIsHandedOverWithoutLoss) {
  for (int round = 0; round < 5; ++round) {
    const NodeId leader = AwaitLeader(NodeId(1));
    const NodeId successor = Others(leader)[round % 2];
    Outcomes outcomes;
    for (int i = 0; i < 100; ++i) {
      const std::string command = std::to_string(round) + "/" + std::to_string(i);
      node(kIds[i % 3]).Propose(Command(command), Deadline(), outcomes.Expect(command));
    }
    ASSERT_TRUE(Transfer(leader, successor).ok());
    outcomes.AwaitAll();
    EXPECT_EQ(outcomes.CountApplied(), 100u);
    ASSERT_TRUE(Read(leader).ok());
    ExpectKept(outcomes, commands(leader));
  }
}

TEST_F(ClusterTest, FollowerCannotHandOver) {
  const NodeId leader = AwaitLeader(NodeId(1));
  EXPECT_EQ(Transfer(Others(leader)[0], kNoNode).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClusterTest, WhoWantedAnotherSuccessorIsTold) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  absl::Status first, second;
  Event first_answered, second_answered;
  // The successor lacks an entry until both have asked.
  network_.Lose([&](const Message& message) {
    return message.to == others[0] && std::holds_alternative<AppendRequest>(message.body);
  });
  Propose(leader, "late");
  node(leader).TransferLeadership(others[0], Deadline(), [&](absl::Status status) {
    first = std::move(status);
    first_answered.Happen();
  });
  node(leader).TransferLeadership(others[1], Deadline(), [&](absl::Status status) {
    second = std::move(status);
    second_answered.Happen();
  });
  network_.Lose(nullptr);
  node(leader).OnPeerUnreachable(others[0]);  // it sends again
  ASSERT_TRUE(first_answered.Await(kPatience));
  ASSERT_TRUE(second_answered.Await(kPatience));
  EXPECT_TRUE(first.ok()) << first;
  EXPECT_EQ(second.code(), absl::StatusCode::kAborted) << second;
}

TEST_F(ClusterTest, NobodyIsWaitedForWhoIsAway) {
  const NodeId leader = AwaitLeader(NodeId(1));
  network_.Isolate(leader);
  Event answered;
  absl::Status status;
  node(leader).TransferLeadership(kNoNode, Deadline(), [&](absl::Status s) {
    status = std::move(s);
    answered.Happen();
  });
  for (const NodeId other : Others(leader)) node(leader).OnPeerUnreachable(other);
  ASSERT_TRUE(answered.Await(2 * kPatience));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
}

TEST_F(ClusterTest, RestartedNodesCatchUp) {
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(NodeId(1), "before")));
  for (const NodeId id : kIds) {
    StopMember(id);
    const std::string command = "without " + std::to_string(id.value());
    ASSERT_TRUE(std::holds_alternative<Applied>(Propose(Others(id)[0], command)));
    StartMember(id);
    ASSERT_TRUE(Read(id).ok());
    EXPECT_EQ(commands(id), commands(Others(id)[0]));
  }
  EXPECT_THAT(commands(NodeId(1)), SizeIs(4));
}

TEST_F(ClusterTest, FarBehindFollowerIsFedFromTheLog) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId behind = Others(leader)[0];
  const NodeId other = Others(leader)[1];
  network_.Isolate(behind);
  // More than a leader keeps in memory for followers.
  const std::string large(256 << 10, 'x');
  Outcomes outcomes;
  for (int i = 0; i < 64; ++i) {
    const std::string command = std::to_string(i) + large;
    node(other).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  network_.Rejoin(behind);
  ASSERT_TRUE(Read(behind).ok());
  EXPECT_EQ(commands(behind).size(), commands(other).size());
}

TEST_F(ShortLogTest, FollowerBehindTheLogGetsASnapshot) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  network_.Isolate(others[0]);
  const LogIndex missed_from = node(others[0]).Status().last_index;
  WriteUntilDropped(missed_from.Next(), leader, {leader, others[1]});
  network_.Rejoin(others[0]);
  ASSERT_TRUE(Read(others[0]).ok());
  EXPECT_EQ(commands(others[0]), commands(leader));
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[1], "after")));
  ASSERT_TRUE(Read(others[0]).ok());
  EXPECT_EQ(commands(others[0]).back(), "after");
  EXPECT_GT(members_[others[0]].log.base().index, missed_from) << "its log begins with it";
}

TEST_F(ShortLogTest, ALostStateComesFromTheLeader) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId unlucky = Others(leader)[0];
  WriteUntilDropped(LogIndex(5), leader, {leader, unlucky});
  StopMember(unlucky);
  StartMember(unlucky);
  ASSERT_TRUE(Read(unlucky).ok());
  EXPECT_THAT(commands(unlucky), SizeIs(commands(leader).size()));
}

TEST_F(ClusterTest, StatusTellsOfTheFollowers) {
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(NodeId(1), "a")));
  const NodeId leader = AwaitLeader(NodeId(1));
  const ReplicaStatus status = node(leader).Status();
  EXPECT_EQ(status.self, leader);
  EXPECT_EQ(status.role, Role::kLeader);
  EXPECT_EQ(status.membership.voters, std::vector<NodeId>(kIds.begin(), kIds.end()));
  EXPECT_THAT(status.followers, SizeIs(2));
  EXPECT_GE(status.last_index, status.commit);
  EXPECT_GE(status.commit, status.applied);
}

TEST_F(ClusterTest, StopsUnderLoad) {
  Outcomes outcomes;
  std::vector<std::thread> callers;
  for (const NodeId id : kIds) {
    callers.emplace_back([this, id, &outcomes] {
      for (int i = 0; i < 2000; ++i) {
        const std::string command = std::to_string(id.value()) + "/" + std::to_string(i);
        node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
        if (i == 1000) node(id).Stop();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  outcomes.AwaitAll();
  for (const NodeId id : kIds) ExpectKept(outcomes, commands(id));
}

}  // namespace
}  // namespace pontoon::raft
