#include "kv/client/lock_queue.h"

#include "absl/strings/str_cat.h"
#include "kv/client/kv.h"

namespace pontoon {

using etcdserverpb::Compare;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchCreateRequest;

// As Go prints a signed number.
std::string LockKey(const std::string& name, int64_t lease) {
  const auto bits = static_cast<uint64_t>(lease);
  return absl::StrCat(name, "/", lease < 0 ? "-" : "", absl::Hex(lease < 0 ? -bits : bits));
}

TxnRequest EnterLockQueue(const std::string& key, const std::string& value, int64_t lease) {
  TxnRequest txn;
  Compare& compare = *txn.add_compare();
  compare.set_key(key);
  compare.set_target(Compare::CREATE);
  compare.set_create_revision(0);
  PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease);
  txn.add_failure()->mutable_request_range()->set_key(key);
  return txn;
}

int64_t CreateRevisionIn(const TxnResponse& response) {
  if (response.succeeded()) return response.header().revision();
  const RangeResponse& own = response.responses(0).response_range();
  return own.kvs_size() > 0 ? own.kvs(0).create_revision() : 0;
}

TxnRequest LookAtLockQueue(const std::string& name, const Fence& place) {
  RangeRequest before = ForPrefix<RangeRequest>(absl::StrCat(name, "/"));
  before.set_max_create_revision(place.create_revision - 1);
  before.set_sort_target(RangeRequest::CREATE);
  before.set_sort_order(RangeRequest::DESCEND);
  before.set_limit(1);
  before.set_keys_only(true);
  RangeRequest own;
  own.set_key(place.key);
  own.set_keys_only(true);
  TxnRequest txn;
  *txn.add_success()->mutable_request_range() = before;
  *txn.add_success()->mutable_request_range() = own;
  return txn;
}

LockQueueLook ReadLockQueueLook(const Fence& place, const TxnResponse& response) {
  const RangeResponse& before = response.responses(0).response_range();
  const RangeResponse& own = response.responses(1).response_range();
  LockQueueLook look;
  look.has_place = own.kvs_size() > 0 && own.kvs(0).create_revision() == place.create_revision;
  if (before.kvs_size() > 0) look.before = before.kvs(0).key();
  return look;
}

WatchCreateRequest DeletionOf(const std::string& key, int64_t revision) {
  WatchCreateRequest watch;
  watch.set_key(key);
  watch.set_start_revision(revision + 1);
  watch.add_filters(WatchCreateRequest::NOPUT);
  return watch;
}

}  // namespace pontoon
