#include "kv/store/range.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>

#include "kv/errors.h"
#include "kv/store/key_range.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::RangeResponse;
using ::mvccpb::KeyValue;

// A read with a limit that must see the whole range drops what cannot be in the result once it
// holds twice the limit and this many more: memory follows the limit, not the range.
constexpr int64_t kCutSlack = 1024;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// How a range is read, as etcd 3.4 to 3.6 do it.
struct ReadPlan {
  // Take no more keys than this, in key order; the others are just counted. 0: take all.
  int64_t fetch_limit = 0;
  // The order of the result; NONE for that of the keys.
  RangeRequest::SortOrder order = RangeRequest::NONE;
};

ReadPlan MakePlan(const RangeRequest& request) {
  ReadPlan plan;
  plan.order = request.sort_order();
  if (request.sort_target() == RangeRequest::KEY && plan.order == RangeRequest::ASCEND) {
    plan.order = RangeRequest::NONE;  // keys are read in that order
  }
  bool key_order = plan.order == RangeRequest::NONE;
  if (key_order && !HasFilters(request)) plan.fetch_limit = std::max<int64_t>(request.limit(), 0);
  // An oddity of etcd that clients can see: a target without an order means ascending, but what is
  // sorted is just the first keys in key order, one more than the limit.
  if (key_order && request.sort_target() != RangeRequest::KEY) {
    plan.order = RangeRequest::ASCEND;
    if (plan.fetch_limit > 0 && plan.fetch_limit < kNoLimit) ++plan.fetch_limit;
  }
  return plan;
}

// All bounds are inclusive, and 0 is no bound.
bool PassesFilters(const RangeRequest& request, const KeyState& state) {
  auto within = [](Revision revision, int64_t min, int64_t max) {
    return (min == 0 || revision.value() >= min) && (max == 0 || revision.value() <= max);
  };
  return within(state.mod_revision, request.min_mod_revision(), request.max_mod_revision()) &&
         within(state.create_revision, request.min_create_revision(),
                request.max_create_revision());
}

// The order in which the result is asked for. Equal targets are in key order: etcd leaves that
// open, but a read must not depend on which node answers it.
class Sorter {
 public:
  Sorter(RangeRequest::SortTarget target, RangeRequest::SortOrder order)
      : target_(target), order_(order) {}

  bool operator()(const KeyValue* a, const KeyValue* b) const {
    int by_target = Compare(*a, *b);
    if (by_target == 0) return a->key() < b->key();
    return order_ == RangeRequest::DESCEND ? by_target > 0 : by_target < 0;
  }

 private:
  static int CompareNumbers(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

  int Compare(const KeyValue& a, const KeyValue& b) const {
    switch (target_) {
      case RangeRequest::VERSION:
        return CompareNumbers(a.version(), b.version());
      case RangeRequest::CREATE:
        return CompareNumbers(a.create_revision(), b.create_revision());
      case RangeRequest::MOD:
        return CompareNumbers(a.mod_revision(), b.mod_revision());
      case RangeRequest::VALUE:
        return a.value().compare(b.value());
      default:
        return a.key().compare(b.key());
    }
  }

  RangeRequest::SortTarget target_;
  RangeRequest::SortOrder order_;
};

// What a key takes in memory, until it is sent, beside its bytes.
constexpr int64_t kKeyValueOverheadBytes = 128;

int64_t BytesOf(const KeyValue& kv) {
  return kKeyValueOverheadBytes + static_cast<int64_t>(kv.key().size() + kv.value().size());
}

// Gathers the result of one read.
class Collector {
 public:
  // Results are charged to `reader`.
  Collector(const RangeRequest& request, KvReader* reader, RangeResponse* response)
      : request_(request),
        plan_(MakePlan(request)),
        sorter_(request.sort_target(), plan_.order),
        reader_(reader),
        response_(response) {}

