#include "cmd/pontoonctl/outcome.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

// Servers say so before they propose anything; the codes differ between versions, the texts do not.
bool IsSurelyNotProposed(const std::string& message) {
  return message == "etcdserver: no leader" || message == "etcdserver: too many requests" ||
         message == "etcdserver: unhealthy cluster" ||
         message == "etcdserver: rpc not supported for learner";
}

std::string WithCode(absl::string_view text, grpc::StatusCode code) {
  return absl::StrCat(text, " (", CodeName(code), ")");
}

}  // namespace

Outcome OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return Outcome::kDone;
  if (IsSurelyNotProposed(status.error_message())) return Outcome::kNotApplied;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return Outcome::kUnknown;
    default:
      return Outcome::kRefused;
  }
}

std::string CodeName(grpc::StatusCode code) {
  static const char* const kNames[] = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto number = static_cast<size_t>(code);
  return number < std::size(kNames) ? kNames[number] : absl::StrCat("code ", number);
}

std::string Explain(const Reply& reply) {
  const grpc::StatusCode code = reply.status.error_code();
  const std::string& message = reply.status.error_message();
  if (code == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return WithCode(absl::StrCat("no answer in time from ", reply.endpoint,
                                 ": is there a leader? (see pontoonctl status); a longer --timeout "
                                 "may help"),
                    code);
  }
  if (code == grpc::StatusCode::UNAVAILABLE && !reply.endpoint.empty()) {
    return WithCode(absl::StrCat(reply.endpoint, ": ", message), code);
  }
  return WithCode(message, code);
}

Ending EndingOfRead(const Reply& reply) {
  if (reply.ok()) return {};
  return {ExitCode::kFailed, Explain(reply)};
}

Ending EndingOfWrite(const Reply& reply) {
  if (reply.outcome != Outcome::kUnknown) return EndingOfRead(reply);
  return {ExitCode::kOutcomeUnknown,
          absl::StrCat("outcome unknown: it may or may not have been applied: ", Explain(reply))};
}

}  // namespace pontoon::ctl
