#include "cmd/pontoonctl/range_pager.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

// The size that a page should have.
constexpr int64_t kPageBytes = 2 << 20;

// The first page has few keys, as each may be as large as a request; then the number may grow
// fourfold with every page.
constexpr int64_t kFirstLimit = 16;
constexpr int64_t kGrowth = 4;
constexpr int64_t kLimitMax = 10'000;

RangeRequest RequestFor(const KeyRange& range) {
  RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  return request;
}

}  // namespace

RangePager::RangePager(const KeyRange& range, Fetch fetch)
    : RangePager(RequestFor(range), std::move(fetch)) {}

RangePager::RangePager(RangeRequest request, Fetch fetch)
    : request_(std::move(request)), fetch_(std::move(fetch)) {
  keys_left_ = request_.limit() > 0 ? request_.limit() : std::numeric_limits<int64_t>::max();
  SetLimit(kFirstLimit);
}

Reply RangePager::Next(RangeResponse* page) {
  page->Clear();
  if (at_end_) return {};
  const Reply reply = fetch_(request_, page);
  if (!reply.ok()) return reply;
  if (std::exchange(at_beginning_, false)) {
    if (request_.revision() == 0) request_.set_revision(page->header().revision());
    AwaitRevision();
    count_ = page->count();
  }
  keys_left_ -= page->kvs_size();
  at_end_ = !page->more() || page->kvs().empty() || keys_left_ <= 0;
  if (at_end_) return reply;
  // The least key above the last one.
  request_.set_key(page->kvs().rbegin()->key() + '\0');
  AdaptLimit(*page);
  return reply;
}

// The next page may come from a server that is behind the one before.
void RangePager::AwaitRevision() {
  if (!request_.serializable()) return;
  pontoon::v1::ReadOptions options;
  options.set_consistency(pontoon::v1::ReadOptions::FOLLOWER);
  options.set_min_revision(request_.revision());
  *request_.mutable_read_options() = options;
}

void RangePager::AdaptLimit(const RangeResponse& page) {
  int64_t bytes = 0;
  for (const mvccpb::KeyValue& kv : page.kvs()) bytes += kv.key().size() + kv.value().size() + 32;
  const int64_t fitting = kPageBytes * page.kvs_size() / std::max<int64_t>(bytes, 1);
  SetLimit(std::clamp<int64_t>(fitting, 1, std::min(kLimitMax, request_.limit() * kGrowth)));
}

void RangePager::SetLimit(int64_t wanted) { request_.set_limit(std::min(wanted, keys_left_)); }

}  // namespace pontoon::ctl
