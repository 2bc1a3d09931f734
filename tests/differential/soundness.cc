#include "tests/differential/soundness.h"

#include <string>

#include "tests/differential/symbols.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;

// With a target that does not exist, and an order that does, 3.4 sorts by a null pointer. No order
// means ascending then.
bool SortsByNothing(const RangeRequest& range) {
  return RangeRequest::SortOrder_IsValid(range.sort_order()) &&
         !RangeRequest::SortTarget_IsValid(range.sort_target());
}

// Which of two ids that a server draws is the less is chance. Those that a program chooses are less
// than all of them.
bool OrdersDrawnLeases(const Compare& compare) {
  const bool orders = compare.result() == Compare::LESS || compare.result() == Compare::GREATER;
  return orders && compare.target() == Compare::LEASE && IsDrawnLease(compare.lease());
}

// What a transaction has in it, at any depth.
struct Contents {
  bool sorts_by_nothing = false;
  bool orders_drawn_leases = false;
  bool deletes_from_key_on = false;
  bool puts_with_ignore = false;

  void Add(const TxnRequest& txn) {
    for (const Compare& compare : txn.compare()) {
      orders_drawn_leases |= OrdersDrawnLeases(compare);
    }
    for (const auto* branch : {&txn.success(), &txn.failure()}) {
      for (const RequestOp& op : *branch) Add(op);
    }
  }

  void Add(const RequestOp& op) {
    const PutRequest& put = op.request_put();
    sorts_by_nothing |= SortsByNothing(op.request_range());
    deletes_from_key_on |= op.request_delete_range().range_end() == std::string(1, '\0');
    puts_with_ignore |= put.ignore_value() || put.ignore_lease();
    if (op.has_request_txn()) Add(op.request_txn());
  }
};

bool IsSoundCall(const RangeRequest& range) { return !SortsByNothing(range); }

// When 3.4 looks for keys that are both deleted and put, it takes the end "\0" for the key "\0",
// and sees nothing. If the put then wants what was deleted, it panics, and again whenever it reads
// its log.
bool IsSoundCall(const TxnRequest& txn) {
  Contents contents;
  contents.Add(txn);
  return !contents.sorts_by_nothing && !contents.orders_drawn_leases &&
         !(contents.deletes_from_key_on && contents.puts_with_ignore);
}

// A lease that has no name in the program must have its id from it.
bool IsSoundCall(const LeaseGrantRequest& grant) { return grant.id() != 0; }

// Nobody can see when a watcher that hears nothing has passed a revision.
bool IsSoundCall(const WatchCall& watch) {
  const auto& create = watch.request.create_request();
  const bool may_be_deaf = create.filters_size() > 1;
  return watch.request.request_union_case() != etcdserverpb::WatchRequest::REQUEST_UNION_NOT_SET &&
         !(may_be_deaf && create.start_revision() != 0);
}

template <typename Request>
bool IsSoundCall(const Request& /*request*/) {
  return true;
}

}  // namespace

bool IsSound(const Call& call) {
  return std::visit([](const auto& request) { return IsSoundCall(request); }, call);
}

}  // namespace pontoon::differential
