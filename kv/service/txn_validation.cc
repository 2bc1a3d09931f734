#include "kv/service/txn_validation.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "kv/errors.h"
#include "kv/service/key_range_set.h"
#include "kv/store/range.h"
#include "kv/store/write_operations.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using RequestOps = google::protobuf::RepeatedPtrField<RequestOp>;

absl::Status CheckShape(const TxnRequest& txn, int ops_max);

absl::Status CheckOp(const RequestOp& op, int ops_max) {
  switch (op.request_case()) {
    case RequestOp::kRequestRange:
      return CheckRangeRequest(op.request_range());
    case RequestOp::kRequestPut:
      return CheckPutRequest(op.request_put());
    case RequestOp::kRequestDeleteRange:
      return CheckDeleteRangeRequest(op.request_delete_range());
    case RequestOp::kRequestTxn:
      return CheckShape(op.request_txn(), ops_max);
    case RequestOp::REQUEST_NOT_SET:
      return kErrKeyNotFound;
  }
  return kErrKeyNotFound;
}

// Everything but duplicate keys.
absl::Status CheckShape(const TxnRequest& txn, int ops_max) {
  const int ops = std::max({txn.compare_size(), txn.success_size(), txn.failure_size()});
  if (ops > ops_max) return kErrTooManyOps;
  for (const Compare& compare : txn.compare()) {
    if (compare.key().empty()) return kErrEmptyKey;
  }
  for (const RequestOps* branch : {&txn.success(), &txn.failure()}) {
    for (const RequestOp& op : *branch) {
      if (absl::Status s = CheckOp(op, ops_max - ops); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

// What a list of operations may write.
struct Writes {
  std::set<std::string> puts;
  KeyRangeSet deletes;
};

absl::Status CollectWrites(const RequestOps& ops, Writes& writes);

// Adds the writes of a nested transaction to those of the list that it is in.
absl::Status CollectNested(const TxnRequest& txn, Writes& writes) {
  Writes success, failure;
  if (absl::Status s = CollectWrites(txn.success(), success); !s.ok()) return s;
  if (absl::Status s = CollectWrites(txn.failure(), failure); !s.ok()) return s;

  for (const std::string& key : success.puts) {
    if (writes.puts.count(key) > 0 || writes.deletes.Contains(key)) return kErrDuplicateKey;
  }
  for (const std::string& key : failure.puts) {
    if (writes.puts.count(key) > 0 || writes.deletes.Contains(key)) return kErrDuplicateKey;
  }
  writes.puts.merge(success.puts);
  writes.puts.merge(failure.puts);
  writes.deletes.Add(success.deletes);
  writes.deletes.Add(failure.deletes);
  return absl::OkStatus();
}

// etcd's checkIntervals, with one difference: a deletion with the range_end "\0" covers all keys
// from its own on, as it does when it is executed. (etcd compares the "\0" as a key and finds no
// overlap.) The order matters: this list's deletions first, so that nested puts meet them; then the
// nested transactions in order; then this list's puts, which meet all of those.
absl::Status CollectWrites(const RequestOps& ops, Writes& writes) {
  for (const RequestOp& op : ops) {
    if (!op.has_request_delete_range()) continue;
    writes.deletes.Add(op.request_delete_range().key(), op.request_delete_range().range_end());
  }
  for (const RequestOp& op : ops) {
    if (!op.has_request_txn()) continue;
    if (absl::Status s = CollectNested(op.request_txn(), writes); !s.ok()) return s;
  }
  for (const RequestOp& op : ops) {
    if (!op.has_request_put()) continue;
    const std::string& key = op.request_put().key();
    if (writes.deletes.Contains(key)) return kErrDuplicateKey;
    if (!writes.puts.insert(key).second) return kErrDuplicateKey;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTxnRequest(const TxnRequest& request, int ops_max) {
  if (absl::Status s = CheckShape(request, ops_max); !s.ok()) return s;
  for (const RequestOps* branch : {&request.success(), &request.failure()}) {
    Writes writes;
    if (absl::Status s = CollectWrites(*branch, writes); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace pontoon::kv
