#include "cmd/pontoonctl/outcome.h"

#include "absl/strings/str_cat.h"
#include "kv/errors.h"

namespace pontoon::ctl {
namespace {

std::string WithCode(absl::string_view text, grpc::StatusCode code) {
  return absl::StrCat(text, " (", CodeName(code), ")");
}

}  // namespace

Outcome OutcomeOf(const grpc::Status& status) {
  // etcd says this also of what it has proposed.
  if (status.error_message() == kv::kErrStopped.text) return Outcome::kUnknown;
  return pontoon::OutcomeOf(status);
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
