#include "kv/service/url.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pontoon {
namespace {

constexpr absl::string_view kScheme = "http://";

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not an address of the form http://host:port: ", why));
}

bool IsHostCharacter(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; }

bool IsIpv6Character(char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.' || c == '%'; }

}  // namespace

std::string Url::HostPort() const {
  if (host.find(':') != std::string::npos) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

std::string Url::ToString() const { return absl::StrCat(kScheme, HostPort()); }

bool Url::IsWildcard() const { return host == "0.0.0.0" || host == "::"; }

absl::StatusOr<Url> ParseUrl(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::StartsWith(rest, "https://")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\": TLS is not offered by this version; use http://, on a trusted network"));
  }
  if (!absl::ConsumePrefix(&rest, kScheme)) return Bad(text, "it must begin with http://");
  absl::ConsumeSuffix(&rest, "/");

  Url url;
  const bool bracketed = absl::ConsumePrefix(&rest, "[");
  const size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  if (host_end == absl::string_view::npos) {
    return Bad(text, bracketed ? "the bracket is not closed" : "the port is missing");
  }
  url.host = std::string(rest.substr(0, host_end));
  rest.remove_prefix(host_end + (bracketed ? 1 : 0));
  if (url.host.empty()) return Bad(text, "the host is missing");
  for (const char c : url.host) {
    if (bracketed ? !IsIpv6Character(c) : !IsHostCharacter(c)) {
      return Bad(text, "the host has a character that no host name has");
    }
  }
  if (bracketed && url.host.find(':') == std::string::npos) {
    return Bad(text, "only an IPv6 address stands in brackets");
  }

  if (!absl::ConsumePrefix(&rest, ":")) return Bad(text, "the port is missing");
  if (rest.find('/') != absl::string_view::npos) return Bad(text, "it must not have a path");
  if (rest.find(':') != absl::string_view::npos) {
    return Bad(text, "an IPv6 address must stand in brackets");
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(rest, &port) || port == 0 || port > 65535) {
    return Bad(text, "the port must be a number from 1 to 65535");
  }
  url.port = static_cast<uint16_t>(port);
  return url;
}

absl::StatusOr<std::vector<Url>> ParseUrls(absl::string_view text) {
  std::vector<Url> urls;
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    absl::StatusOr<Url> url = ParseUrl(absl::StripAsciiWhitespace(piece));
    if (!url.ok()) return url.status();
    urls.push_back(*std::move(url));
  }
  return urls;
}

std::string JoinUrls(const std::vector<Url>& urls) {
  return absl::StrJoin(
      urls, ",", [](std::string* out, const Url& url) { absl::StrAppend(out, url.ToString()); });
}

}  // namespace pontoon
