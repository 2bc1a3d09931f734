// ASSERT_OK and its relatives: assertions on anything that can say ok() and why not.

#ifndef PONTOON_TESTS_INTEGRATION_STATUS_ASSERTS_H_
#define PONTOON_TESTS_INTEGRATION_STATUS_ASSERTS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/client.h"

namespace pontoon::testing {

inline std::string WhyNotOk(const absl::Status& status) { return status.ToString(); }

template <typename T>
std::string WhyNotOk(const absl::StatusOr<T>& result) {
  return result.status().ToString();
}

template <typename Response>
std::string WhyNotOk(const Answer<Response>& answer) {
  return absl::StrCat("gRPC code ", answer.status.error_code(), ": ",
                      answer.status.error_message());
}

template <typename T>
::testing::AssertionResult IsOk(const char* expression, const T& result) {
  if (result.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << expression << " is not OK: " << WhyNotOk(result);
}

}  // namespace pontoon::testing

#define ASSERT_OK(expression) ASSERT_PRED_FORMAT1(::pontoon::testing::IsOk, expression)
#define EXPECT_OK(expression) EXPECT_PRED_FORMAT1(::pontoon::testing::IsOk, expression)

#define PONTOON_CONCAT_INNER(a, b) a##b
#define PONTOON_CONCAT(a, b) PONTOON_CONCAT_INNER(a, b)

// ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
#define ASSERT_OK_AND_ASSIGN(declaration, expression)            \
  auto PONTOON_CONCAT(result_at_line_, __LINE__) = (expression); \
  ASSERT_OK(PONTOON_CONCAT(result_at_line_, __LINE__));          \
  declaration = *std::move(PONTOON_CONCAT(result_at_line_, __LINE__))

#endif  // PONTOON_TESTS_INTEGRATION_STATUS_ASSERTS_H_
