#include "kv/maintenance/digest_comparison.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId a{1}, b{2}, c{3}, d{4};

DigestReport Of(std::map<uint64_t, uint64_t> digests) {
  DigestReport report;
  for (const auto& [index, digest] : digests) {
    report.emplace(LogIndex(index), StateDigest(digest));
  }
  return report;
}

TEST(CompareDigestsTest, TheMinorityIsCorrupt) {
  const auto found =
      CompareDigests({{a, Of({{5, 50}})}, {b, Of({{5, 66}})}, {c, Of({{5, 50}})}}, {a, b, c});
  EXPECT_THAT(found.corrupt, ElementsAre(b));
  EXPECT_FALSE(found.is_undecided);
}

TEST(CompareDigestsTest, OnlyTheSameEntryIsCompared) {
  const auto apart =
      CompareDigests({{a, Of({{5, 50}})}, {b, Of({{6, 60}})}, {c, Of({{7, 70}})}}, {a, b, c});
  EXPECT_THAT(apart.corrupt, IsEmpty());
  EXPECT_FALSE(apart.is_undecided);
  const auto shared = CompareDigests(
      {{a, Of({{4, 40}, {5, 50}})}, {b, Of({{4, 40}, {6, 60}})}, {c, Of({{4, 44}, {7, 70}})}},
      {a, b, c});
  EXPECT_THAT(shared.corrupt, ElementsAre(c));
}

TEST(CompareDigestsTest, WithoutAMajorityNobodyIsSaidToBeWrong) {
  const auto two = CompareDigests({{a, Of({{5, 50}})}, {b, Of({{5, 66}})}}, {a, b, c});
  EXPECT_THAT(two.corrupt, IsEmpty());
  EXPECT_TRUE(two.is_undecided);
  const auto halves = CompareDigests(
      {{a, Of({{5, 1}})}, {b, Of({{5, 1}})}, {c, Of({{5, 2}})}, {d, Of({{5, 2}})}}, {a, b, c, d});
  EXPECT_THAT(halves.corrupt, IsEmpty());
  EXPECT_TRUE(halves.is_undecided);
}

TEST(CompareDigestsTest, LearnersAreJudgedAndDoNotJudge) {
  const auto learner = CompareDigests(
      {{a, Of({{5, 1}})}, {b, Of({{5, 1}})}, {c, Of({{5, 2}})}, {d, Of({{5, 2}})}}, {a, b});
  EXPECT_THAT(learner.corrupt, ElementsAre(c, d));
}

TEST(ReportOfTest, HasThePresentAndSomeOfThePast) {
  StoreHarness h;
  EXPECT_EQ(ReportOf(h.store()), Of({{0, 0}}));
  for (uint64_t i = 0; i < 10 * KvStore::kDigestStep + 5; ++i) h.Put("k", "v");
  const DigestReport report = ReportOf(h.store());
  ASSERT_EQ(report.size(), 9u);
  EXPECT_EQ(report.begin()->first, LogIndex(3 * KvStore::kDigestStep));
  EXPECT_EQ(report.rbegin()->first, LogIndex(10 * KvStore::kDigestStep + 5));
  EXPECT_EQ(report.rbegin()->second, h.store().View()->digest());
}

}  // namespace
}  // namespace pontoon::kv
