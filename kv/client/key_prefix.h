// All keys that begin with a prefix, as etcd's API writes a range.

#ifndef PONTOON_KV_CLIENT_KEY_PREFIX_H_
#define PONTOON_KV_CLIENT_KEY_PREFIX_H_

#include <string>

#include "absl/strings/string_view.h"

namespace pontoon {

// The end of the range of all keys that begin with `prefix`: the lowest key above them, or "\0",
// which means that there is none.
std::string PrefixEnd(absl::string_view prefix);

// A request for all keys that begin with `prefix`; "" stands for all keys. Request is a
// RangeRequest, DeleteRangeRequest or WatchCreateRequest.
template <typename Request>
Request ForPrefix(absl::string_view prefix) {
  Request request;
  request.set_key(prefix.empty() ? std::string(1, '\0') : std::string(prefix));
  request.set_range_end(PrefixEnd(prefix));
  return request;
}

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_KEY_PREFIX_H_
