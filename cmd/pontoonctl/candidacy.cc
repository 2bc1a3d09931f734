#include "cmd/pontoonctl/candidacy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/key_range.h"
#include "cmd/pontoonctl/lease_calls.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// Between attempts that fail; the session pauses as well.
constexpr absl::Duration kRetryPause = absl::Milliseconds(100);

// All keys of the queue `name`, one of them.
RangeRequest OneOf(const std::string& name, RangeRequest::SortOrder by_creation) {
  const KeyRange range = KeyRange::Prefix(name + "/");
  RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  request.set_sort_target(RangeRequest::CREATE);
  request.set_sort_order(by_creation);
  request.set_limit(1);
  return request;
}

}  // namespace

RangeRequest HolderRequest(const std::string& name) { return OneOf(name, RangeRequest::ASCEND); }

Candidacy::Candidacy(Session& session, const std::vector<Endpoint>& endpoints, Options options)
    : session_(session),
      endpoints_(endpoints),
      options_(std::move(options)),
      key_(absl::StrCat(options_.name, "/", FormatLease(options_.lease))) {}

Candidacy::End Candidacy::Win() {
  const auto failed = [this](std::string why) {
    return cancelled() ? End{End::Kind::kCancelled}
                       : End{.kind = End::Kind::kFailed, .message = std::move(why)};
  };
  mvccpb::KeyValue own;
  if (const Reply reply = Enter(&own); !reply.ok()) return failed(Explain(reply));
  RangeResponse response;
  for (;;) {
    const Reply reply = FindPredecessor(own.create_revision(), &response);
    if (!reply.ok()) return failed(Explain(reply));
    if (response.kvs().empty()) break;
    std::string failure;
    if (!AwaitDeletion(response.kvs(0).key(), response.header().revision() + 1, &failure)) {
      return failed(failure);
    }
    if (cancelled()) return {End::Kind::kCancelled};
  }
  // Our own key may have gone meanwhile, with its lease.
  if (const Reply reply = FindOwn(&response); !reply.ok()) return failed(Explain(reply));
  if (response.kvs().empty() || response.kvs(0).create_revision() != own.create_revision()) {
    return failed(absl::StrCat("the key ", key_, " was deleted while it waited"));
  }
  return {End::Kind::kWon, response.kvs(0), response.header().revision()};
}

void Candidacy::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (watcher_ != nullptr) watcher_->Cancel();
}

// The key has the name of our lease, which nobody else has: a second copy of the transaction finds
// what the first one did.
Reply Candidacy::Enter(mvccpb::KeyValue* kv) {
  TxnRequest request;
  Compare* const compare = request.add_compare();
  compare->set_key(key_);
  compare->set_target(Compare::CREATE);
  compare->set_result(Compare::EQUAL);
  compare->set_create_revision(0);
  auto* const put = request.add_success()->mutable_request_put();
  put->set_key(key_);
  put->set_value(options_.value);
  put->set_lease(options_.lease);
  request.add_failure()->mutable_request_range()->set_key(key_);
  TxnResponse response;
  const Reply reply = session_.WriteRepeatable(
      Deadline::After(options_.timeout), [&](Server& server, grpc::ClientContext* context) {
        return server.kv().Txn(context, request, &response);
      });
  if (!reply.ok()) return reply;
  if (response.succeeded() || response.responses_size() == 0 ||
      response.responses(0).response_range().kvs().empty()) {
    kv->set_create_revision(response.header().revision());
  } else {
    *kv = response.responses(0).response_range().kvs(0);
  }
  return reply;
}

Reply Candidacy::FindPredecessor(int64_t create_revision, RangeResponse* response) {
  RangeRequest request = OneOf(options_.name, RangeRequest::DESCEND);
  request.set_max_create_revision(create_revision - 1);
  return ReadPatiently(request, response);
}

Reply Candidacy::FindOwn(RangeResponse* response) {
  RangeRequest request;
  request.set_key(key_);
  return ReadPatiently(request, response);
}

bool Candidacy::AwaitDeletion(const std::string& key, int64_t revision, std::string* failure) {
  etcdserverpb::WatchCreateRequest request;
  request.set_key(key);
  request.set_start_revision(revision);
  Watcher watcher(endpoints_, request, {.first_timeout = absl::InfiniteDuration()});
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return true;
    watcher_ = &watcher;
  }
  const auto is_deletion = [](const mvccpb::Event& event) {
    return event.type() == mvccpb::Event::DELETE;
  };
  etcdserverpb::WatchResponse response;
  bool deleted = false;
  while (!deleted && watcher.Next(&response)) {
    deleted = std::any_of(response.events().begin(), response.events().end(), is_deletion);
  }
  absl::MutexLock lock(&mutex_);
  watcher_ = nullptr;
  if (deleted || watcher.end().reason != Watcher::End::Reason::kFailed) return true;
  *failure = watcher.end().message;
  return false;
}

Reply Candidacy::ReadPatiently(const RangeRequest& request, RangeResponse* response) {
  for (;;) {
    const Reply reply = session_.Read(Deadline::After(options_.timeout),
                                      [&](Server& server, grpc::ClientContext* context) {
                                        return server.kv().Range(context, request, response);
                                      });
    if (reply.ok() || reply.outcome == Outcome::kRefused) return reply;
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), kRetryPause)) return reply;
  }
}

bool Candidacy::cancelled() {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

}  // namespace pontoon::ctl
