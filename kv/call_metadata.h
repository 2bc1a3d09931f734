// The metadata of a gRPC call, in which clients say what their stubs have no field for.

#ifndef PONTOON_KV_CALL_METADATA_H_
#define PONTOON_KV_CALL_METADATA_H_

#include <grpcpp/support/string_ref.h>

#include <map>
#include <optional>

#include "absl/strings/string_view.h"

namespace pontoon::kv {

// As gRPC gives it.
using CallMetadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// The value of `key`. Of several the last one counts, as where a client overrides what its
// connection says. The view is of `metadata`.
std::optional<absl::string_view> FindMetadata(const CallMetadata& metadata, const char* key);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_CALL_METADATA_H_
