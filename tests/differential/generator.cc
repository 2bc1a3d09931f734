#include "tests/differential/generator.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "raft/base/check.h"
#include "raft/base/prng.h"
#include "tests/differential/soundness.h"
#include "tests/differential/symbols.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::AlarmRequest;
using etcdserverpb::AlarmType;
using etcdserverpb::CompactionRequest;
using etcdserverpb::Compare;
using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseLeasesRequest;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseTimeToLiveRequest;
using etcdserverpb::MemberListRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::StatusRequest;
using etcdserverpb::TxnRequest;
using etcdserverpb::WatchCreateRequest;

constexpr int64_t kMostInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeastInt64 = std::numeric_limits<int64_t>::min();

constexpr int kTxnDepthMost = 3;
constexpr int kTxnOpsLimit = 128;  // of both servers
constexpr uint64_t kStreams = 2;
constexpr size_t kTooLargeBytes = 1'700'000;  // for a request

// All keys that are ever written. Not more than twelve: so many Go sorts without changing the order
// of equals, of which etcd promises nothing.
const std::vector<std::string>& Keys() {
  static const std::vector<std::string>& keys = *new std::vector<std::string>{std::string(1, '\0'),
                                                                              "a",
                                                                              std::string("a\0", 2),
                                                                              "b",
                                                                              "b\xff",
                                                                              "c",
                                                                              "d",
                                                                              "dd",
                                                                              "e",
                                                                              std::string(300, 'k'),
                                                                              "\xff",
                                                                              "\xff\xff"};
  return keys;
}

struct GroupName {
  CallGroup group;
  const char* name;
};
constexpr GroupName kGroupNames[] = {
    {CallGroup::kKv, "kv"},       {CallGroup::kTxn, "txn"},     {CallGroup::kCompact, "compact"},
    {CallGroup::kLease, "lease"}, {CallGroup::kWatch, "watch"}, {CallGroup::kStatus, "status"},
};

class Generator {
 public:
  Generator(uint64_t seed, const GeneratorOptions& options) : prng_(seed), options_(options) {}

  Program Make() {
    const std::vector<Call (Generator::*)()> makers = Makers();
    CHECK(!makers.empty()) << "no group of calls";
    Program program;
    while (program.calls.size() < options_.calls) {
      const Call call = (this->*makers[prng_.Below(makers.size())])();
      if (IsSound(call)) program.calls.push_back(call);
    }
    return program;
  }

 private:
  // One for each call, several times for what is worth more.
  std::vector<Call (Generator::*)()> Makers() const {
    std::vector<Call (Generator::*)()> makers;
    const auto add = [&](CallGroup group, Call (Generator::*maker)(), int weight) {
      if (options_.groups.contains(group)) makers.insert(makers.end(), weight, maker);
    };
    add(CallGroup::kKv, &Generator::MakeRange, 10);
    add(CallGroup::kKv, &Generator::MakePut, 12);
    add(CallGroup::kKv, &Generator::MakeDeleteRange, 4);
    add(CallGroup::kTxn, &Generator::MakeTxn, 12);
    add(CallGroup::kCompact, &Generator::MakeCompact, 2);
    add(CallGroup::kLease, &Generator::MakeLeaseGrant, 5);
    add(CallGroup::kLease, &Generator::MakeLeaseRevoke, 2);
    add(CallGroup::kLease, &Generator::MakeLeaseTimeToLive, 3);
    add(CallGroup::kLease, &Generator::MakeLeaseLeases, 1);
    add(CallGroup::kLease, &Generator::MakeLeaseKeepAlive, 1);
    add(CallGroup::kWatch, &Generator::MakeWatchCreate, 6);
    add(CallGroup::kWatch, &Generator::MakeWatchCancel, 2);
    add(CallGroup::kWatch, &Generator::MakeWatchProgress, 1);
    add(CallGroup::kStatus, &Generator::MakeAlarm, 1);
    add(CallGroup::kStatus, &Generator::MakeStatus, 1);
    add(CallGroup::kStatus, &Generator::MakeMemberList, 1);
    return makers;
  }

