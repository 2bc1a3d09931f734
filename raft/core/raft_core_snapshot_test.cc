// What a follower does with snapshots that come from where, or when, none should come.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"

namespace pontoon::raft {
namespace {

constexpr Term kTerm{5};
constexpr NodeId kSelf{1}, kLeader{2}, kOther{3};

LogPosition At(uint64_t index) { return {LogIndex(index), Term(3)}; }

// Follows kLeader. Its disk keeps everything when it is told to.
class RaftCoreSnapshotTest : public ::testing::Test {
 protected:
  RaftCoreSnapshotTest() : core_(Options(), Restored(), now_) { Take(); }

  static CoreOptions Options() {
    CoreOptions options;
    options.self = kSelf;
    return options;
  }
  static RestoredState Restored() {
    RestoredState restored;
    restored.memberships = MembershipHistory(
        {.index = {}, .request = {}, .membership = {.voters = {kSelf, kLeader, kOther}}});
    return restored;
  }

  void Hear(MessageBody body) {
    core_.OnMessage(now_, {kLeader, kSelf, kTerm, std::move(body)});
    Take();
  }
  void HearPiece() {
    Hear(SnapshotChunk{.transfer = TransferId(7),
                       .position = At(9),
                       .offset = 0,
                       .bytes = std::make_shared<const std::string>("piece"),
                       .last = false});
  }
  // Where the snapshot was installed, if it was.
  std::optional<LogPosition> Receive(NodeId leader, Term term, LogPosition position) {
    installed_.reset();
    core_.OnSnapshotReceived(now_, leader, term, position, std::nullopt);
    Take();
    return installed_;
  }
  void Take() {
    while (core_.HasReady()) {
      Ready ready = core_.TakeReady();
      pieces_ += ready.chunks.size();
      if (ready.install) installed_ = ready.install;
      if (ready.persist) issued_ = ready.persist->seq;
    }
  }
  void Persist() {
    core_.OnPersisted(now_, issued_);
    Take();
  }
  void FollowLeader() {
    Hear(Heartbeat{});
    Persist();
  }

  Instant now_ = Instant::FromNanos(1'000'000'000);
  RaftCore core_;
  PersistSeq issued_;
  size_t pieces_ = 0;
  std::optional<LogPosition> installed_;
};

TEST_F(RaftCoreSnapshotTest, OfTheLeaderIsInstalled) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), At(9));
  EXPECT_EQ(core_.commit(), LogIndex(9));
}

TEST_F(RaftCoreSnapshotTest, OfAnEarlierTermIsNot) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, Term(4), At(9)), std::nullopt);
}

TEST_F(RaftCoreSnapshotTest, OfAnotherNodeThanTheLeaderIsNot) {
  FollowLeader();
  EXPECT_EQ(Receive(kOther, kTerm, At(9)), std::nullopt);
}

TEST_F(RaftCoreSnapshotTest, OfAnEarlierStateIsNot) {
  FollowLeader();
  ASSERT_EQ(Receive(kLeader, kTerm, At(9)), At(9));
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), std::nullopt);
  EXPECT_EQ(Receive(kLeader, kTerm, At(8)), std::nullopt);
  EXPECT_EQ(core_.log_base(), At(9));
}

// A node that came back with the state and without the term could not be told from one that lost
// its votes.
TEST_F(RaftCoreSnapshotTest, NoPieceCountsBeforeItsTermIsDurable) {
  HearPiece();
  EXPECT_EQ(pieces_, 0u);
  Persist();
  HearPiece();
  EXPECT_EQ(pieces_, 1u);
}

}  // namespace
}  // namespace pontoon::raft
