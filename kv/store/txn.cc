#include "kv/store/txn.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kv/errors.h"
#include "kv/store/key_range.h"
#include "kv/store/range.h"
#include "kv/store/write_operations.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::Compare;
using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::RequestOp;
using ::etcdserverpb::ResponseOp;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;

using Operations = google::protobuf::RepeatedPtrField<RequestOp>;

// Which way a transaction goes. All compares, those of nested transactions too, are decided by the
// state before the first operation.
struct Plan {
  bool succeeded = false;
  const Operations* operations = nullptr;  // the branch taken
  std::vector<Plan> nested;                // one for each transaction in that branch, in order
};

// < 0, 0 or > 0 as what the key holds is less than, equal to or greater than what the compare
// names. A target that nobody knows is equal, as in etcd.
int CompareTarget(const Compare& compare, const KeyState& state) {
  auto numbers = [](int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; };
  // Where the target's own field is not set, protobuf reads it as 0 or empty, which is the rule.
  switch (compare.target()) {
    case Compare::VERSION:
      return numbers(state.version, compare.version());
    case Compare::CREATE:
      return numbers(state.create_revision.value(), compare.create_revision());
    case Compare::MOD:
      return numbers(state.mod_revision.value(), compare.mod_revision());
    case Compare::VALUE:
      return state.value.compare(compare.value());
    case Compare::LEASE:
      return numbers(state.lease.value(), compare.lease());
    default:
      return 0;
  }
}

bool HoldsFor(const Compare& compare, const KeyState& state) {
  int order = CompareTarget(compare, state);
  switch (compare.result()) {
    case Compare::EQUAL:
      return order == 0;
    case Compare::GREATER:
      return order > 0;
    case Compare::LESS:
      return order < 0;
    case Compare::NOT_EQUAL:
      return order != 0;
    default:
      return true;  // as in etcd
  }
}

// A compare over a range must hold for every key in it. Where there is no key, every target is 0,
// but no compare with a value holds: there is none, and the API has no way to say so.
bool Holds(const Compare& compare, KvReader* reader) {
  KeyRange range = KeyRange::FromRequest(compare.key(), compare.range_end());
  auto cursor = reader->Scan(range);
  if (!cursor->Valid()) {
    return compare.target() != Compare::VALUE && HoldsFor(compare, KeyState());
  }
  const bool by_value = compare.target() == Compare::VALUE;
  for (; cursor->Valid(); cursor->Next()) {
    if (!HoldsFor(compare, by_value ? cursor->Load() : cursor->Describe())) return false;
  }
  return true;
}

Plan MakePlan(const TxnRequest& request, KvReader* reader) {
  Plan plan;
  plan.succeeded = std::all_of(request.compare().begin(), request.compare().end(),
                               [&](const Compare& compare) { return Holds(compare, reader); });
  plan.operations = plan.succeeded ? &request.success() : &request.failure();
  for (const RequestOp& operation : *plan.operations) {
    if (operation.has_request_txn())
      plan.nested.push_back(MakePlan(operation.request_txn(), reader));
  }
  return plan;
}

// A read in a transaction must name a revision that exists before the transaction. Its rule for
// negative revisions differs from that of a read by itself, as in etcd.
absl::Status CheckRange(const RangeRequest& request, const KvReader& reader) {
  absl::Status valid = CheckRangeRequest(request);
  if (!valid.ok()) return valid;
  if (request.revision() == 0) return absl::OkStatus();
  if (request.revision() > reader.revision().value()) return kErrFutureRev;
  if (request.revision() < reader.compacted().value()) return kErrCompacted;
  return absl::OkStatus();
}

