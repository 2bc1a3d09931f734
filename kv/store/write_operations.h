// Puts and deletes of ranges: checked first, then executed.
//
// A check looks at the request and at the state, and says all that can go wrong; the execution
// cannot fail. A transaction checks every operation before it executes the first one.

#ifndef PONTOON_KV_STORE_WRITE_OPERATIONS_H_
#define PONTOON_KV_STORE_WRITE_OPERATIONS_H_

#include "absl/status/status.h"
#include "kv/store/kv_reader.h"
#include "kv/store/kv_transaction.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// What can be wrong with a request whatever the store holds: ErrEmptyKey, ErrValueProvided,
// ErrLeaseProvided.
absl::Status CheckPutRequest(const etcdserverpb::PutRequest& request);
absl::Status CheckDeleteRangeRequest(const etcdserverpb::DeleteRangeRequest& request);

// Beyond CheckPutRequest: ErrLeaseNotFound, ErrKeyNotFound.
absl::Status CheckPut(const etcdserverpb::PutRequest& request, KvReader* reader);

// `response` may be null: then nobody wants it.
void ExecutePut(const etcdserverpb::PutRequest& request, KvTransaction* transaction,
                etcdserverpb::PutResponse* response);
void ExecuteDeleteRange(const etcdserverpb::DeleteRangeRequest& request, KvTransaction* transaction,
                        etcdserverpb::DeleteRangeResponse* response);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_WRITE_OPERATIONS_H_
