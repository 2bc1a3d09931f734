#include "tests/differential/known_differences.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "kv/errors.h"
#include "proto/rpc.pb.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::AlarmRequest;
using etcdserverpb::AlarmResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::StatusResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchResponse;
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

bool TakeOutOwnFields(const Call& /*call*/, Reply* /*etcd*/, Reply* pontoon) {
  constexpr int kFirstOwnField = 1000;
  bool found = false;
  for (const auto& message : pontoon->messages) {
    std::vector<const FieldDescriptor*> fields;
    message->GetReflection()->ListFields(*message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field->number() < kFirstOwnField) continue;
      message->GetReflection()->ClearField(message.get(), field);
      found = true;
    }
  }
  return found;
}

// ---- Alarms

bool TakeOutAlarmHeader(const Call& call, Reply* etcd, Reply* pontoon) {
  if (!std::holds_alternative<AlarmRequest>(call)) return false;
  if (etcd->messages.size() != 1 || pontoon->messages.size() != 1) return false;
  auto* const a = dynamic_cast<AlarmResponse*>(etcd->messages[0].get());
  auto* const b = dynamic_cast<AlarmResponse*>(pontoon->messages[0].get());
  if (a == nullptr || b == nullptr || a->has_header() || b->header().revision() == 0) return false;
  b->clear_header();
  return true;
}

// ---- Messages that are too large for gRPC

bool TakeOutTextOfGrpc(const Call& /*call*/, Reply* etcd, Reply* pontoon) {
  if (etcd->status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) return false;
  if (pontoon->status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) return false;
  constexpr absl::string_view kOfGo = "grpc: received message larger than max ";
  constexpr absl::string_view kOfCore = "Received message larger than max ";
  const std::string etcd_text = etcd->status.error_message();
  const std::string pontoon_text = pontoon->status.error_message();
  absl::string_view a = etcd_text, b = pontoon_text;
  if (!absl::ConsumePrefix(&a, kOfGo) || !absl::ConsumePrefix(&b, kOfCore) || a != b) return false;
  TakeOutAll(etcd, pontoon);
  return true;
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

// ---- Keys that a transaction writes twice

// Whether a transaction deletes all keys from some key on, and puts.
struct FromKeyOn {
  bool deletes = false;
  bool puts = false;

  void Add(const TxnRequest& txn) {
    for (const auto* branch : {&txn.success(), &txn.failure()}) {
      for (const RequestOp& op : *branch) {
        deletes |= op.request_delete_range().range_end() == std::string(1, '\0');
        puts |= op.has_request_put();
        if (op.has_request_txn()) Add(op.request_txn());
      }
    }
  }
};

bool TakeOutDeletionFromKeyOn(const Call& call, Reply* etcd, Reply* pontoon) {
  const auto* txn = std::get_if<TxnRequest>(&call);
  if (txn == nullptr || !Is(pontoon->status, kv::kErrDuplicateKey)) return false;
  FromKeyOn found;
  found.Add(*txn);
  if (!found.deletes || !found.puts) return false;
  TakeOutAll(etcd, pontoon);
  return true;
}

// ---- Which of several faults of a transaction is told

bool TakeOutOrderOfChecks(const Call& call, Reply* etcd, Reply* pontoon) {
  const bool etcd_tells_put =
      Is(etcd->status, kv::kErrKeyNotFound) || Is(etcd->status, kv::kErrLeaseNotFound);
  const bool pontoon_tells_range =
      Is(pontoon->status, kv::kErrCompacted) || Is(pontoon->status, kv::kErrFutureRev);
  if (!std::holds_alternative<TxnRequest>(call) || !etcd_tells_put || !pontoon_tells_range) {
    return false;
  }
  TakeOutAll(etcd, pontoon);
  return true;
}

bool HasIgnoringPutWithLease(const TxnRequest& txn) {
  for (const auto* branch : {&txn.success(), &txn.failure()}) {
    for (const RequestOp& op : *branch) {
      if (op.request_put().ignore_value() && op.request_put().lease() != 0) return true;
      if (op.has_request_txn() && HasIgnoringPutWithLease(op.request_txn())) return true;
    }
  }
  return false;
}

bool TakeOutOrderOfChecksOfPut(const Call& call, Reply* etcd, Reply* pontoon) {
  const auto* txn = std::get_if<TxnRequest>(&call);
  if (txn == nullptr || !HasIgnoringPutWithLease(*txn)) return false;
  if (!Is(etcd->status, kv::kErrKeyNotFound)) return false;
  if (!Is(pontoon->status, kv::kErrLeaseNotFound)) return false;
  TakeOutAll(etcd, pontoon);
  return true;
}

// ---- Watches

const WatchCreateRequest* CreationOf(const Call& call) {
  const auto* watch = std::get_if<WatchCall>(&call);
  return watch != nullptr && watch->request.has_create_request() ? &watch->request.create_request()
                                                                 : nullptr;
}

// The one message of an answer, if it is a WatchResponse.
const WatchResponse* WatchResponseOf(const Reply& reply) {
  return reply.messages.size() == 1 ? dynamic_cast<WatchResponse*>(reply.messages[0].get())
                                    : nullptr;
}

bool TakeOutNegativeStart(const Call& call, Reply* etcd, Reply* pontoon) {
  const WatchCreateRequest* const create = CreationOf(call);
  if (create == nullptr || create->start_revision() >= 0) return false;
  const WatchResponse* const response = WatchResponseOf(*pontoon);
  if (response == nullptr || response->cancel_reason() != kv::kErrCompacted.text) return false;
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
    {"own fields",
     "Pontoon adds fields from number 1000 on, which etcd's clients do not see",
     &TakeOutOwnFields, Aftermath::kNone},
    {"alarm header",
     "later versions give the answer to Alarm a header, as they do all others; 3.4 does not",
     &TakeOutAlarmHeader, Aftermath::kNone},
    {"text of gRPC",
     "a message that is too large is refused before any service sees it; gRPC for Go and for C++ say "
     "so in other words, with the same code and sizes",
     &TakeOutTextOfGrpc, Aftermath::kNone},
    {"unknown sort of a range",
     "from 3.6 on a sort order or target that does not exist is an error; 3.4 does not sort then",
     &TakeOutUnknownSortOfRange, Aftermath::kNone},
    {"unknown sort in a transaction",
     "the same; 3.4 makes the transaction, which may write",
     &TakeOutUnknownSortInTxn, Aftermath::kStatesDiffer},
    {"deletion from a key on, and a put, in one transaction",
     "Pontoon refuses it if they meet; etcd takes the end \"\\0\" of the deletion for a key when it "
     "looks, makes both, and dies if the put wants the old value (txn_validation.cc)",
     &TakeOutDeletionFromKeyOn, Aftermath::kStatesDiffer},
    {"order of checks in a transaction",
     "3.4 looks at all puts of a transaction before all ranges; 3.6 and later at one operation after "
     "the other, so that another one of several faults is told",
     &TakeOutOrderOfChecks, Aftermath::kNone},
    {"order of checks of a put in a transaction",
     "3.4 looks for the key that ignore_value needs before the lease; 3.6 and later after it, as "
     "all do with a put alone",
     &TakeOutOrderOfChecksOfPut, Aftermath::kNone},
    {"watch from a negative revision",
     "3.7 refuses it as compacted; 3.4 creates the watcher and then ends it",
     &TakeOutNegativeStart, Aftermath::kStatesDiffer},
};
// clang-format on

}  // namespace

std::span<const KnownDifference> KnownDifferences() { return kKnownDifferences; }

}  // namespace pontoon::differential