  // Takes the key at which `cursor` stands.
  void Add(KvCursor* cursor) {
    ++count_;
    if (request_.count_only()) return;
    if (plan_.fetch_limit > 0 && count_ > plan_.fetch_limit) {
      ++matches_;
      return;
    }
    if (HasFilters(request_) && !PassesFilters(request_, cursor->Describe())) return;
    ++matches_;
    bool value_matters = !request_.keys_only() || request_.sort_target() == RangeRequest::VALUE;
    KeyValue* const kv = response_->add_kvs();
    FillKeyValue(cursor->key(), value_matters ? cursor->Load() : cursor->Describe(), kv);
    reader_->Charge(BytesOf(*kv));
    if (request_.limit() > 0 && (response_->kvs_size() - kCutSlack) / 2 > request_.limit()) {
      SortAndCut();
    }
  }

  // Completes the response.
  void Finish() {
    SortAndCut();
    if (request_.keys_only()) {
      for (KeyValue& kv : *response_->mutable_kvs()) kv.clear_value();
    }
    response_->set_more(request_.limit() > 0 && matches_ > request_.limit());
    response_->set_count(count_);
  }

 private:
  void SortAndCut() {
    auto* kvs = response_->mutable_kvs();
    if (plan_.order != RangeRequest::NONE) {
      std::sort(kvs->pointer_begin(), kvs->pointer_end(), std::cref(sorter_));
    }
    if (request_.limit() > 0 && kvs->size() > request_.limit()) {
      int limit = static_cast<int>(request_.limit());
      for (int i = limit; i < kvs->size(); ++i) reader_->Charge(-BytesOf(kvs->Get(i)));
      kvs->DeleteSubrange(limit, kvs->size() - limit);
    }
  }

  const RangeRequest& request_;
  const ReadPlan plan_;
  const Sorter sorter_;
  KvReader* reader_;
  RangeResponse* response_;
  int64_t count_ = 0;    // keys in the range
  int64_t matches_ = 0;  // of these, the ones that pass the filters
};

}  // namespace

bool HasFilters(const RangeRequest& request) {
  return request.min_mod_revision() != 0 || request.max_mod_revision() != 0 ||
         request.min_create_revision() != 0 || request.max_create_revision() != 0;
}

absl::StatusOr<Revision> ResolveRevision(Revision wanted, Revision present, Revision compacted) {
  if (wanted <= Revision(0)) return present;
  if (wanted > present) return absl::Status(kErrFutureRev);
  if (wanted < compacted) return absl::Status(kErrCompacted);
  return wanted;
}

absl::Status CheckRangeRequest(const RangeRequest& request) {
  if (request.key().empty()) return kErrEmptyKey;
  if (!RangeRequest::SortOrder_IsValid(request.sort_order()) ||
      !RangeRequest::SortTarget_IsValid(request.sort_target())) {
    return kErrInvalidSortOption;
  }
  return absl::OkStatus();
}

absl::Status ExecuteRange(const RangeRequest& request, KvReader* reader, RangeResponse* response) {
  absl::Status valid = CheckRangeRequest(request);
  if (!valid.ok()) return valid;
  absl::StatusOr<Revision> revision =
      ResolveRevision(Revision(request.revision()), reader->revision(), reader->compacted());
  if (!revision.ok()) return revision.status();

  response->mutable_header()->set_revision(reader->revision().value());
  Collector collector(request, reader, response);
  KeyRange range = KeyRange::FromRequest(request.key(), request.range_end());
  auto cursor = reader->Scan(range, *revision);
  for (; cursor->Valid() && reader->status().ok(); cursor->Next()) collector.Add(cursor.get());
  collector.Finish();
  return reader->status();
}

void FillKeyValue(std::string_view key, const KeyState& state, KeyValue* kv) {
  kv->set_key(key.data(), key.size());
  kv->set_create_revision(state.create_revision.value());
  kv->set_mod_revision(state.mod_revision.value());
  kv->set_version(state.version);
  kv->set_value(state.value.data(), state.value.size());
  kv->set_lease(state.lease.value());
}

}  // namespace pontoon::kv
