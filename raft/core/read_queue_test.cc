#include "raft/core/read_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace pontoon::raft {
namespace {

// "origin:id at index" for each read.
std::vector<std::string> Words(const std::vector<ReadQueue::Read>& reads) {
  std::vector<std::string> words;
  for (const ReadQueue::Read& read : reads) {
    words.push_back(std::to_string(read.origin.value()) + ":" + std::to_string(read.id.value()) +
                    " at " + std::to_string(read.index.value()));
  }
  return words;
}

using Strings = std::vector<std::string>;

class ReadQueueTest : public ::testing::Test {
 protected:
  void Add(uint64_t origin, uint64_t id) { queue_.Add(NodeId(origin), ReadId(id)); }
  void Round(uint64_t round, uint64_t commit) {
    queue_.OnRoundStarted(RoundId(round), LogIndex(commit));
  }
  Strings Confirmed(uint64_t round) { return Words(queue_.TakeConfirmed(RoundId(round))); }

  ReadQueue queue_;
};

TEST_F(ReadQueueTest, AReadIsConfirmedByItsRoundOrALaterOne) {
  EXPECT_TRUE(queue_.empty());
  Add(1, 7);
  EXPECT_TRUE(queue_.NeedsRound());
  EXPECT_FALSE(queue_.RoundUnderWay());
  Round(4, 100);
  EXPECT_FALSE(queue_.NeedsRound());
  EXPECT_TRUE(queue_.RoundUnderWay());
  EXPECT_EQ(Confirmed(3), Strings{});
  EXPECT_EQ(Confirmed(4), Strings{"1:7 at 100"});
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(Confirmed(4), Strings{}) << "once";
}

TEST_F(ReadQueueTest, ALaterRoundConfirmsTheEarlierReadsToo) {
  Add(1, 7);
  Round(4, 100);
  Add(2, 8);
  Round(5, 103);
  EXPECT_EQ(Confirmed(9), (Strings{"1:7 at 100", "2:8 at 103"}));
}

// B83: each read has its own index and its own round.
TEST_F(ReadQueueTest, ALateAnswerToAnOldRoundConfirmsNothingNewer) {
  Add(1, 7);
  Round(4, 100);
  Add(1, 8);
  Round(5, 103);
  EXPECT_EQ(Confirmed(4), Strings{"1:7 at 100"});
  EXPECT_EQ(Confirmed(4), Strings{});
  EXPECT_EQ(Confirmed(5), Strings{"1:8 at 103"});
}

TEST_F(ReadQueueTest, ReadsThatWaitForARoundAreNotConfirmedByOneUnderWay) {
  Add(1, 7);
  Round(4, 100);
  Add(1, 8);
  EXPECT_EQ(Confirmed(4), Strings{"1:7 at 100"});
  EXPECT_FALSE(queue_.empty());
  EXPECT_TRUE(queue_.NeedsRound());
  EXPECT_FALSE(queue_.RoundUnderWay());
}

TEST_F(ReadQueueTest, ARoundWithoutReadsLeavesNothing) {
  Round(4, 100);
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.RoundUnderWay());
}

TEST_F(ReadQueueTest, GivesUpEverythingInOrder) {
  Add(1, 7);
  Round(4, 100);
  Add(2, 8);
  Add(3, 9);
  EXPECT_EQ(Words(queue_.TakeAll()), (Strings{"1:7 at 100", "2:8 at 0", "3:9 at 0"}));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ReadQueueTest, RoundsRise) {
  Add(1, 7);
  Round(4, 100);
  Add(1, 8);
  EXPECT_DEATH(Round(4, 100), "check failed");
}

}  // namespace
}  // namespace pontoon::raft
