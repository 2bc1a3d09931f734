#include "kv/client/endpoint.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pontoon {
namespace {

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad endpoint \"", text, "\": ", why, "; give host:port or http://host:port"));
}

bool IsHostCharacter(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; }

bool IsIpv6Character(char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; }

// "[::1]" or a name or IPv4 address.
bool IsHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && !host.empty() &&
           std::all_of(host.begin(), host.end(), IsIpv6Character);
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), IsHostCharacter);
}

}  // namespace

absl::StatusOr<Endpoint> Endpoint::Parse(absl::string_view text, Tls tls) {
  absl::string_view address = text;
  const bool wants_tls = absl::ConsumePrefix(&address, "https://");
  if (wants_tls && tls == Tls::kNotSupported) return Bad(text, "TLS is not supported");
  if (!wants_tls) absl::ConsumePrefix(&address, "http://");
  if (address.empty()) return Bad(text, "it is empty");

  const size_t colon = address.rfind(':');
  const bool colon_is_inside_ipv6 = absl::EndsWith(address, "]");
  if (colon == absl::string_view::npos || colon_is_inside_ipv6) return Bad(text, "no port");
  const absl::string_view host = address.substr(0, colon);
  const absl::string_view port = address.substr(colon + 1);
  if (!IsHost(host)) return Bad(text, absl::StrCat("\"", host, "\" is not a host"));
  int port_number = 0;
  if (!std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &port_number) || port_number < 1 || port_number > 65535) {
    return Bad(text, absl::StrCat("\"", port, "\" is not a port from 1 to 65535"));
  }
  return Endpoint(std::string(address), wants_tls);
}

absl::StatusOr<std::vector<Endpoint>> ParseEndpoints(absl::string_view list) {
  std::vector<Endpoint> endpoints;
  for (absl::string_view item : absl::StrSplit(list, ',')) {
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(absl::StripAsciiWhitespace(item));
    if (!endpoint.ok()) return endpoint.status();
    if (std::find(endpoints.begin(), endpoints.end(), *endpoint) == endpoints.end()) {
      endpoints.push_back(*std::move(endpoint));
    }
  }
  return endpoints;
}

std::string JoinEndpoints(const std::vector<Endpoint>& endpoints) {
  return absl::StrJoin(endpoints, ", ", [](std::string* out, const Endpoint& endpoint) {
    absl::StrAppend(out, endpoint.address());
  });
}

}  // namespace pontoon
