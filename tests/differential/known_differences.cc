#include "tests/differential/known_differences.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kv/errors.h"
#include "proto/rpc.pb.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::StatusResponse;
using etcdserverpb::TxnRequest;
using google::protobuf::FieldDescriptor;

bool Is(const grpc::Status& status, const kv::ApiError& error) {
  return static_cast<int>(status.error_code()) == static_cast<int>(error.code) &&
         status.error_message() == error.text;
}

// Makes two answers equal that differ as a whole.
void TakeOutAll(Reply* etcd, Reply* pontoon) {
  *etcd = Reply();
  *pontoon = Reply();
}

// ---- Status

// The one message of an answer, if it is a StatusResponse.
StatusResponse* StatusOf(Reply* reply) {
  return reply->messages.size() == 1 ? dynamic_cast<StatusResponse*>(reply->messages[0].get())
                                     : nullptr;
}

bool TakeOutVersion(const Call& /*call*/, Reply* etcd, Reply* pontoon) {
  StatusResponse* const a = StatusOf(etcd);
  StatusResponse* const b = StatusOf(pontoon);
  if (a == nullptr || b == nullptr || a->version() == b->version()) return false;
  a->clear_version();
  b->clear_version();
  return true;
}

bool TakeOutNewStatusFields(const Call& /*call*/, Reply* /*etcd*/, Reply* pontoon) {
  StatusResponse* const status = StatusOf(pontoon);
  if (status == nullptr) return false;
  const bool found = !status->storageversion().empty() || status->dbsizequota() != 0 ||
                     status->has_downgradeinfo();
  status->clear_storageversion();
  status->clear_dbsizequota();
  status->clear_downgradeinfo();
  return found;
}

bool TakeOutOwnStatusFields(const Call& /*call*/, Reply* /*etcd*/, Reply* pontoon) {
  constexpr int kFirstOwnField = 1000;
  StatusResponse* const status = StatusOf(pontoon);
  if (status == nullptr) return false;
  std::vector<const FieldDescriptor*> fields;
  status->GetReflection()->ListFields(*status, &fields);
  bool found = false;
  for (const FieldDescriptor* field : fields) {
    if (field->number() < kFirstOwnField) continue;
    status->GetReflection()->ClearField(status, field);
    found = true;
  }
  return found;
}

// ---- Sorting

bool HasUnknownSort(const RangeRequest& range) {
  return !RangeRequest::SortOrder_IsValid(range.sort_order()) ||
         !RangeRequest::SortTarget_IsValid(range.sort_target());
}

bool HasUnknownSort(const TxnRequest& txn) {
  for (const auto* branch : {&txn.success(), &txn.failure()}) {
    for (const RequestOp& op : *branch) {
      if (HasUnknownSort(op.request_range()) || HasUnknownSort(op.request_txn())) return true;
    }
  }
  return false;
}

bool TakeOutUnknownSortOfRange(const Call& call, Reply* etcd, Reply* pontoon) {
  const auto* range = std::get_if<RangeRequest>(&call);
  if (range == nullptr || !HasUnknownSort(*range)) return false;
  if (!Is(pontoon->status, kv::kErrInvalidSortOption)) return false;
  TakeOutAll(etcd, pontoon);
  return true;
}

bool TakeOutUnknownSortInTxn(const Call& call, Reply* etcd, Reply* pontoon) {
  const auto* txn = std::get_if<TxnRequest>(&call);
  if (txn == nullptr || !HasUnknownSort(*txn)) return false;
  if (!Is(pontoon->status, kv::kErrInvalidSortOption)) return false;
  TakeOutAll(etcd, pontoon);
  return true;
}

// clang-format off
constexpr KnownDifference kKnownDifferences[] = {
    {"status version",
     "Pontoon says that it speaks the API of 3.7",
     &TakeOutVersion, Aftermath::kNone},
    {"status fields of 3.6",
     "storageVersion, dbSizeQuota and downgradeInfo came with 3.6",
     &TakeOutNewStatusFields, Aftermath::kNone},
    {"own status fields",
     "Pontoon adds fields from number 1000 on, which etcd's clients do not see",
     &TakeOutOwnStatusFields, Aftermath::kNone},
    {"unknown sort of a range",
     "from 3.6 on a sort order or target that does not exist is an error; 3.4 does not sort then",
     &TakeOutUnknownSortOfRange, Aftermath::kNone},
    {"unknown sort in a transaction",
     "the same; 3.4 makes the transaction, which may write",
     &TakeOutUnknownSortInTxn, Aftermath::kStatesDiffer},
};
// clang-format on

}  // namespace

std::span<const KnownDifference> KnownDifferences() { return kKnownDifferences; }

}  // namespace pontoon::differential
