// Endpoint: where a server listens for clients.

#ifndef PONTOON_KV_CLIENT_ENDPOINT_H_
#define PONTOON_KV_CLIENT_ENDPOINT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon {

// A host and port, as "host:port"; a host that is an IPv6 address stands in brackets. Equal texts
// are equal endpoints: names are not resolved here.
class Endpoint {
 public:
  // Whether whoever asks can speak TLS.
  enum class Tls { kNotSupported, kSupported };

  // Reads "host:port" or "http://host:port", and with TLS "https://host:port". The error says what
  // is wrong with the text.
  static absl::StatusOr<Endpoint> Parse(absl::string_view text, Tls tls = Tls::kNotSupported);

  const std::string& address() const { return address_; }
  // Whether the text began with "https://".
  bool wants_tls() const { return wants_tls_; }

  friend bool operator==(const Endpoint& a, const Endpoint& b) { return a.address_ == b.address_; }

 private:
  Endpoint(std::string address, bool wants_tls)
      : address_(std::move(address)), wants_tls_(wants_tls) {}

  std::string address_;
  bool wants_tls_;
};

// Reads a list with commas between, such as "a:2379,b:2379", without TLS. What is named twice
// counts once; the first error is returned.
absl::StatusOr<std::vector<Endpoint>> ParseEndpoints(absl::string_view list);

// "a:2379, b:2379", for messages.
std::string JoinEndpoints(const std::vector<Endpoint>& endpoints);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_ENDPOINT_H_
