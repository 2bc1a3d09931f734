// Some programs, every time. bazel run //tests/differential runs as many as it is told.

#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/campaign.h"
#include "tests/differential/duel.h"
#include "tests/differential/generator.h"

namespace pontoon::differential {
namespace {

using ::testing::HasSubstr;

// What Pontoon offers.
const CallGroups kOffered = {CallGroup::kKv,    CallGroup::kTxn,   CallGroup::kCompact,
                             CallGroup::kLease, CallGroup::kWatch, CallGroup::kStatus};

TEST(DifferentialTest, PontoonAnswersAsEtcd) {
  CampaignOptions options;
  options.programs = 200;
  options.jobs = 3;  // watchers mostly wait
  options.generator.groups = kOffered;
  const CampaignResult result = RunCampaign(options);
  EXPECT_EQ(result.failures, 0u) << Summary(result);
  EXPECT_EQ(result.programs, 200u);
  EXPECT_EQ(result.calls.size(), 16u) << Summary(result);
  for (const auto& [kind, count] : result.calls) EXPECT_GT(count.calls, count.errors) << kind;
}

TEST(DifferentialTest, EtcdAnswersAsEtcd) {
  CampaignOptions options;
  options.contestant.program = testing::Program::kEtcd;
  options.programs = 60;
  options.jobs = 3;
  const CampaignResult result = RunCampaign(options);
  EXPECT_EQ(result.failures, 0u) << Summary(result);
  EXPECT_EQ(result.programs, 60u);
  EXPECT_TRUE(result.known.empty()) << Summary(result);
  EXPECT_EQ(result.calls.size(), 16u) << Summary(result);
}

// Shows that the others can fail.
TEST(DifferentialTest, FindsAServerThatTakesFewerOperations) {
  CampaignOptions options;
  options.contestant = {.program = testing::Program::kEtcd, .flags = {{"max-txn-ops", "2"}}};
  options.programs = 20;
  options.generator.groups = {CallGroup::kTxn};
  ::testing::internal::CaptureStdout();
  const CampaignResult result = RunCampaign(options);
  const std::string story = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(result.failures, 1u);
  EXPECT_THAT(Summary(result), HasSubstr("FAILED"));
  EXPECT_THAT(story, HasSubstr("DIFFERS: seed "));
  const size_t least = story.find("The least that differs:\n0: Txn {");
  ASSERT_NE(least, std::string::npos) << story;
  EXPECT_THAT(story.substr(least), HasSubstr("\ncall 0, Txn\n")) << "one call is enough";
  EXPECT_THAT(story.substr(least), HasSubstr("too many operations"));
}

}  // namespace
}  // namespace pontoon::differential
