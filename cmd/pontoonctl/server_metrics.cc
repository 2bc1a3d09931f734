#include "cmd/pontoonctl/server_metrics.h"

#include <civetweb.h>

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pontoon::ctl {
namespace {

// Many times what a server shows.
constexpr size_t kTextBytesMax = 16 << 20;

using Connection = std::unique_ptr<mg_connection, decltype(&mg_close_connection)>;

// The body of the answer to GET http://`endpoint`/metrics.
absl::StatusOr<std::string> Download(const Endpoint& endpoint, absl::Duration timeout) {
  const std::string& address = endpoint.address();
  const size_t colon = address.rfind(':');
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    return absl::InvalidArgumentError("the port is no number");
  }
  std::array<char, 256> why{};
  const Connection connection(
      mg_connect_client(address.substr(0, colon).c_str(), port, 0, why.data(), why.size()),
      &mg_close_connection);
  if (connection == nullptr) return absl::UnavailableError(why.data());
  mg_printf(connection.get(), "GET /metrics HTTP/1.0\r\nHost: %s\r\n\r\n", address.c_str());
  const int timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (mg_get_response(connection.get(), why.data(), why.size(), timeout_ms) < 0) {
    return absl::UnavailableError(why.data());
  }
  const int code = mg_get_response_info(connection.get())->status_code;
  if (code != 200) return absl::NotFoundError(absl::StrCat("the answer is HTTP ", code));
  std::string text;
  std::array<char, 1 << 14> piece;
  while (text.size() < kTextBytesMax) {
    const int size = mg_read(connection.get(), piece.data(), piece.size());
    if (size <= 0) break;
    text.append(piece.data(), size);
  }
  return text;
}

}  // namespace

absl::StatusOr<double> ReadMetric(const Endpoint& endpoint, absl::string_view name,
                                  absl::Duration timeout) {
  const absl::StatusOr<std::string> text = Download(endpoint, timeout);
  const std::string what = absl::StrCat("http://", endpoint.address(), "/metrics");
  if (!text.ok()) {
    return absl::Status(text.status().code(),
                        absl::StrCat("cannot read ", what, ": ", text.status().message()));
  }
  const std::optional<double> value = FindMetric(*text, name);
  if (!value.has_value()) return absl::NotFoundError(absl::StrCat(what, " has no ", name));
  return *value;
}

std::optional<double> FindMetric(absl::string_view text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    double value = 0;
    if (!absl::ConsumePrefix(&line, name) || !absl::ConsumePrefix(&line, " ")) continue;
    // A time may follow.
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (absl::SimpleAtod(parts.first, &value)) return value;
  }
  return std::nullopt;
}

}  // namespace pontoon::ctl
