// Errors of the API as clients see them: a code and a text.

#ifndef PONTOON_TESTS_INTEGRATION_API_ERRORS_H_
#define PONTOON_TESTS_INTEGRATION_API_ERRORS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"

namespace pontoon::testing {

// To be compared, and shown if they differ: "3: etcdserver: key is not provided".
inline std::string CodeAndText(const grpc::Status& status) {
  return absl::StrCat(status.error_code(), ": ", status.error_message());
}
inline std::string CodeAndText(const kv::ApiError& error) {
  return absl::StrCat(static_cast<int>(error.code), ": ", error.text);
}

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_API_ERRORS_H_
