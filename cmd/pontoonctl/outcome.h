// Outcome: what a gRPC status says about the request, above all whether a write may have happened.

#ifndef PONTOON_CMD_PONTOONCTL_OUTCOME_H_
#define PONTOON_CMD_PONTOONCTL_OUTCOME_H_

#include <grpcpp/support/status.h>

#include <string>

#include "cmd/pontoonctl/ending.h"
#include "kv/client/outcome.h"

namespace pontoon::ctl {

using pontoon::Outcome;

// As pontoon::OutcomeOf, but of any server that speaks etcd's v3 API.
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