  bool Percent(uint64_t percent) { return prng_.Below(100) < percent; }

  // A number in [first, last].
  int64_t Between(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(prng_.Below(static_cast<uint64_t>(last - first) + 1));
  }

  template <typename T>
  const T& Pick(const std::vector<T>& choices) {
    return choices[prng_.Below(choices.size())];
  }

  // Keys are not equally likely: the more often the same one comes, the more there is of its
  // history.
  std::string Key() {
    if (Percent(1)) return "";
    return Percent(60) ? Keys()[static_cast<size_t>(Between(1, 4))] : Pick(Keys());
  }

  // The end of a range that begins with `key`: none, one that is before it, all from it on, ...
  std::string RangeEnd(const std::string& key) {
    if (Percent(35)) return "";
    if (Percent(15)) return std::string(1, '\0');
    if (Percent(15)) return key + std::string(1, '\0');
    const std::string other = Percent(20) ? "z" : Pick(Keys());
    return Percent(80) ? std::max(key, other) : other;
  }

  std::string Value() {
    if (prng_.Below(1500) == 0) return std::string(kTooLargeBytes, 'v');
    if (Percent(10)) return "";
    if (Percent(5)) return std::string(2000, 'w');
    return absl::StrCat(Between(0, 9));
  }

  // Mostly one that has been and is not compacted, as far as can be told beforehand.
  int64_t RelativeRevision() {
    if (Percent(15)) return kBaseRevision + Between(-2, writes_ + 2);
    return kBaseRevision + Between(compacted_, std::max(compacted_, writes_ - writes_ / 4));
  }

  int64_t Revision() {
    if (Percent(2)) return Pick<int64_t>({-1, -5, kMostInt64, kLeastInt64, 1});
    return RelativeRevision();
  }

  // Mostly one that was granted.
  int64_t Lease() { return granted_.empty() || Percent(15) ? Between(-1, 4) : Pick(granted_); }

  int64_t Limit() {
    if (Percent(4)) return Pick<int64_t>({-1, kMostInt64, kLeastInt64});
    return Between(1, 6);
  }

  void FillRange(RangeRequest* range) {
    range->set_key(Key());
    range->set_range_end(RangeEnd(range->key()));
    if (Percent(30)) range->set_limit(Limit());
    if (Percent(25)) range->set_revision(Revision());
    if (Percent(35)) FillSort(range);
    if (Percent(30)) range->set_serializable(true);
    if (Percent(20)) range->set_keys_only(true);
    if (Percent(10)) range->set_count_only(true);
    if (Percent(8)) range->set_min_mod_revision(Revision());
    if (Percent(8)) range->set_max_mod_revision(Revision());
    if (Percent(8)) range->set_min_create_revision(Revision());
    if (Percent(8)) range->set_max_create_revision(Revision());
  }

  void FillSort(RangeRequest* range) {
    range->set_sort_order(static_cast<RangeRequest::SortOrder>(Between(0, 2)));
    range->set_sort_target(static_cast<RangeRequest::SortTarget>(Between(0, 4)));
    if (!Percent(3)) return;
    range->set_sort_order(static_cast<RangeRequest::SortOrder>(Pick<int>({-1, 3})));
    if (Percent(50)) range->set_sort_target(static_cast<RangeRequest::SortTarget>(5));
  }

  void FillPut(PutRequest* put) {
    put->set_key(Key());
    put->set_value(Value());
    if (UsesLeases() ? Percent(30) : Percent(2)) put->set_lease(Lease());
    if (Percent(30)) put->set_prev_kv(true);
    if (Percent(8)) {
      put->set_ignore_value(true);
      if (!Percent(10)) put->clear_value();
    }
    if (Percent(8)) {
      put->set_ignore_lease(true);
      if (!Percent(10)) put->clear_lease();
    }
    ++writes_;
  }

  void FillDeleteRange(DeleteRangeRequest* del) {
    del->set_key(Key());
    if (Percent(60)) del->set_range_end(RangeEnd(del->key()));
    if (Percent(40)) del->set_prev_kv(true);
    ++writes_;
  }

