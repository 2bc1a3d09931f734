// KvResult: what a command of the key-value store gave.

#ifndef PONTOON_KV_STORE_KV_RESULT_H_
#define PONTOON_KV_STORE_KV_RESULT_H_

#include <variant>

#include "absl/status/status.h"
#include "proto/rpc.pb.h"
#include "raft/base/state_machine.h"

namespace pontoon::kv {

// The same on every node. Of a response's header only the revision is set.
struct KvResult : ApplyResult {
  // Why the command was refused; then it had no effect, and there is no response.
  absl::Status status;

  std::variant<std::monostate, etcdserverpb::PutResponse, etcdserverpb::DeleteRangeResponse,
               etcdserverpb::TxnResponse, etcdserverpb::CompactionResponse,
               etcdserverpb::LeaseGrantResponse, etcdserverpb::LeaseRevokeResponse,
               etcdserverpb::AlarmResponse>
      response;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_RESULT_H_
