// Refused: the error of a request whose options make no sense.

#ifndef PONTOON_KV_REFUSED_H_
#define PONTOON_KV_REFUSED_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pontoon::kv {

// INVALID_ARGUMENT, for what Pontoon adds to etcd's API; the text, made of `pieces`, is for whoever
// wrote the client. Errors that programs tell apart are in errors.h.
template <typename... Pieces>
absl::Status Refused(const Pieces&... pieces) {
  return absl::InvalidArgumentError(absl::StrCat("pontoon: ", pieces...));
}

}  // namespace pontoon::kv

#endif  // PONTOON_KV_REFUSED_H_
