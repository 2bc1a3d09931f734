#include "raft/storage/term_runs.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

TermRuns Sample() {  // base 4 of term 2, then entries 5..9 of terms 2 3 3 5 5
  TermRuns runs({LogIndex(4), Term(2)});
  for (uint64_t term : {2, 3, 3, 5, 5}) runs.Append(Term(term));
  return runs;
}

TEST(TermRuns, KnowsTheTermOfEveryEntryAndOfTheBase) {
  const TermRuns runs = Sample();
  const uint64_t terms[] = {2, 2, 3, 3, 5, 5};
  for (uint64_t i = 4; i <= 9; ++i) EXPECT_EQ(runs.TermAt(LogIndex(i)), Term(terms[i - 4])) << i;
  EXPECT_EQ(runs.last(), LogIndex(9));
  EXPECT_EQ(runs.runs(),
            (std::vector<TermRun>{
                {LogIndex(5), Term(2)}, {LogIndex(6), Term(3)}, {LogIndex(8), Term(5)}}));
}

TEST(TermRuns, TruncationAtEveryPlace) {
  for (uint64_t from = 5; from <= 10; ++from) {
    TermRuns runs = Sample();
    runs.TruncateFrom(LogIndex(from));
    EXPECT_EQ(runs.last(), LogIndex(from - 1));
    EXPECT_EQ(runs.TermAt(runs.last()), Sample().TermAt(runs.last()));
    runs.Append(Term(9));
    EXPECT_EQ(runs.TermAt(LogIndex(from)), Term(9));
  }
}

TEST(TermRuns, PrefixesOfEveryLengthCanBeDropped) {
  for (uint64_t upto = 4; upto <= 9; ++upto) {
    TermRuns runs = Sample();
    runs.DropPrefix(LogIndex(upto));
    EXPECT_EQ(runs.base(), (LogPosition{LogIndex(upto), Sample().TermAt(LogIndex(upto))}));
    EXPECT_EQ(runs.last(), LogIndex(9));
    TermRuns same(runs.base());
    for (uint64_t i = upto + 1; i <= 9; ++i) same.Append(Sample().TermAt(LogIndex(i)));
    EXPECT_EQ(runs.runs(), same.runs()) << "after " << upto;
  }
}

TEST(TermRunsDeathTest, OnlyWhatIsThereCanBeDropped) {
  EXPECT_DEATH(Sample().DropPrefix(LogIndex(3)), "check failed");
  EXPECT_DEATH(Sample().DropPrefix(LogIndex(10)), "check failed");
}

TEST(TermRuns, TermsNeverFall) {
  EXPECT_TRUE(Sample().MayAppend(Term(5)));
  EXPECT_FALSE(Sample().MayAppend(Term(4)));
  EXPECT_FALSE(TermRuns({LogIndex(4), Term(2)}).MayAppend(Term(1)));
}

}  // namespace
}  // namespace pontoon::raft
