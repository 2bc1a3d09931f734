// What a client wants of a write besides the write itself.

#ifndef PONTOON_KV_SERVICE_WRITE_OPTIONS_H_
#define PONTOON_KV_SERVICE_WRITE_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/call_metadata.h"
#include "proto/command.pb.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// The conditions with which `request` goes into the log: what it says itself, or, if it says
// nothing, `metadata`. Empty if nothing is said. INVALID_ARGUMENT if that makes no sense: a session
// or a lock of 0, a sequence of 0, an answered_below beyond the sequence, one part of a name or a
// fence without the other, a key under pontoon-once- or pontoon-fence- that there is not.
absl::StatusOr<storage::v1::WriteConditions> WriteConditionsOf(
    const etcdserverpb::PutRequest& request, const CallMetadata& metadata);
absl::StatusOr<storage::v1::WriteConditions> WriteConditionsOf(
    const etcdserverpb::DeleteRangeRequest& request, const CallMetadata& metadata);
// INVALID_ARGUMENT also if one of its operations has options of its own.
absl::StatusOr<storage::v1::WriteConditions> WriteConditionsOf(
    const etcdserverpb::TxnRequest& request, const CallMetadata& metadata);

// Whether the write names itself, be it well or not.
bool IsOnce(const v1::WriteOptions& options, const CallMetadata& metadata);

// OK if a transaction that only reads carries no options, nor does any part of it.
absl::Status CheckNoWriteOptions(const etcdserverpb::TxnRequest& request);

// For calls that write and take no options: INVALID_ARGUMENT if `metadata` has any, for whoever
// sends them takes the write to be fenced, or to be done once.
absl::Status CheckNoWriteMetadata(const CallMetadata& metadata);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_WRITE_OPTIONS_H_
