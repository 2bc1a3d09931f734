#include "kv/maintenance/store_quota.h"

#include <algorithm>

#include "kv/errors.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::PutRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;

constexpr uint64_t kPutOverheadBytes = 256;
constexpr uint64_t kLeaseBytes = 64;

uint64_t CostOf(const google::protobuf::RepeatedPtrField<RequestOp>& branch) {
  uint64_t cost = 0;
  for (const RequestOp& op : branch) {
    if (op.has_request_put()) cost += QuotaCost(op.request_put());
    if (op.has_request_txn()) cost += QuotaCost(op.request_txn());
  }
  return cost;
}

}  // namespace

uint64_t QuotaCost(const PutRequest& request) {
  return kPutOverheadBytes + request.key().size() + request.value().size();
}

uint64_t QuotaCost(const TxnRequest& request) {
  return std::max(CostOf(request.success()), CostOf(request.failure()));
}

uint64_t QuotaCost(const etcdserverpb::LeaseGrantRequest& /*request*/) { return kLeaseBytes; }

absl::Status StoreQuota::Admit(uint64_t cost) {
  if (bytes_ < 0 || cost == 0 || HasRoom(cost)) return absl::OkStatus();
  if (!store_->View()->alarms().IsRaised(etcdserverpb::NOSPACE)) {
    alarms_->Raise(etcdserverpb::NOSPACE);
  }
  return kErrNoSpace;
}

// Room that was made since the last measurement counts, but is not looked for with every refusal.
bool StoreQuota::HasRoom(uint64_t cost) const {
  const uint64_t limit = static_cast<uint64_t>(bytes_);
  if (store_->LiveBytes() + cost <= limit) return true;
  if (store_->View()->alarms().IsRaised(etcdserverpb::NOSPACE)) return false;
  return store_->MeasureLiveBytes() + cost <= limit;
}

}  // namespace pontoon::kv
