#include "kv/client/retry_policy.h"

namespace pontoon {

bool RetryPolicy::MayRetry(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
    case Outcome::kRefused:
      return false;
    case Outcome::kNotApplied:
      return true;
    case Outcome::kUnknown:
      lost_an_answer_ = true;
      return repeat_ == Repeat::kHarmless;
  }
  return false;
}

bool RetryPolicy::LeavesUnknown(Outcome outcome, bool definite) const {
  if (outcome == Outcome::kUnknown) return true;
  return lost_an_answer_ && !definite;
}

}  // namespace pontoon
