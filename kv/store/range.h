// Range: reads of a key or a range of keys, with all the options of the API.

#ifndef PONTOON_KV_STORE_RANGE_H_
#define PONTOON_KV_STORE_RANGE_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/kv_reader.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// What can be wrong with `request` whatever the store holds: ErrEmptyKey, ErrInvalidSortOption.
absl::Status CheckRangeRequest(const etcdserverpb::RangeRequest& request);

// Reads from `reader`. Beyond what CheckRangeRequest finds: ErrCompacted, ErrFutureRev; or the
// reader's own error. After an error `response` holds nothing of use.
absl::Status ExecuteRange(const etcdserverpb::RangeRequest& request, KvReader* reader,
                          etcdserverpb::RangeResponse* response);

// Whether the request leaves out keys by their revisions.
bool HasFilters(const etcdserverpb::RangeRequest& request);

// The revision to read at for `wanted`, of which 0 or less means the present: ErrFutureRev,
// ErrCompacted.
absl::StatusOr<Revision> ResolveRevision(Revision wanted, Revision present, Revision compacted);

// Copies a key with its state into the form of the API.
void FillKeyValue(std::string_view key, const KeyState& state, mvccpb::KeyValue* kv);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_RANGE_H_