  void FillCompare(Compare* compare) {
    compare->set_key(Key());
    if (Percent(25)) compare->set_range_end(RangeEnd(compare->key()));
    compare->set_result(static_cast<Compare::CompareResult>(Percent(1) ? 7 : Between(0, 3)));
    compare->set_target(static_cast<Compare::CompareTarget>(Percent(1) ? 7 : Between(0, 4)));
    // Seldom a field that does not go with the target, or none.
    switch (Percent(8) ? Between(0, 5) : static_cast<int64_t>(compare->target())) {
      case Compare::VERSION:
        compare->set_version(Between(-1, 3));
        break;
      case Compare::CREATE:
        compare->set_create_revision(Percent(20) ? 0 : Revision());
        break;
      case Compare::MOD:
        compare->set_mod_revision(Percent(20) ? 0 : Revision());
        break;
      case Compare::VALUE:
        compare->set_value(Value());
        break;
      case Compare::LEASE:
        compare->set_lease(Percent(40) ? 0 : Lease());
        break;
      default:
        break;
    }
  }

  void FillOp(RequestOp* op, int depth) {
    const uint64_t kind = prng_.Below(100);
    if (kind < 1) return;  // an operation that is none
    if (kind < 30) {
      FillRange(op->mutable_request_range());
    } else if (kind < 65) {
      FillPut(op->mutable_request_put());
      // Mostly not one that the transaction puts already.
      if (Percent(75)) op->mutable_request_put()->set_key(Pick(Keys()));
    } else if (kind < 80 || depth >= kTxnDepthMost) {
      FillDeleteRange(op->mutable_request_delete_range());
    } else {
      FillTxn(op->mutable_request_txn(), depth + 1);
    }
  }

  void FillTxn(TxnRequest* txn, int depth) {
    for (int64_t i = Between(0, 2); i > 0; --i) FillCompare(txn->add_compare());
    const bool only_reads = Percent(15);
    for (auto* branch : {txn->mutable_success(), txn->mutable_failure()}) {
      for (int64_t i = Between(0, 3); i > 0; --i) {
        if (only_reads) {
          FillRange(branch->Add()->mutable_request_range());
        } else {
          FillOp(branch->Add(), depth);
        }
      }
    }
  }

  // One list as long as the limit, or longer.
  void Lengthen(TxnRequest* txn) {
    const int64_t length = Between(kTxnOpsLimit - 2, kTxnOpsLimit + 1);
    if (Percent(50)) {
      while (txn->compare_size() < length) txn->add_compare()->set_key("a");
    } else {
      auto* const branch = Percent(50) ? txn->mutable_success() : txn->mutable_failure();
      while (branch->size() < length) branch->Add()->mutable_request_range()->set_key("b");
    }
  }

  Call MakeRange() {
    RangeRequest range;
    FillRange(&range);
    return range;
  }

  Call MakePut() {
    PutRequest put;
    FillPut(&put);
    return put;
  }

  Call MakeDeleteRange() {
    DeleteRangeRequest del;
    FillDeleteRange(&del);
    return del;
  }

  Call MakeTxn() {
    TxnRequest txn;
    const int64_t writes_before = writes_;
    FillTxn(&txn, 1);
    if (Percent(2)) Lengthen(&txn);
    writes_ = writes_before + 1;
    return txn;
  }

  Call MakeCompact() {
    CompactionRequest compact;
    if (Percent(30)) {
      compact.set_revision(Revision());
    } else {
      // Near the last one, to leave some history.
      compacted_ = std::min(compacted_ + Between(1, 4), writes_);
      compact.set_revision(kBaseRevision + compacted_);
    }
    compact.set_physical(Percent(25));
    return compact;
  }

  Call MakeLeaseGrant() {
    LeaseGrantRequest grant;
    grant.set_id(Percent(60) ? kFirstDrawnLease + drawn_++ : Between(-1, 4));
    granted_.push_back(grant.id());
    const int64_t ttl = Between(60, 600);
    grant.set_ttl(Percent(75) ? ttl
                              : Pick<int64_t>({0, -1, 1, 9'000'000'000, 9'000'000'001, kMostInt64,
                                               kLeastInt64}));
    return grant;
  }

