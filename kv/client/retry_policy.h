// RetryPolicy: whether a call whose sending failed is sent again.

#ifndef PONTOON_KV_CLIENT_RETRY_POLICY_H_
#define PONTOON_KV_CLIENT_RETRY_POLICY_H_

#include "kv/client/outcome.h"

namespace pontoon {

// What another sending of the same call may do.
enum class Repeat {
  kHarmless,  // reads; and writes of which the servers know that they had them before
  kHarmful,   // it may be done twice, and undo what another client did in between
};

// Thread safety: none needed by its one user.
class RetryPolicy {
 public:
  explicit RetryPolicy(Repeat repeat) : repeat_(repeat) {}

  // Notes the outcome of a sending that failed, and says whether there may be another one.
  bool MayRetry(Outcome outcome);

  // What the caller knows of the whole call when it ends with an error of this outcome. A refusal
  // says nothing of an earlier sending whose answer was lost: that one may still be under way.
  // `definite`: what was decided of this one was decided of all.
  bool LeavesUnknown(Outcome outcome, bool definite) const;

 private:
  const Repeat repeat_;
  bool lost_an_answer_ = false;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_RETRY_POLICY_H_
