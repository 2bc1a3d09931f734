// Finds out, before gRPC is asked, whether an address can be listened on.

#ifndef PONTOON_CMD_PONTOON_LISTEN_CHECK_H_
#define PONTOON_CMD_PONTOON_LISTEN_CHECK_H_

#include "absl/status/status.h"
#include "kv/service/url.h"

namespace pontoon {

// gRPC says neither why it cannot listen nor, where a host name has several addresses, that some of
// them are taken: "localhost" would be served on IPv6 alone if another process has it on IPv4. So
// every address of the host is tried here. UNAVAILABLE, in words for the operator, if one is in
// use, or none can be used. That the address is still free a moment later is not promised.
absl::Status CheckCanListen(const Url& url);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_LISTEN_CHECK_H_
