// Outcome: what the end of a call says about it, above all whether a write may have happened.

#ifndef PONTOON_KV_CLIENT_OUTCOME_H_
#define PONTOON_KV_CLIENT_OUTCOME_H_

#include <grpcpp/support/status.h>

#include <ostream>

#include "absl/status/status.h"

namespace pontoon {

enum class Outcome {
  kDone,
  // Certainly not done, and asking again would get the same answer.
  kRefused,
  // Certainly not done, for a reason that may pass or that another member may not have.
  kNotApplied,
  // The answer is lost: if it was a write, it may have been done, or may be yet.
  kUnknown,
};

std::ostream& operator<<(std::ostream& out, Outcome outcome);

// Of one sending of a call. Codes do not tell: `no leader` and a broken connection are both
// UNAVAILABLE. So the texts of kv/errors.h count, and what is not known to be harmless is kUnknown.
// A call that gRPC could not send, since it had no connection, was not applied.
Outcome OutcomeOf(const grpc::Status& status);

// The same code and text.
absl::Status ToAbsl(const grpc::Status& status);

// Notes in an error, beside its code and text, that the write may have happened all the same.
absl::Status WithOutcomeUnknown(absl::Status error);

// Whether an error of a write leaves open if the write was done. Whoever wants to know reads what
// it would have written; to send it again is safe only with exactly-once (once_writer.h). Every
// other error of a write says that it was not done and will not be; only kErrOnceAnswerTooLarge
// says that it was.
bool IsOutcomeUnknown(const absl::Status& error);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_OUTCOME_H_
