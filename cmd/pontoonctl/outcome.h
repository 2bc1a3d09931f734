// Outcome: what a gRPC status says about the request, above all whether a write may have happened.

#ifndef PONTOON_CMD_PONTOONCTL_OUTCOME_H_
#define PONTOON_CMD_PONTOONCTL_OUTCOME_H_

#include <grpcpp/support/status.h>

#include <string>

#include "cmd/pontoonctl/ending.h"

namespace pontoon::ctl {

enum class Outcome {
  kDone,
  // Certainly not applied, and asking again would get the same answer.
  kRefused,
  // Certainly not applied, for a reason that may pass or that another endpoint may not have.
  kNotApplied,
  // The answer is lost: if it was a write, it may or may not have been applied.
  kUnknown,
};

// Reads the outcome from the status of a request that was sent. A client cannot see whether a
// request had left when its connection broke, so whatever is not surely harmless is kUnknown.
Outcome OutcomeOf(const grpc::Status& status);

// "INVALID_ARGUMENT", as in gRPC's documentation.
std::string CodeName(grpc::StatusCode code);

// How a request ended, after all its attempts.
struct Reply {
  Outcome outcome = Outcome::kDone;
  grpc::Status status = {};
  // The endpoint that was asked last; empty if none could be reached.
  std::string endpoint = {};

  bool ok() const { return outcome == Outcome::kDone; }
};

// Says to an operator what a failed read or refused write means and what to check.
std::string Explain(const Reply& reply);

// The end of a command whose one request, which changes nothing, ended so.
Ending EndingOfRead(const Reply& reply);

// The same for a write; here the outcome may be unknown.
Ending EndingOfWrite(const Reply& reply);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_OUTCOME_H_
