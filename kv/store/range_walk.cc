#include "kv/store/range_walk.h"

#include <utility>

#include "kv/store/key_range.h"
#include "kv/store/range.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

// So many keys are looked at before others get their turn.
constexpr int kKeysPerStep = 4096;

}  // namespace

absl::Status CheckRangeWalk(const RangeRequest& request) {
  if (absl::Status s = CheckRangeRequest(request); !s.ok()) return s;
  const bool key_order =
      request.sort_order() == RangeRequest::NONE ||
      (request.sort_order() == RangeRequest::ASCEND && request.sort_target() == RangeRequest::KEY);
  if (!key_order) {
    return absl::UnimplementedError("RangeStream does not support custom sort orders");
  }
  if (HasFilters(request)) {
    return absl::UnimplementedError("RangeStream does not support revision filters");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RangeWalk>> RangeWalk::Begin(std::shared_ptr<const ReadView> view,
                                                            RangeRequest request) {
  const absl::StatusOr<Revision> revision =
      ResolveRevision(Revision(request.revision()), view->revision(), view->compacted());
  if (!revision.ok()) return revision.status();
  return std::unique_ptr<RangeWalk>(new RangeWalk(std::move(view), std::move(request), *revision));
}

RangeWalk::RangeWalk(std::shared_ptr<const ReadView> view, RangeRequest request, Revision revision)
    : view_(std::move(view)),
      request_(std::move(request)),
      reader_(&view_->records(), view_->revision(), view_->compacted()),
      cursor_(reader_.Scan(KeyRange::FromRequest(request_.key(), request_.range_end()), revision)) {
}

bool RangeWalk::WantsMoreKeys() const {
  return !request_.count_only() && (request_.limit() <= 0 || count_ < request_.limit());
}

absl::StatusOr<RangeWalk::Step> RangeWalk::Go(size_t bytes_max, RangeResponse* piece) {
  size_t bytes = 0;
  for (int i = 0; i < kKeysPerStep && bytes < bytes_max && cursor_->Valid(); ++i) {
    if (WantsMoreKeys()) {
      mvccpb::KeyValue* const kv = piece->add_kvs();
      FillKeyValue(cursor_->key(), request_.keys_only() ? cursor_->Describe() : cursor_->Load(),
                   kv);
      if (request_.keys_only()) kv->clear_value();
      bytes += kv->key().size() + kv->value().size();
    }
    ++count_;
    cursor_->Next();
  }
  if (!reader_.status().ok()) return reader_.status();
  if (cursor_->Valid()) return piece->kvs().empty() ? Step::kNothing : Step::kPiece;
  piece->mutable_header()->set_revision(view_->revision().value());
  piece->set_count(count_);
  piece->set_more(request_.limit() > 0 && count_ > request_.limit());
  return Step::kLastPiece;
}

}  // namespace pontoon::kv
