#include "raft/core/term_trail.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "raft/base/prng.h"

namespace pontoon::raft {
namespace {

// A log whose entry at position base.index + 1 + i is of term terms[i].
TermTrail Trail(const std::vector<uint64_t>& terms, LogPosition base = {}) {
  TermTrail trail(base, {}, base.index);
  for (const uint64_t term : terms) trail.Append(trail.last_index().Next(), Term(term));
  return trail;
}

LogPosition At(uint64_t index, uint64_t term) { return {LogIndex(index), Term(term)}; }

std::string Words(LogPosition position) {
  return std::to_string(position.index.value()) + "@" + std::to_string(position.term.value());
}

TEST(TermTrail, KnowsTheTermOfEachPosition) {
  const TermTrail trail = Trail({4, 4, 7, 9, 9, 9}, At(10, 3));
  EXPECT_EQ(trail.TermAt(LogIndex(9)), std::nullopt);
  EXPECT_EQ(trail.TermAt(LogIndex(10)), Term(3));
  EXPECT_EQ(trail.TermAt(LogIndex(11)), Term(4));
  EXPECT_EQ(trail.TermAt(LogIndex(12)), Term(4));
  EXPECT_EQ(trail.TermAt(LogIndex(13)), Term(7));
  EXPECT_EQ(trail.TermAt(LogIndex(14)), Term(9));
  EXPECT_EQ(trail.TermAt(LogIndex(16)), Term(9));
  EXPECT_EQ(trail.TermAt(LogIndex(17)), std::nullopt);
  EXPECT_EQ(trail.last(), At(16, 9));
  EXPECT_TRUE(trail.Contains(At(10, 3)));
  EXPECT_TRUE(trail.Contains(At(13, 7)));
  EXPECT_FALSE(trail.Contains(At(13, 6)));
  EXPECT_FALSE(trail.Contains(At(17, 9)));
  EXPECT_FALSE(trail.Contains(At(9, 3)));
}

TEST(TermTrail, AnEmptyLogHasItsBase) {
  const TermTrail empty = Trail({});
  EXPECT_EQ(empty.last(), At(0, 0));
  EXPECT_TRUE(empty.Contains(At(0, 0)));
  EXPECT_FALSE(empty.Contains(At(0, 5)));
  const TermTrail compacted = Trail({}, At(8, 2));
  EXPECT_EQ(compacted.last(), At(8, 2));
  EXPECT_EQ(compacted.last_index(), LogIndex(8));
}

TEST(TermTrail, RestoresFromRuns) {
  const TermTrail trail(At(2, 1), {{LogIndex(3), Term(1)}, {LogIndex(5), Term(4)}}, LogIndex(6));
  EXPECT_EQ(trail.TermAt(LogIndex(4)), Term(1));
  EXPECT_EQ(trail.TermAt(LogIndex(5)), Term(4));
  EXPECT_EQ(trail.last(), At(6, 4));
}

TEST(TermTrail, TruncatesWithinAndBetweenRuns) {
  const struct {
    uint64_t from;
    LogPosition last;
  } kCases[] = {{8, At(6, 9)}, {7, At(6, 9)}, {6, At(5, 9)}, {5, At(4, 9)},
                {4, At(3, 7)}, {3, At(2, 4)}, {2, At(1, 4)}, {1, At(0, 0)}};
  for (const auto& c : kCases) {
    TermTrail trail = Trail({4, 4, 7, 9, 9, 9});
    trail.TruncateFrom(LogIndex(c.from));
    EXPECT_EQ(trail.last(), c.last) << c.from;
    trail.Append(c.last.index.Next(), Term(12));
    EXPECT_EQ(trail.last(), At(c.last.index.value() + 1, 12));
    EXPECT_EQ(trail.TermAt(c.last.index), c.last.term);
  }
}

TEST(TermTrail, DropsItsBeginning) {
  const std::vector<uint64_t> terms = {1, 1, 2, 4, 4, 4, 7};
  for (uint64_t upto = 0; upto <= terms.size(); ++upto) {
    TermTrail trail = Trail(terms);
    trail.DropUpTo(LogIndex(upto));
    EXPECT_EQ(trail.base(), At(upto, upto == 0 ? 0 : terms[upto - 1]));
    EXPECT_EQ(trail.last(), At(7, 7));
    for (uint64_t index = 1; index <= terms.size(); ++index) {
      const std::optional<Term> term = trail.TermAt(LogIndex(index));
      EXPECT_EQ(term.has_value(), index >= upto) << index << " after " << upto;
      if (term) {
        EXPECT_EQ(*term, Term(terms[index - 1])) << index << " after " << upto;
      }
    }
    trail.Append(LogIndex(8), Term(7));
    EXPECT_EQ(trail.last(), At(8, 7));
    trail.TruncateFrom(LogIndex(upto + 1));
    EXPECT_EQ(trail.last(), trail.base());
  }
}

TEST(TermTrail, FindsTheLastPossibleMatch) {
  const struct {
    std::vector<uint64_t> terms;
    LogPosition base;
    LogPosition limit;
    LogPosition match;
  } kCases[] = {
      // The log is too short: its end could match.
      {{1, 1, 2}, At(0, 0), At(9, 5), At(3, 2)},
      // Its end is of a later term than the leader's position: back to the run before.
      {{1, 1, 2, 3, 3}, At(0, 0), At(9, 2), At(3, 2)},
      {{1, 1, 3, 3, 3}, At(0, 0), At(9, 2), At(2, 1)},
      {{3, 3, 3}, At(0, 0), At(9, 2), At(0, 0)},
      // The conflict lies within the log.
      {{1, 1, 4, 4, 4, 4, 5}, At(0, 0), At(5, 4), At(5, 4)},
      {{1, 1, 4, 4, 4, 4, 5}, At(0, 0), At(5, 3), At(2, 1)},
      {{1, 1, 2, 4, 4, 4, 5}, At(0, 0), At(5, 3), At(3, 2)},
      {{1, 2, 3, 4, 5, 6}, At(0, 0), At(6, 3), At(3, 3)},
      // Thesis figure 3.6, the followers (a) to (f) asked for 10@6.
      {{1, 1, 1, 4, 4, 5, 5, 6, 6}, At(0, 0), At(10, 6), At(9, 6)},
      {{1, 1, 1, 4}, At(0, 0), At(10, 6), At(4, 4)},
      {{1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}, At(0, 0), At(10, 6), At(10, 6)},
      {{1, 1, 1, 4, 4, 4, 4}, At(0, 0), At(10, 6), At(7, 4)},
      {{1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}, At(0, 0), At(10, 6), At(10, 3)},
      // Nothing but the base is left.
      {{}, At(0, 0), At(9, 9), At(0, 0)},
      {{}, At(7, 3), At(9, 9), At(7, 3)},
      {{5, 5}, At(7, 3), At(9, 4), At(7, 3)},
      {{5, 5}, At(7, 3), At(4, 2), At(4, 2)},  // before the base
      {{3, 5}, At(7, 3), At(9, 4), At(8, 3)},
      {{2, 2}, At(0, 0), At(0, 0), At(0, 0)},
  };
  for (const auto& c : kCases) {
    const TermTrail trail = Trail(c.terms, c.base);
    EXPECT_EQ(trail.LastPossibleMatch(c.limit), c.match)
        << ::testing::PrintToString(c.terms) << " limit " << Words(c.limit) << " gave "
        << Words(trail.LastPossibleMatch(c.limit));
  }
}

// Two logs of the same cluster: equal up to some point, then of different terms.
TEST(TermTrail, BackingOffNeverSkipsAnAgreement) {
  Prng prng(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint64_t> leader, follower;
    uint64_t term = 1;
    const uint64_t common = prng.Below(6);
    for (uint64_t i = 0; i < common; ++i) leader.push_back(term += prng.Below(2));
    follower = leader;
    // The terms of a diverging end belong to other leaders: odd ones here, even ones there.
    uint64_t odd = term | 1, even = (term + 2) & ~1ull;
    for (uint64_t i = prng.Below(8); i > 0; --i) follower.push_back(odd += 2 * prng.Below(2));
    for (uint64_t i = prng.Below(8); i > 0; --i) leader.push_back(even += 2 * prng.Below(2));
    const TermTrail leader_log = Trail(leader), follower_log = Trail(follower);

    LogIndex agreed;
    while (leader_log.TermAt(agreed.Next()) &&
           leader_log.TermAt(agreed.Next()) == follower_log.TermAt(agreed.Next())) {
      ++agreed;
    }
    LogIndex prev = leader_log.last_index();
    int asked = 0;
    while (!follower_log.Contains({prev, *leader_log.TermAt(prev)})) {
      const LogPosition hint = follower_log.LastPossibleMatch({prev, *leader_log.TermAt(prev)});
      const LogIndex next = std::min(prev, leader_log.LastPossibleMatch(hint).index.Next());
      ASSERT_LT(next.Prev(), prev) << "each question goes further back";
      prev = next.Prev();
      ASSERT_GE(prev, agreed);
      ++asked;
    }
    ASSERT_LE(prev, agreed);
    ASSERT_LE(asked, 9) << "one question for each term, not for each entry";
  }
}

TEST(TermTrailDeathTest, RefusesWhatNoLogLooksLike) {
  TermTrail trail = Trail({2, 2});
  EXPECT_DEATH(trail.Append(LogIndex(4), Term(2)), "check failed");
  EXPECT_DEATH(trail.Append(LogIndex(3), Term(1)), "check failed");
  TermTrail compacted = Trail({5}, At(7, 3));
  EXPECT_DEATH(compacted.TruncateFrom(LogIndex(7)), "check failed");
  EXPECT_DEATH(TermTrail(At(0, 0), {}, LogIndex(3)), "runs must cover");
  EXPECT_DEATH(TermTrail(At(0, 0), {{LogIndex(1), Term(3)}, {LogIndex(2), Term(2)}}, LogIndex(3)),
               "terms fall");
}

}  // namespace
}  // namespace pontoon::raft
