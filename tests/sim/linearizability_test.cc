#include "tests/sim/linearizability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/sim/dice.h"
#include "tests/sim/key_model.h"

namespace pontoon::sim {
namespace {

constexpr int64_t kNever = RegisterCall::kNever;

RegisterCall Put(uint64_t value, int64_t begin, int64_t end) {
  return {.kind = OperationKind::kPut,
          .value = Value(value),
          .expected = Value(),
          .changed = std::nullopt,
          .begin = begin,
          .end = end};
}

RegisterCall Read(uint64_t value, int64_t begin, int64_t end) {
  RegisterCall call = Put(value, begin, end);
  call.kind = OperationKind::kRead;
  return call;
}

RegisterCall Delete(bool existed, int64_t begin, int64_t end) {
  RegisterCall call = Put(0, begin, end);
  call.kind = OperationKind::kDelete;
  call.changed = existed;
  return call;
}

RegisterCall CompareAndSet(uint64_t expected, uint64_t value, bool changed, int64_t begin,
                           int64_t end) {
  RegisterCall call = Put(value, begin, end);
  call.kind = OperationKind::kCompareAndSet;
  call.expected = Value(expected);
  call.changed = changed;
  return call;
}

bool IsLinearizable(const std::vector<RegisterCall>& calls) {
  const Verdict verdict = CheckRegister(calls);
  EXPECT_NE(verdict, Verdict::kGaveUp);
  return verdict == Verdict::kLinearizable;
}

TEST(LinearizabilityTest, OneAfterTheOther) {
  EXPECT_TRUE(IsLinearizable({}));
  EXPECT_TRUE(IsLinearizable({Read(0, 0, 1), Put(1, 2, 3), Read(1, 4, 5), Delete(true, 6, 7),
                              Read(0, 8, 9), Delete(false, 10, 11)}));
}

TEST(LinearizabilityTest, BeginsWhereItIsTold) {
  EXPECT_EQ(CheckRegister({Read(7, 0, 1)}, {.initial = Value(7)}), Verdict::kLinearizable);
  EXPECT_EQ(CheckRegister({Read(0, 0, 1)}, {.initial = Value(7)}), Verdict::kNotLinearizable);
}

TEST(LinearizabilityTest, FindsAStaleRead) {
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), Put(2, 2, 3), Read(1, 4, 5)}));
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), Read(0, 2, 3)}));
}

TEST(LinearizabilityTest, FindsAReadFromTheFuture) {
  EXPECT_FALSE(IsLinearizable({Read(1, 0, 1), Put(1, 2, 3)}));
}

TEST(LinearizabilityTest, FindsAValueThatNobodyWrote) {
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), Read(7, 2, 3)}));
}

TEST(LinearizabilityTest, OverlappingCallsMayTakeEffectInEitherOrder) {
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 10), Put(2, 0, 10), Read(1, 11, 12)}));
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 10), Put(2, 0, 10), Read(2, 11, 12)}));
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 10), Read(0, 1, 2), Read(1, 3, 4)}));
}

TEST(LinearizabilityTest, FindsReadsThatGoBack) {
  // Each of the two reads would be right alone.
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), Put(2, 2, 20), Read(2, 3, 4), Read(1, 5, 6)}));
}

TEST(LinearizabilityTest, FindsTwoReadersThatSeeWritesInTwoOrders) {
  EXPECT_FALSE(
      IsLinearizable({Put(1, 0, 30), Put(2, 0, 30), Read(1, 1, 2), Read(2, 3, 4), Read(1, 5, 6)}));
}

TEST(LinearizabilityTest, TimesThatAreEqualOverlap) {
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 5), Read(0, 5, 6)}));
}

TEST(LinearizabilityTest, AnUnansweredWriteMayTakeEffectLateOrNever) {
  EXPECT_TRUE(IsLinearizable({Put(1, 0, kNever), Read(0, 10, 11)}));
  EXPECT_TRUE(IsLinearizable({Put(1, 0, kNever), Read(0, 10, 11), Read(1, 12, 13)}));
  EXPECT_FALSE(IsLinearizable({Put(1, 0, kNever), Read(1, 10, 11), Read(0, 12, 13)}));
  EXPECT_FALSE(IsLinearizable({Read(1, 0, 1), Put(1, 2, kNever)}));
}

TEST(LinearizabilityTest, CompareAndSetTellsWhatItSaw) {
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 1), CompareAndSet(1, 2, true, 2, 3), Read(2, 4, 5)}));
  EXPECT_TRUE(IsLinearizable({Put(1, 0, 1), CompareAndSet(9, 2, false, 2, 3), Read(1, 4, 5)}));
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), CompareAndSet(1, 2, false, 2, 3)}));
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), CompareAndSet(0, 2, true, 2, 3)}));
}

TEST(LinearizabilityTest, OnlyOneOfTwoCanSetFromTheSameValue) {
  EXPECT_FALSE(IsLinearizable(
      {Put(1, 0, 1), CompareAndSet(1, 2, true, 2, 9), CompareAndSet(1, 3, true, 2, 9)}));
}

TEST(LinearizabilityTest, ALostWriteIsFound) {
  EXPECT_FALSE(IsLinearizable({Put(1, 0, 1), Put(2, 2, 3), CompareAndSet(1, 4, true, 4, 5)}));
}

TEST(LinearizabilityTest, GivesUpInsteadOfGuessing) {
  std::vector<RegisterCall> calls;
  for (uint64_t i = 1; i <= 20; ++i) calls.push_back(Put(i, 0, 100));
  calls.push_back(Read(99, 101, 102));
  EXPECT_EQ(CheckRegister(calls, {.steps_max = 1000}), Verdict::kGaveUp);
}

// Calls that took effect at a moment within their times; and the same with one read falsified.
TEST(LinearizabilityTest, RandomHistories) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Dice dice(seed);
    KeyModel model;
    std::vector<RegisterCall> calls;
    std::vector<size_t> reads;
    for (uint64_t i = 1; i <= 60; ++i) {
      const int64_t moment = static_cast<int64_t>(i) * 10;
      Operation operation;
      operation.kind = static_cast<OperationKind>(dice.Below(4));
      operation.value = Value(i);
      operation.expected = dice.OneIn(2) ? model.At(KeyId(0)).value : Value(dice.Below(i));
      const Effect effect = model.Apply(operation);
      RegisterCall call{.kind = operation.kind,
                        .value = operation.value,
                        .expected = operation.expected,
                        .changed = effect.changed,
                        .begin = moment - static_cast<int64_t>(dice.Below(30)),
                        .end = moment + static_cast<int64_t>(dice.Below(30))};
      if (call.kind == OperationKind::kPut) call.changed.reset();
      if (call.kind == OperationKind::kRead) {
        call.changed.reset();
        call.value = model.At(KeyId(0)).value;
        reads.push_back(calls.size());
      } else if (dice.OneIn(10)) {
        call.changed.reset();
        call.end = kNever;
      }
      calls.push_back(call);
    }
    EXPECT_TRUE(IsLinearizable(calls)) << seed;
    if (reads.empty()) continue;
    calls[reads[dice.Below(reads.size())]].value = Value(1000);
    EXPECT_FALSE(IsLinearizable(calls)) << seed;
  }
}

}  // namespace
}  // namespace pontoon::sim
