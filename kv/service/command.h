// Clients' requests as commands for the replicated log.

#ifndef PONTOON_KV_SERVICE_COMMAND_H_
#define PONTOON_KV_SERVICE_COMMAND_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "proto/command.pb.h"
#include "proto/rpc.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// A serialized pontoon.storage.v1.Command that holds `request`. The request is written once, from
// where it is: it may be large, and this is on the way of every write. `conditions` may be empty.
// ErrRequestTooLarge if the command would be larger than `bytes_max`.
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::PutRequest& request, size_t bytes_max,
                                      const storage::v1::WriteConditions& conditions = {});
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::DeleteRangeRequest& request,
                                      size_t bytes_max,
                                      const storage::v1::WriteConditions& conditions = {});
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::TxnRequest& request, size_t bytes_max,
                                      const storage::v1::WriteConditions& conditions = {});
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::CompactionRequest& request,
                                      size_t bytes_max);
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::LeaseGrantRequest& request,
                                      size_t bytes_max);
absl::StatusOr<Payload> EncodeCommand(const storage::v1::LeaseRevocation& revocation,
                                      size_t bytes_max);
absl::StatusOr<Payload> EncodeCommand(const storage::v1::LeaseCheckpoints& checkpoints,
                                      size_t bytes_max);
absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::AlarmRequest& request, size_t bytes_max);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_COMMAND_H_
