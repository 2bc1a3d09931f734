// Url: the address of a member, as the flags and the members' list write it.

#ifndef PONTOON_KV_SERVICE_URL_H_
#define PONTOON_KV_SERVICE_URL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon {

// http://host:port, and nothing after it. A host that is an IPv6 address stands in brackets in the
// text, and without them here.
struct Url {
  std::string host;
  uint16_t port = 0;

  // "host:port", as one dials it or listens on it.
  std::string HostPort() const;
  std::string ToString() const;
  // Whether it names every address of this machine (0.0.0.0 or [::]): good to listen on, but nobody
  // elsewhere can reach it.
  bool IsWildcard() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// An error says what is wrong in words that follow a flag's name and value.
absl::StatusOr<Url> ParseUrl(absl::string_view text);
// One or more, separated by commas.
absl::StatusOr<std::vector<Url>> ParseUrls(absl::string_view text);

// The texts of `urls`, joined by commas.
std::string JoinUrls(const std::vector<Url>& urls);

}  // namespace pontoon

#endif  // PONTOON_KV_SERVICE_URL_H_