  Call MakeLeaseRevoke() {
    LeaseRevokeRequest revoke;
    revoke.set_id(Lease());
    if (Percent(80)) std::erase(granted_, revoke.id());
    ++writes_;
    return revoke;
  }

  Call MakeLeaseTimeToLive() {
    LeaseTimeToLiveRequest time_to_live;
    time_to_live.set_id(Lease());
    time_to_live.set_keys(Percent(70));
    return time_to_live;
  }

  Call MakeLeaseLeases() { return LeaseLeasesRequest(); }

  Call MakeLeaseKeepAlive() {
    LeaseKeepAliveRequest keep_alive;
    keep_alive.set_id(Lease());
    return keep_alive;
  }

  WatchCall NewWatchCall() {
    WatchCall call;
    call.stream = static_cast<int>(prng_.Below(kStreams));
    return call;
  }

  Call MakeWatchCreate() {
    WatchCall call = NewWatchCall();
    WatchCreateRequest* const create = call.request.mutable_create_request();
    create->set_key(Percent(3) ? "" : Key());
    create->set_range_end(RangeEnd(create->key()));
    if (Percent(50)) create->set_start_revision(RelativeRevision());
    if (Percent(2)) create->set_start_revision(Pick<int64_t>({1, -1, -5, kMostInt64}));
    if (Percent(40)) create->set_prev_kv(true);
    if (Percent(10)) create->set_progress_notify(true);
    if (Percent(10)) create->set_fragment(true);
    for (int i = 0; i < 2; ++i) {
      if (!Percent(10)) continue;
      const int64_t filter = Percent(5) ? 5 : Between(0, 1);
      create->add_filters(static_cast<WatchCreateRequest::FilterType>(filter));
    }
    if (Percent(25)) create->set_watch_id(Between(1, 6));
    return call;
  }

  Call MakeWatchCancel() {
    WatchCall call = NewWatchCall();
    call.request.mutable_cancel_request()->set_watch_id(Between(-1, 5));
    return call;
  }

  Call MakeWatchProgress() {
    WatchCall call = NewWatchCall();
    call.request.mutable_progress_request();
    return call;
  }

  Call MakeAlarm() {
    AlarmRequest alarm;
    alarm.set_alarm(static_cast<AlarmType>(Between(0, 2)));
    return alarm;
  }

  Call MakeStatus() { return StatusRequest(); }

  Call MakeMemberList() {
    MemberListRequest list;
    list.set_linearizable(Percent(50));
    return list;
  }

  bool UsesLeases() const { return options_.groups.contains(CallGroup::kLease); }

  Prng prng_;
  const GeneratorOptions options_;
  int64_t writes_ = 0;     // about so many revisions came since the beginning
  int64_t compacted_ = 0;  // about so many of them are compacted
  int64_t drawn_ = 0;      // so many leases the server was asked to draw
  std::vector<int64_t> granted_;
};

}  // namespace

absl::StatusOr<CallGroups> ParseCallGroups(absl::string_view names) {
  CallGroups groups;
  for (absl::string_view name : absl::StrSplit(names, ',')) {
    const auto* const found =
        std::find_if(std::begin(kGroupNames), std::end(kGroupNames),
                     [&](const GroupName& each) { return each.name == name; });
    if (found == std::end(kGroupNames)) {
      return absl::InvalidArgumentError(absl::StrCat("no group of calls is named \"", name,
                                                     "\": kv, txn, compact, lease, watch, status"));
    }
    groups.insert(found->group);
  }
  return groups;
}

CallGroups AllCallGroups() {
  CallGroups groups;
  for (const GroupName& each : kGroupNames) groups.insert(each.group);
  return groups;
}

Program MakeProgram(uint64_t seed, const GeneratorOptions& options) {
  return Generator(seed, options).Make();
}

}  // namespace pontoon::differential
