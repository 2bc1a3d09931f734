#include "raft/core/inflights.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

Instant At(int64_t ns) { return Instant::FromNanos(ns); }

TEST(Inflights, IsFullByNumber) {
  Inflights inflights(2, 1000);
  EXPECT_TRUE(inflights.empty());
  inflights.Add(LogIndex(1), 10, At(1));
  EXPECT_FALSE(inflights.full());
  inflights.Add(LogIndex(2), 10, At(2));
  EXPECT_TRUE(inflights.full());
  inflights.Acknowledge(LogIndex(1));
  EXPECT_FALSE(inflights.full());
}

TEST(Inflights, IsFullByBytes) {
  Inflights inflights(100, 1000);
  inflights.Add(LogIndex(1), 999, At(1));
  EXPECT_FALSE(inflights.full());
  inflights.Add(LogIndex(2), 1, At(2));
  EXPECT_TRUE(inflights.full());
}

TEST(Inflights, OneMessageIsAlwaysAllowed) {
  Inflights inflights(1, 1);
  EXPECT_FALSE(inflights.full());
  inflights.Add(LogIndex(1), 1 << 20, At(1));
  EXPECT_TRUE(inflights.full());
  EXPECT_EQ(inflights.bytes(), 1u << 20);
}

TEST(Inflights, AnAcknowledgementCoversWhatWasSentBefore) {
  Inflights inflights(100, 1000);
  for (uint64_t i = 1; i <= 5; ++i) inflights.Add(LogIndex(10 * i), 7, At(i));
  inflights.Acknowledge(LogIndex(9));
  EXPECT_EQ(inflights.bytes(), 35u);
  EXPECT_EQ(inflights.oldest(), At(1));
  inflights.Acknowledge(LogIndex(30));
  EXPECT_EQ(inflights.bytes(), 14u);
  EXPECT_EQ(inflights.oldest(), At(4));
  inflights.Acknowledge(LogIndex(20));
  EXPECT_EQ(inflights.bytes(), 14u) << "an older one takes nothing";
  inflights.Acknowledge(LogIndex(49));
  EXPECT_EQ(inflights.bytes(), 7u) << "a part of a message is none";
  inflights.Acknowledge(LogIndex(99));
  EXPECT_TRUE(inflights.empty());
  EXPECT_EQ(inflights.bytes(), 0u);
}

TEST(Inflights, Clears) {
  Inflights inflights(1, 10);
  inflights.Add(LogIndex(1), 100, At(1));
  inflights.Clear();
  EXPECT_TRUE(inflights.empty());
  EXPECT_FALSE(inflights.full());
  EXPECT_EQ(inflights.bytes(), 0u);
}

}  // namespace
}  // namespace pontoon::raft
