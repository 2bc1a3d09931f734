#include "cmd/pontoon/peer_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/pontoon/peer_book.h"
#include "cmd/pontoon/status_only.h"
#include "raft/env/file_system.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr NodeId kSelf{2};

// Of the data of members 1 and 3.
constexpr uint64_t kIncarnation = 7;

class PeerFinderTest : public testing::Test {
 protected:
  PeerFinderTest()
      : peers_(EmptyBook()),
        finder_({.replica = &replica_,
                 .peers = peers_.get(),
                 .clock = &clock_,
                 .executor = &executor_,
                 .addresses = [this] { return addresses_; },
                 .ask =
                     [this](const std::string& address) {
                       asked_.push_back(address);
                       return Answer(address);
                     },
                 .on_found =
                     [this](const PeerUrls& found, LogIndex index) {
                       found_.push_back(found);
                       found_at_ = index;
                     },
                 .on_removed = [this] { ++removed_; }}) {
    EXPECT_TRUE(peers_->Admit(NodeId{1}, kIncarnation).ok());
    EXPECT_TRUE(peers_->Admit(NodeId{3}, kIncarnation).ok());
    finder_.Start();
    executor_.RunDue();
  }

  static std::unique_ptr<PeerBook> EmptyBook() {
    const std::string path = testing::TempDir() + "/peers of " +
                             testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(path);  // of an earlier run
    return *PeerBook::Open(FileSystem::Posix(), path);
  }

  absl::StatusOr<raft::IntroductionAnswer> Answer(const std::string& address) const {
    const NodeId teller = teller_.value_or(NodeId(address == "a:1" ? 1 : 3));
    return raft::IntroductionAnswer{{1, teller, 0, incarnation_}, answer_};
  }

  void PassLooks(int looks) { executor_.RunFor(looks * PeerFinder::kLookInterval); }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  StatusOnly replica_;
  raft::PeerAddresses addresses_ = {{NodeId{1}, "a:1"}, {NodeId{3}, "c:1"}};
  std::unique_ptr<PeerBook> peers_;
  absl::StatusOr<raft::Introduction> answer_ = absl::UnavailableError("no quorum");
  std::optional<NodeId> teller_;  // nothing: who was asked
  uint64_t incarnation_ = kIncarnation;
  std::vector<std::string> asked_;
  std::vector<PeerUrls> found_;
  LogIndex found_at_;
  int removed_ = 0;
  PeerFinder finder_;
};

TEST_F(PeerFinderTest, AsksNobodyWhileThereIsALeaderOrAnElection) {
  PassLooks(PeerFinder::kQuietLooks - 2);
  replica_.status.leader = NodeId{1};
  PassLooks(10);
  replica_.status.leader = kNoNode;
  PassLooks(PeerFinder::kQuietLooks - 1);
  EXPECT_THAT(asked_, IsEmpty());
  PassLooks(1);
  EXPECT_THAT(asked_, ElementsAre("a:1"));
}

TEST_F(PeerFinderTest, AsksTheOthersInTurnUntilOneKnows) {
  PassLooks(PeerFinder::kQuietLooks + 1);
  EXPECT_THAT(asked_, ElementsAre("a:1", "c:1", "a:1"));
  EXPECT_THAT(found_, IsEmpty());
  answer_ = raft::Introduction{.cluster_id = 1,
                               .self = kSelf,
                               .token = "",
                               .members = {{NodeId{4}, "d", {"http://d:1"}, std::nullopt},
                                           {kSelf, "b", {"http://b:1"}, std::nullopt}},
                               .membership_index = LogIndex(17)};
  PassLooks(1);
  ASSERT_EQ(found_.size(), 1u);
  EXPECT_EQ(found_at_, LogIndex(17));
  EXPECT_THAT(found_[0], ElementsAre(Pair(kSelf, ElementsAre("http://b:1")),
                                     Pair(NodeId{4}, ElementsAre("http://d:1"))));
  replica_.status.leader = NodeId{4};
  PassLooks(5);
  EXPECT_EQ(found_.size(), 1u);
}

TEST_F(PeerFinderTest, LearnsOnceThatItWasRemoved) {
  answer_ = absl::NotFoundError("gone");
  PassLooks(PeerFinder::kQuietLooks + 10);
  EXPECT_EQ(removed_, 1);
  EXPECT_EQ(asked_.size(), 1u);
}

// Those who were wiped together form a quorum that knows of nobody else.
TEST_F(PeerFinderTest, DoesNotBelieveWhoWasWiped) {
  answer_ = absl::NotFoundError("gone");
  incarnation_ = kIncarnation + 1;
  PassLooks(PeerFinder::kQuietLooks + 10);
  EXPECT_EQ(removed_, 0);
  answer_ = raft::Introduction{.cluster_id = 1,
                               .self = kSelf,
                               .token = "",
                               .members = {{kSelf, "b", {"http://b:1"}, std::nullopt}},
                               .membership_index = LogIndex(17)};
  PassLooks(2);
  EXPECT_THAT(found_, IsEmpty());
  EXPECT_GT(asked_.size(), 10u);
}

TEST_F(PeerFinderTest, DoesNotBelieveItsRemovalFromWhomItNeverMet) {
  peers_->Retain({NodeId{3}});
  answer_ = absl::NotFoundError("gone");
  PassLooks(PeerFinder::kQuietLooks - 1);
  EXPECT_THAT(asked_, ElementsAre("a:1"));
  EXPECT_EQ(removed_, 0);
  PassLooks(1);
  EXPECT_THAT(asked_, ElementsAre("a:1", "c:1"));
  EXPECT_EQ(removed_, 1);
}

TEST_F(PeerFinderTest, DoesNotBelieveWhoIsNotTheOneThatWasAsked) {
  teller_ = NodeId{9};
  answer_ = absl::NotFoundError("gone");
  PassLooks(PeerFinder::kQuietLooks + 10);
  EXPECT_EQ(removed_, 0);
}

// What an answer of another cluster, or to another incarnation, is.
TEST_F(PeerFinderTest, ARefusalIsNoRemoval) {
  answer_ = absl::FailedPreconditionError("this is cluster 7");
  PassLooks(PeerFinder::kQuietLooks + 10);
  EXPECT_EQ(removed_, 0);
  EXPECT_GT(asked_.size(), 5u);
}

TEST_F(PeerFinderTest, WhoIsAloneAsksNobody) {
  addresses_.clear();
  PassLooks(PeerFinder::kQuietLooks + 10);
  EXPECT_THAT(asked_, IsEmpty());
}

}  // namespace
}  // namespace pontoon
