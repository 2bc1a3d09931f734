#include "kv/client/outcome.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

// In an absl::Status: present if the outcome is unknown.
constexpr absl::string_view kUnknownPayload = "pontoon/outcome-unknown";

// Members say so before they propose anything; older versions say some of it with other codes.
bool IsSurelyNotProposed(absl::string_view text) {
  for (const kv::ApiError& error :
       {kv::kErrNoLeader, kv::kErrRequestTooManyRequests, kv::kErrStopped, kv::kErrUnhealthy,
        kv::kErrNotSupportedForLearner}) {
    if (text == error.text) return true;
  }
  return false;
}

// gRPC's own words for a call that found no connection, or no address to connect to.
bool IsSurelyNotSent(const grpc::Status& status) {
  const std::string text = status.error_message();
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         (absl::StartsWith(text, "failed to connect to all addresses") ||
          absl::StartsWith(text, "DNS resolution failed"));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return out << "done";
    case Outcome::kRefused:
      return out << "refused";
    case Outcome::kNotApplied:
      return out << "not applied";
    case Outcome::kUnknown:
      return out << "unknown";
  }
  return out;
}

Outcome OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return Outcome::kDone;
  if (IsSurelyNotProposed(status.error_message()) || IsSurelyNotSent(status)) {
    return Outcome::kNotApplied;
  }
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

absl::Status ToAbsl(const grpc::Status& status) {
  // The codes are the same numbers.
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status WithOutcomeUnknown(absl::Status error) {
  if (!error.ok()) error.SetPayload(kUnknownPayload, absl::Cord());
  return error;
}

bool IsOutcomeUnknown(const absl::Status& error) {
  return error.GetPayload(kUnknownPayload).has_value();
}

}  // namespace pontoon
