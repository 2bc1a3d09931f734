// Transactions: compare, then do one of two lists of operations, all at one revision.

#ifndef PONTOON_KV_STORE_TXN_H_
#define PONTOON_KV_STORE_TXN_H_

#include "absl/status/status.h"
#include "kv/store/kv_reader.h"
#include "kv/store/kv_transaction.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// Whether `request` can be served as a read. A nested transaction counts as a write, whatever is in
// it, and so does an empty operation.
bool IsReadOnly(const etcdserverpb::TxnRequest& request);

// Executes a transaction for which IsReadOnly holds. ErrCompacted, ErrFutureRev, the errors of
// CheckRangeRequest, or the reader's own. After an error `response` holds nothing of use.
absl::Status ExecuteReadOnlyTxn(const etcdserverpb::TxnRequest& request, KvReader* reader,
                                etcdserverpb::TxnResponse* response);

// Executes any transaction. An error of any operation that would be executed, as it can be seen
// before the first one, fails the whole: nothing is changed then. `response` may be null: then
// nobody wants it, and reads are checked but not done. Duplicate keys and the number of operations
// are the service's to check.
absl::Status ExecuteTxn(const etcdserverpb::TxnRequest& request, KvTransaction* transaction,
                        etcdserverpb::TxnResponse* response);

// Whether there is a put in either branch, or in those of a nested transaction.
bool HasPut(const etcdserverpb::TxnRequest& request);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_TXN_H_
