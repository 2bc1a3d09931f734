#include "cmd/pontoonctl/mirror.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/key_range.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;

absl::Status Failure(const Reply& reply) { return absl::UnavailableError(Explain(reply)); }

// The keys of a range, one after the other.
class Cursor {
 public:
  explicit Cursor(RangePager pager) : pager_(std::move(pager)) {}

  // The present key; null after the last one.
  absl::StatusOr<const mvccpb::KeyValue*> Peek() {
    if (place_ == page_.kvs_size() && !at_end_) {
      if (const Reply reply = pager_.Next(&page_); !reply.ok()) return Failure(reply);
      place_ = 0;
      at_end_ = page_.kvs().empty();
    }
    return at_end_ ? nullptr : &page_.kvs(place_);
  }
  void Pop() { ++place_; }

  const RangePager& pager() const { return pager_; }

 private:
  RangePager pager_;
  RangeResponse page_;
  int place_ = 0;
  bool at_end_ = false;
};

}  // namespace

absl::StatusOr<MirrorCheckpoint> Mirror::Identify() {
  MirrorCheckpoint identity{.prefix = options_.prefix, .target_prefix = options_.target_prefix};
  const absl::StatusOr<uint64_t> source = ClusterOf(source_);
  if (!source.ok()) return source.status();
  const absl::StatusOr<uint64_t> target = ClusterOf(target_);
  if (!target.ok())
    return absl::UnavailableError(absl::StrCat("target: ", target.status().message()));
  identity.source_cluster = *source;
  identity.target_cluster = *target;
  if (*source == *target && (absl::StartsWith(options_.prefix, options_.target_prefix) ||
                             absl::StartsWith(options_.target_prefix, options_.prefix))) {
    return absl::InvalidArgumentError(
        "source and target are the same cluster, and the keys of the one would be among those of "
        "the other: give another --dest-prefix");
  }
  return identity;
}

absl::StatusOr<int64_t> Mirror::Copy(Extra extra, Progress& progress) {
  Cursor source(
      RangePager(KeyRange::Prefix(options_.prefix), PageFetcher(source_, options_.patience, log_)));
  Cursor target(RangePager(KeyRange::Prefix(options_.target_prefix),
                           PageFetcher(target_, options_.patience, log_)));
  MirrorChanges changes;
  // Both come in the order of what follows the prefix: so each key meets its counterpart.
  for (;;) {
    if (cancelled_) return absl::CancelledError("interrupted");
    const auto from = source.Peek();
    if (!from.ok()) return from.status();
    const auto to = target.Peek();
    if (!to.ok()) return absl::UnavailableError(absl::StrCat("target: ", to.status().message()));
    progress.Expect(source.pager().count());
    if (*from == nullptr && *to == nullptr) break;
    const std::string key = *from == nullptr ? "" : TargetKey((*from)->key());
    if (*from == nullptr || (*to != nullptr && (*to)->key() < key)) {
      if (extra == Extra::kRefuse) {
        return absl::FailedPreconditionError(absl::StrCat(
            "the target has \"", absl::CEscape((*to)->key()),
            "\", which the source has not: give another --dest-prefix, or --delete to have such "
            "keys deleted"));
      }
      changes.Delete((*to)->key());
      target.Pop();
    } else {
      const bool is_there = *to != nullptr && (*to)->key() == key;
      if (!is_there || (*to)->value() != (*from)->value()) {
        changes.Put(key, (*from)->value());
      } else {
        ++totals_.equal;
      }
      source.Pop();
      if (is_there) target.Pop();
      progress.Add(1);
    }
    if (!changes.AreMany()) continue;
    if (const absl::Status sent = Send(changes); !sent.ok()) return sent;
  }
  if (const absl::Status sent = Send(changes); !sent.ok()) return sent;
  return source.pager().revision();
}

absl::Status Mirror::Apply(const etcdserverpb::WatchResponse& response) {
  MirrorChanges changes;
  for (int i = 0; i < response.events_size(); ++i) {
    const mvccpb::Event& event = response.events(i);
    if (event.type() == mvccpb::Event::DELETE) {
      changes.Delete(TargetKey(event.kv().key()));
    } else {
      changes.Put(TargetKey(event.kv().key()), event.kv().value());
    }
    const bool is_last_of_revision =
        i + 1 == response.events_size() ||
        response.events(i + 1).kv().mod_revision() != event.kv().mod_revision();
    if (!is_last_of_revision) continue;
    if (const absl::Status sent = Send(changes); !sent.ok()) return sent;
  }
  return absl::OkStatus();
}

std::string Mirror::TargetKey(const std::string& source_key) const {
  return options_.target_prefix + source_key.substr(options_.prefix.size());
}

absl::StatusOr<uint64_t> Mirror::ClusterOf(Session& session) {
  etcdserverpb::RangeRequest request;
  request.set_key(std::string(1, '\0'));
  RangeResponse response;
  const Reply reply = PageFetcher(session, options_.patience, log_)(request, &response);
  if (!reply.ok()) return Failure(reply);
  return response.header().cluster_id();
}

absl::Status Mirror::Send(MirrorChanges& changes) {
  for (const TxnRequest& request : changes.Take()) {
    Backoff backoff(Deadline::After(options_.patience.retry_for));
    for (;;) {
      etcdserverpb::TxnResponse response;
      const Reply reply =
          target_.WriteRepeatable(Deadline::After(options_.patience.timeout),
                                  [&](Server& server, grpc::ClientContext* context) {
                                    return server.kv().Txn(context, request, &response);
                                  });
      if (reply.ok()) break;
      if (reply.outcome == Outcome::kRefused || !backoff.Pause()) {
        return absl::UnavailableError(absl::StrCat("target: ", Explain(reply)));
      }
      log_.Retry(absl::StrCat("target: ", Explain(reply)));
    }
    for (const auto& operation : request.success()) {
      ++(operation.has_request_put() ? totals_.puts : totals_.deletes);
    }
  }
  return absl::OkStatus();
}

}  // namespace pontoon::ctl
