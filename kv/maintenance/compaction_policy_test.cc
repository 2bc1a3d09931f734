// What is kept, and for how long, in a time that the test makes.

#include "kv/maintenance/compaction_policy.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using Mode = Retention::Mode;

TEST(ParseRetentionTest, TimesAreEtcds) {
  const auto period = [](const char* text) {
    const auto retention = ParseRetention(Mode::kPeriodic, text);
    return retention.ok() ? retention->period : absl::InfiniteDuration();
  };
  EXPECT_EQ(period("0"), absl::ZeroDuration());
  EXPECT_EQ(period("8"), absl::Hours(8));
  EXPECT_EQ(period("5m"), absl::Minutes(5));
  EXPECT_EQ(period("1h30m"), absl::Minutes(90));
  for (const char* bad : {"", "-1", "-5m", "5 minutes", "100ms", "inf", "9999999999999"}) {
    EXPECT_FALSE(ParseRetention(Mode::kPeriodic, bad).ok()) << bad;
  }
}

TEST(ParseRetentionTest, RevisionsAreANumber) {
  EXPECT_EQ(ParseRetention(Mode::kRevision, "1000")->revisions, 1000);
  EXPECT_TRUE(ParseRetention(Mode::kRevision, "0")->KeepsAll());
  EXPECT_FALSE(ParseRetention(Mode::kRevision, "5m").ok());
  EXPECT_FALSE(ParseRetention(Mode::kRevision, "-1").ok());
}

TEST(MakeCompactionPolicyTest, NothingIsDoneUnlessItIsWanted) {
  EXPECT_EQ(MakeCompactionPolicy({}), nullptr);
  EXPECT_EQ(MakeCompactionPolicy({.mode = Mode::kRevision, .period = absl::Hours(1)}), nullptr);
  EXPECT_NE(MakeCompactionPolicy({.period = absl::Hours(1)}), nullptr);
}

// A store that gets a revision a second, and that is compacted whenever the policy says so.
class PeriodicPolicyTest : public testing::Test {
 protected:
  // Goes on for `time`; the revision that was compacted to last.
  Revision After(CompactionPolicy* policy, absl::Duration time) {
    const Instant end = clock_.Now() + time;
    while (clock_.Now() < end) {
      clock_.Advance(policy->look_interval());
      present_ = Revision(1 + absl::ToInt64Seconds(clock_.Now() - begin_));
      const auto target = policy->Look(clock_.Now(), present_, compacted_);
      if (!target.has_value()) continue;
      EXPECT_GT(*target, compacted_);
      compacted_ = *target;
      ++compactions_;
    }
    return compacted_;
  }

  ManualClock clock_;
  const Instant begin_ = clock_.Now();
  Revision present_ = kFirstRevision;
  Revision compacted_ = kNeverCompacted;
  int compactions_ = 0;
};

TEST_F(PeriodicPolicyTest, KeepsWhatIsYoungerThanThePeriod) {
  PeriodicPolicy policy(absl::Minutes(10));
  EXPECT_EQ(policy.look_interval(), absl::Minutes(1));
  EXPECT_EQ(After(&policy, absl::Minutes(10)), kNeverCompacted) << "a period must pass first";
  EXPECT_EQ(After(&policy, absl::Minutes(1)), Revision(61)) << "the present of ten minutes ago";
  EXPECT_EQ(After(&policy, absl::Minutes(9)), Revision(61)) << "once in a period";
  EXPECT_EQ(After(&policy, absl::Minutes(1)), Revision(661));
  EXPECT_EQ(compactions_, 2);
}

TEST_F(PeriodicPolicyTest, CompactsHourlyForLongerPeriods) {
  PeriodicPolicy policy(absl::Hours(24));
  EXPECT_EQ(policy.look_interval(), absl::Minutes(6));
  EXPECT_EQ(After(&policy, absl::Hours(24)), kNeverCompacted);
  After(&policy, absl::Hours(10));
  EXPECT_EQ(compactions_, 10);
  EXPECT_LE(present_.value() - compacted_.value(), 25 * 3600);
  EXPECT_GE(present_.value() - compacted_.value(), 24 * 3600);
}

TEST_F(PeriodicPolicyTest, ASilentStoreIsLeftAlone) {
  PeriodicPolicy policy(absl::Minutes(10));
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(absl::Minutes(1));
    const auto target = policy.Look(clock_.Now(), Revision(7), compacted_);
    if (target.has_value()) compacted_ = *target;
    compactions_ += target.has_value();
  }
  EXPECT_EQ(compacted_, Revision(7));
  EXPECT_EQ(compactions_, 1);
}

TEST_F(PeriodicPolicyTest, LooksThatComeLateKeepMoreAndNeverLess) {
  PeriodicPolicy policy(absl::Minutes(10));
  EXPECT_EQ(policy.Look(clock_.Now(), Revision(5), compacted_), std::nullopt);
  clock_.Advance(absl::Minutes(9));
  EXPECT_EQ(policy.Look(clock_.Now(), Revision(50), compacted_), std::nullopt);
  clock_.Advance(absl::Minutes(9));
  EXPECT_EQ(policy.Look(clock_.Now(), Revision(500), compacted_), Revision(5));
}

TEST(RevisionPolicyTest, KeepsTheLastRevisions) {
  RevisionPolicy policy(100);
  const Instant now = Instant::FromNanos(1);
  EXPECT_EQ(policy.look_interval(), absl::Minutes(5));
  EXPECT_EQ(policy.Look(now, Revision(100), kNeverCompacted), std::nullopt);
  EXPECT_EQ(policy.Look(now, Revision(150), kNeverCompacted), Revision(50));
  EXPECT_EQ(policy.Look(now, Revision(150), Revision(50)), std::nullopt);
}

}  // namespace
}  // namespace pontoon::kv
