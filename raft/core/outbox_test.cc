#include "raft/core/outbox.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

// A message that is told apart by its term.
Message Numbered(uint64_t number) { return {NodeId(1), NodeId(2), Term(number), StaleTerm{}}; }

std::vector<uint64_t> Take(Outbox* outbox) {
  std::vector<uint64_t> numbers;
  for (const Message& message : outbox->Take()) numbers.push_back(message.term.value());
  return numbers;
}

using Numbers = std::vector<uint64_t>;

TEST(Outbox, SendsInOrder) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.Send(Numbered(1));
  outbox.Send(Numbered(2));
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(Take(&outbox), (Numbers{1, 2}));
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, WithholdsUntilTheBatchIsDurable) {
  Outbox outbox;
  outbox.SendAfter(PersistSeq(2), Numbered(1));
  outbox.SendAfter(PersistSeq(3), Numbered(2));
  outbox.SendAfter(PersistSeq(2), Numbered(3));
  outbox.Send(Numbered(4));
  EXPECT_EQ(Take(&outbox), (Numbers{4}));
  outbox.Release(PersistSeq(1));
  EXPECT_EQ(Take(&outbox), (Numbers{}));
  outbox.Release(PersistSeq(2));
  EXPECT_EQ(Take(&outbox), (Numbers{1, 3})) << "in order among those of one batch";
  outbox.Release(PersistSeq(2));
  EXPECT_EQ(Take(&outbox), (Numbers{}));
  outbox.Release(PersistSeq(7));
  EXPECT_EQ(Take(&outbox), (Numbers{2}));
}

TEST(Outbox, AnEarlierBatchOvertakes) {
  Outbox outbox;
  outbox.SendAfter(PersistSeq(3), Numbered(1));
  outbox.SendAfter(PersistSeq(2), Numbered(2));
  outbox.Release(PersistSeq(2));
  outbox.Release(PersistSeq(3));
  EXPECT_EQ(Take(&outbox), (Numbers{2, 1}));
}

TEST(Outbox, DropsWhatIsWithheldAndNothingElse) {
  Outbox outbox;
  outbox.SendAfter(PersistSeq(1), Numbered(1));
  outbox.SendAfter(PersistSeq(2), Numbered(2));
  outbox.Release(PersistSeq(1));
  outbox.DropWithheld();
  outbox.Release(PersistSeq(2));
  EXPECT_EQ(Take(&outbox), (Numbers{1}));
}

}  // namespace
}  // namespace pontoon::raft
