#include "cmd/pontoonctl/range_pager.h"

#include <algorithm>

namespace pontoon::ctl {
namespace {

// The size that a page should have.
constexpr int64_t kPageBytes = 2 << 20;

// The first page has few keys, as each may be as large as a request; then the number may grow
// fourfold with every page.
constexpr int64_t kFirstLimit = 16;
constexpr int64_t kGrowth = 4;
constexpr int64_t kLimitMax = 10'000;

}  // namespace

RangePager::RangePager(const KeyRange& range, Consistency consistency, Fetch fetch)
    : fetch_(std::move(fetch)) {
  request_.set_key(range.key);
  request_.set_range_end(range.end);
  request_.set_serializable(consistency == Consistency::kSerializable);
  request_.set_limit(kFirstLimit);
}

Reply RangePager::Next(etcdserverpb::RangeResponse* page) {
  page->Clear();
  if (at_end_) return {};
  const Reply reply = fetch_(request_, page);
  if (!reply.ok()) return reply;
  if (request_.revision() == 0) {
    request_.set_revision(page->header().revision());
    count_ = page->count();
  }
  at_end_ = !page->more() || page->kvs().empty();
  if (at_end_) return reply;
  // The least key above the last one.
  request_.set_key(page->kvs().rbegin()->key() + '\0');
  AdaptLimit(*page);
  return reply;
}

void RangePager::AdaptLimit(const etcdserverpb::RangeResponse& page) {
  int64_t bytes = 0;
  for (const mvccpb::KeyValue& kv : page.kvs()) bytes += kv.key().size() + kv.value().size() + 32;
  const int64_t fitting = kPageBytes * page.kvs_size() / std::max<int64_t>(bytes, 1);
  request_.set_limit(
      std::clamp<int64_t>(fitting, 1, std::min(kLimitMax, request_.limit() * kGrowth)));
}

}  // namespace pontoon::ctl
