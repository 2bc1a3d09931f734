#include "kv/client/retry_policy.h"

#include <gtest/gtest.h>

namespace pontoon {
namespace {

TEST(RetryPolicy, SendsAgainWhatWasNotApplied) {
  EXPECT_TRUE(RetryPolicy(Repeat::kHarmful).MayRetry(Outcome::kNotApplied));
  EXPECT_TRUE(RetryPolicy(Repeat::kHarmless).MayRetry(Outcome::kNotApplied));
}

TEST(RetryPolicy, SendsAgainWhatIsUnknownOnlyIfThatIsHarmless) {
  EXPECT_FALSE(RetryPolicy(Repeat::kHarmful).MayRetry(Outcome::kUnknown));
  EXPECT_TRUE(RetryPolicy(Repeat::kHarmless).MayRetry(Outcome::kUnknown));
}

TEST(RetryPolicy, DoesNotArgue) {
  EXPECT_FALSE(RetryPolicy(Repeat::kHarmless).MayRetry(Outcome::kRefused));
  EXPECT_FALSE(RetryPolicy(Repeat::kHarmless).MayRetry(Outcome::kDone));
}

TEST(RetryPolicy, KnowsThatARefusalDoesNotSpeakForALostAnswer) {
  RetryPolicy policy(Repeat::kHarmless);
  EXPECT_FALSE(policy.LeavesUnknown(Outcome::kRefused, /*definite=*/false));
  EXPECT_FALSE(policy.LeavesUnknown(Outcome::kNotApplied, /*definite=*/false));
  policy.MayRetry(Outcome::kNotApplied);
  EXPECT_FALSE(policy.LeavesUnknown(Outcome::kRefused, /*definite=*/false));
  policy.MayRetry(Outcome::kUnknown);
  EXPECT_TRUE(policy.LeavesUnknown(Outcome::kRefused, /*definite=*/false));
  EXPECT_TRUE(policy.LeavesUnknown(Outcome::kNotApplied, /*definite=*/false));
  EXPECT_FALSE(policy.LeavesUnknown(Outcome::kRefused, /*definite=*/true));
}

}  // namespace
}  // namespace pontoon
