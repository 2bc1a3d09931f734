#include "kv/lock/queue.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// All keys of a queue.
RangeRequest WholeQueue(std::string_view prefix) {
  RangeRequest range;
  range.set_key(prefix.data(), prefix.size());
  std::string end(prefix);
  ++end.back();  // of "/": no key begins with what comes between
  range.set_range_end(end);
  range.set_sort_target(RangeRequest::CREATE);
  return range;
}

RangeRequest FirstOf(std::string_view prefix) {
  RangeRequest range = WholeQueue(prefix);
  range.set_sort_order(RangeRequest::ASCEND);
  range.set_limit(1);
  return range;
}

void AddCreationCompare(const QueuePlace& place, TxnRequest* txn) {
  Compare& compare = *txn->add_compare();
  compare.set_key(place.key);
  compare.set_target(Compare::CREATE);
  compare.set_create_revision(place.created.value());
}

PutRequest PutOf(const std::string& key, LeaseId lease, const std::string& value) {
  PutRequest put;
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease.value());
  put.set_ignore_lease(lease == kNoLease);
  return put;
}

}  // namespace

std::string QueuePrefix(std::string_view name) { return std::string(name) + "/"; }

// As Go prints a signed number.
std::string QueueKey(std::string_view name, LeaseId lease) {
  const int64_t id = lease.value();
  const auto bits = static_cast<uint64_t>(id);
  return absl::StrCat(QueuePrefix(name), id < 0 ? "-" : "", absl::Hex(id < 0 ? -bits : bits));
}

TxnRequest EnterQueue(std::string_view name, LeaseId lease,
                      const std::optional<std::string>& value) {
  const std::string key = QueueKey(name, lease);
  TxnRequest txn;
  AddCreationCompare({key, Revision(0)}, &txn);
  *txn.add_success()->mutable_request_put() = PutOf(key, lease, value.value_or(""));
  txn.add_failure()->mutable_request_range()->set_key(key);
  for (auto* const branch : {txn.mutable_success(), txn.mutable_failure()}) {
    *branch->Add()->mutable_request_range() = FirstOf(QueuePrefix(name));
  }
  if (!value.has_value()) return txn;
  TxnRequest& update = *txn.add_failure()->mutable_request_txn();
  Compare& compare = *update.add_compare();
  compare.set_key(key);
  compare.set_target(Compare::VALUE);
  compare.set_value(*value);
  *update.add_failure()->mutable_request_put() = PutOf(key, lease, *value);
  return txn;
}

Entered ReadEntered(const std::string& key, const TxnResponse& response) {
  const RangeResponse& first = response.responses(1).response_range();
  CHECK_EQ(first.kvs_size(), 1) << "its own key, if no other";
  Entered entered{.place = {key, Revision(response.header().revision())},
                  .is_new = response.succeeded()};
  if (!entered.is_new) {
    const RangeResponse& own = response.responses(0).response_range();
    entered.place.created = Revision(own.kvs(0).create_revision());
  }
  entered.is_first = Revision(first.kvs(0).create_revision()) == entered.place.created;
  return entered;
}

TxnRequest LeaveQueue(const QueuePlace& place) {
  TxnRequest txn;
  AddCreationCompare(place, &txn);
  txn.add_success()->mutable_request_delete_range()->set_key(place.key);
  return txn;
}

TxnRequest SetValue(const QueuePlace& place, LeaseId lease, const std::string& value) {
  TxnRequest txn;
  AddCreationCompare(place, &txn);
  *txn.add_success()->mutable_request_put() = PutOf(place.key, lease, value);
  return txn;
}

absl::StatusOr<std::optional<std::string>> FindBefore(const ReadView& view, std::string_view name,
                                                      const QueuePlace& place) {
  RangeRequest range = WholeQueue(QueuePrefix(name));
  range.set_sort_order(RangeRequest::DESCEND);
  range.set_limit(1);
  range.set_keys_only(true);
  range.set_max_create_revision(place.created.value() - 1);
  RangeResponse response;
  if (absl::Status s = view.Range(range, &response); !s.ok()) return s;
  if (response.kvs().empty()) return std::nullopt;
  return std::move(*response.mutable_kvs(0)->mutable_key());
}

absl::StatusOr<bool> IsThere(const ReadView& view, const QueuePlace& place) {
  RangeRequest range;
  range.set_key(place.key);
  range.set_keys_only(true);
  RangeResponse response;
  if (absl::Status s = view.Range(range, &response); !s.ok()) return s;
  return !response.kvs().empty() && Revision(response.kvs(0).create_revision()) == place.created;
}

absl::StatusOr<std::optional<mvccpb::KeyValue>> FindFirst(const ReadView& view,
                                                          std::string_view name) {
  RangeResponse response;
  if (absl::Status s = view.Range(FirstOf(QueuePrefix(name)), &response); !s.ok()) return s;
  if (response.kvs().empty()) return std::nullopt;
  return std::move(*response.mutable_kvs(0));
}

}  // namespace pontoon::kv
