// What is wrong with a transaction before anything is looked up.

#ifndef PONTOON_KV_SERVICE_TXN_VALIDATION_H_
#define PONTOON_KV_SERVICE_TXN_VALIDATION_H_

#include "absl/status/status.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// Looks at the shape of `request`, by etcd's rules and in etcd's order (v3rpc/key.go):
//
//   - ErrTooManyOps if one of its lists is longer than `ops_max`. A nested transaction may be only
//     as large as the enclosing one leaves of `ops_max`, so this bounds the nesting too.
//   - ErrEmptyKey for a comparison; ErrKeyNotFound for an operation that is none; the errors of
//     CheckRangeRequest, CheckPutRequest and CheckDeleteRangeRequest for the others.
//   - ErrDuplicateKey if one key may be put twice, or put and deleted, in one revision. That holds
//     for branches that will not be taken, too; but the two branches of one transaction never run
//     both and may put the same key.
absl::Status CheckTxnRequest(const etcdserverpb::TxnRequest& request, int ops_max);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_TXN_VALIDATION_H_