// Says whether every operation that `plan` takes can be executed.
absl::Status CheckOperations(const Plan& plan, KvReader* reader) {
  auto nested = plan.nested.begin();
  for (const RequestOp& operation : *plan.operations) {
    absl::Status status;
    switch (operation.request_case()) {
      case RequestOp::kRequestRange:
        status = CheckRange(operation.request_range(), *reader);
        break;
      case RequestOp::kRequestPut:
        status = CheckPut(operation.request_put(), reader);
        break;
      case RequestOp::kRequestDeleteRange:
        status = CheckDeleteRangeRequest(operation.request_delete_range());
        break;
      case RequestOp::kRequestTxn:
        status = CheckOperations(*nested++, reader);
        break;
      case RequestOp::REQUEST_NOT_SET:
        status = kErrKeyNotFound;
        break;
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Executes what a plan takes.
class Runner {
 public:
  // `transaction` may be null if the plan holds only reads.
  Runner(KvReader* reader, KvTransaction* transaction)
      : reader_(reader), transaction_(transaction) {}

  // `response` may be null.
  void Run(const Plan& plan, TxnResponse* response) {
    if (response) {
      response->set_succeeded(plan.succeeded);
      response->mutable_header();  // stays empty in a nested transaction, as in etcd
    }
    auto nested = plan.nested.begin();
    for (const RequestOp& operation : *plan.operations) {
      ResponseOp* result = response ? response->add_responses() : nullptr;
      if (operation.has_request_txn()) {
        Run(*nested++, result ? result->mutable_response_txn() : nullptr);
      } else {
        RunOne(operation, result);
      }
    }
  }

 private:
  void RunOne(const RequestOp& operation, ResponseOp* result) {
    switch (operation.request_case()) {
      case RequestOp::kRequestRange:
        if (result) RunRange(operation.request_range(), result->mutable_response_range());
        break;
      case RequestOp::kRequestPut:
        CHECK(transaction_) << "a write in a read-only transaction";
        ExecutePut(operation.request_put(), transaction_,
                   result ? result->mutable_response_put() : nullptr);
        break;
      case RequestOp::kRequestDeleteRange:
        CHECK(transaction_) << "a write in a read-only transaction";
        ExecuteDeleteRange(operation.request_delete_range(), transaction_,
                           result ? result->mutable_response_delete_range() : nullptr);
        break;
      case RequestOp::kRequestTxn:
      case RequestOp::REQUEST_NOT_SET:
        CHECK(false) << "not a single operation";
    }
  }

  void RunRange(const RangeRequest& request, etcdserverpb::RangeResponse* response) {
    absl::Status status = ExecuteRange(request, reader_, response);
    CHECK(status.ok() || !reader_->status().ok()) << "after its check: " << status.message();
  }

  KvReader* reader_;
  KvTransaction* transaction_;
};

bool IsRange(const RequestOp& operation) { return operation.has_request_range(); }

bool Puts(const RequestOp& operation) {
  return operation.has_request_put() ||
         (operation.has_request_txn() && HasPut(operation.request_txn()));
}

}  // namespace

bool IsReadOnly(const TxnRequest& request) {
  return std::all_of(request.success().begin(), request.success().end(), IsRange) &&
         std::all_of(request.failure().begin(), request.failure().end(), IsRange);
}

bool HasPut(const TxnRequest& request) {
  return std::any_of(request.success().begin(), request.success().end(), Puts) ||
         std::any_of(request.failure().begin(), request.failure().end(), Puts);
}

absl::Status ExecuteReadOnlyTxn(const TxnRequest& request, KvReader* reader,
                                TxnResponse* response) {
  CHECK(IsReadOnly(request));
  Plan plan = MakePlan(request, reader);
  absl::Status possible = CheckOperations(plan, reader);
  if (!possible.ok()) return possible;
  Runner(reader, nullptr).Run(plan, response);
  response->mutable_header()->set_revision(reader->revision().value());
  return reader->status();
}

absl::Status ExecuteTxn(const TxnRequest& request, KvTransaction* transaction,
                        TxnResponse* response) {
  KvReader* reader = transaction->reader();
  Plan plan = MakePlan(request, reader);
  absl::Status possible = CheckOperations(plan, reader);
  if (!possible.ok()) return possible;
  Runner(reader, transaction).Run(plan, response);
  if (response) response->mutable_header()->set_revision(transaction->revision().value());
  return absl::OkStatus();
}

}  // namespace pontoon::kv
