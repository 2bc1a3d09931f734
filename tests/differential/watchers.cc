#include "tests/differential/watchers.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/differential/program.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

// Beyond all ids that programs and servers give.
constexpr int64_t kFirstFence = 1'000'000'000'000;
constexpr char kFenceKey[] = "a key that no program uses";

bool IsFence(const WatchResponse& response) { return response.watch_id() >= kFirstFence; }

bool Filters(const WatchCreateRequest& request, WatchCreateRequest::FilterType filter) {
  for (int each : request.filters()) {
    if (each == filter) return true;
  }
  return false;
}

// Whether a response concerns no single watcher's events.
bool IsControl(const WatchResponse& response) {
  return response.created() || (response.canceled() && response.compact_revision() == 0) ||
         response.watch_id() < 0;
}

template <typename T>
std::unique_ptr<google::protobuf::Message> Copy(const T& message) {
  return std::make_unique<T>(message);
}

}  // namespace

absl::StatusOr<Reply> Watchers::Make(size_t number, int stream, const WatchRequest& request,
                                     int64_t compacted) {
  Open(stream).control.clear();
  if (request.has_create_request()) {
    return Create(number, stream, request.create_request(), compacted);
  }
  if (request.has_cancel_request()) return Cancel(stream, request);
  return AskForProgress(stream, request);
}

absl::StatusOr<Reply> Watchers::Create(size_t number, int stream, const WatchCreateRequest& request,
                                       int64_t compacted) {
  Stream& s = Open(stream);
  WatchRequest envelope;
  *envelope.mutable_create_request() = request;
  s.stream->Send(envelope);
  absl::Status created = TakeUntil(stream, "an answer to the creation of a watcher",
                                   [&] { return !s.control.empty(); });
  if (!created.ok()) return created;
  const bool refused = s.control.empty() || s.control.front().canceled();
  const int64_t id = refused ? 0 : s.control.front().watch_id();
  Reply reply = TakeReply(stream);
  if (refused) return reply;

  const WatcherName name(stream, id);
  Watcher& watcher = watchers_[name];
  watcher = {.request = request, .compacted = compacted};
  traces_[name].created_by = number;
  if (request.start_revision() != 0 && request.start_revision() < compacted) {
    absl::Status told = TakeUntil(stream, "word of the compaction", [&] { return watcher.ended; });
    if (!told.ok()) return told;
  }
  return reply;
}

absl::StatusOr<Reply> Watchers::Cancel(int stream, const WatchRequest& request) {
  if (absl::Status s = CatchUp(); !s.ok()) return s;
  Stream& s = Open(stream);
  s.control.clear();
  s.stream->Send(request);
  if (absl::Status fenced = Fence(stream); !fenced.ok()) return fenced;
  Reply reply = TakeReply(stream);
  return reply;
}

// Servers need not answer where a watcher lags, or waits for a revision to come; what they say then
// is not looked at.
absl::StatusOr<Reply> Watchers::AskForProgress(int stream, const WatchRequest& request) {
  if (absl::Status s = CatchUp(); !s.ok()) return s;
  Stream& s = Open(stream);
  if (!AllAreCaughtUp(stream)) {
    s.stream->Send(request);
    if (absl::Status fenced = Fence(stream); !fenced.ok()) return fenced;
    s.control.clear();
    return TakeReply(stream);
  }
  s.control.clear();
  s.stream->Send(request);
  absl::Status answered = TakeUntil(stream, "progress", [&] {
    // An answer to an earlier request may come late.
    std::erase_if(s.control, [&](const WatchResponse& response) {
      return response.header().revision() < caught_up_;
    });
    return !s.control.empty();
  });
  if (!answered.ok()) return answered;
  return TakeReply(stream);
}

absl::Status Watchers::CatchUp() {
  std::set<std::string> keys;
  for (const auto& [name, watcher] : watchers_) {
    const std::string& key = watcher.request.key();
    if (!watcher.ended) keys.insert(key.empty() ? std::string(1, '\0') : key);
  }
  if (keys.empty()) return absl::OkStatus();
  const std::vector<std::string> list(keys.begin(), keys.end());
  const absl::StatusOr<int64_t> put = WriteAll(list, true);
  if (!put.ok()) return put.status();
  const absl::StatusOr<int64_t> deleted = WriteAll(list, false);
  if (!deleted.ok()) return deleted.status();
  caught_up_ = *deleted;
  for (auto& [name, watcher] : watchers_) {
    const bool puts = !Filters(watcher.request, WatchCreateRequest::NOPUT);
    const bool deletes = !Filters(watcher.request, WatchCreateRequest::NODELETE);
    const int64_t last = deletes ? *deleted : *put;
    if ((!puts && !deletes) || watcher.request.start_revision() > last) continue;
    absl::Status told =
        TakeUntil(name.first, absl::StrCat("the events of watcher ", name.second),
                  [last, &watcher = watcher] { return watcher.ended || watcher.seen >= last; });
    if (!told.ok()) return told;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Watchers::WriteAll(const std::vector<std::string>& keys, bool put) {
  TxnRequest txn;
  for (const std::string& key : keys) {
    etcdserverpb::RequestOp* const op = txn.add_success();
    if (put) {
      op->mutable_request_put()->set_key(key);
    } else {
      op->mutable_request_delete_range()->set_key(key);
    }
  }
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + WatchStream::kPatience));
  TxnResponse response;
  const grpc::Status status = kv_->Txn(&context, txn, &response);
  if (!status.ok()) {
    return absl::UnavailableError("the watchers' keys cannot be written: " +
                                  status.error_message());
  }
  return response.header().revision();
}

Watchers::Stream& Watchers::Open(int stream) {
  Stream& s = streams_[stream];
  if (s.stream == nullptr) s.stream = std::make_unique<WatchStream>(watch_);
  return s;
}

bool Watchers::AllAreCaughtUp(int stream) const {
  int64_t watchers = 0;
  for (const auto& [name, watcher] : watchers_) {
    if (name.first != stream || watcher.ended) continue;
    ++watchers;
    if (watcher.request.start_revision() > caught_up_) return false;
    if (Filters(watcher.request, WatchCreateRequest::NOPUT) &&
        Filters(watcher.request, WatchCreateRequest::NODELETE)) {
      return false;
    }
  }
  return watchers > 0;
}

template <typename Done>
absl::Status Watchers::TakeUntil(int stream, const std::string& what, Done done) {
  if (done()) return absl::OkStatus();
  const WatchStream::Result result =
      Open(stream).stream->TakeUntil([&](const WatchResponse& response) {
        Take(stream, response);
        return done();
      });
  // A stream that has ended tells so in the reply.
  if (result != WatchStream::Result::kNothingCame) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("on stream ", stream, " there came not ", what));
}

absl::Status Watchers::Fence(int stream) {
  const int64_t id = kFirstFence + fences_++;
  WatchRequest create, cancel;
  create.mutable_create_request()->set_key(kFenceKey);
  create.mutable_create_request()->set_watch_id(id);
  cancel.mutable_cancel_request()->set_watch_id(id);
  Stream& s = Open(stream);
  s.stream->Send(create);
  s.stream->Send(cancel);
  const WatchStream::Result result = s.stream->TakeUntil([&](const WatchResponse& response) {
    Take(stream, response);
    return response.watch_id() == id && response.canceled();
  });
  if (result != WatchStream::Result::kNothingCame) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("stream ", stream, " takes no more requests"));
}

void Watchers::Take(int stream, const WatchResponse& response) {
  if (IsFence(response)) return;
  const WatcherName name(stream, response.watch_id());
  const auto watcher = watchers_.find(name);
  if (response.canceled() && watcher != watchers_.end()) {
    watcher->second.ended = true;
  }
  if (IsControl(response)) {
    streams_.at(stream).control.push_back(response);
    return;
  }
  Messages& told = traces_[name].messages;
  if (response.events().empty()) told.push_back(Copy(response));
  for (const mvccpb::Event& event : response.events()) {
    const int64_t revision = event.kv().mod_revision();
    if (watcher != watchers_.end()) {
      watcher->second.seen = revision;
      if (event.type() == mvccpb::Event::DELETE && revision == watcher->second.compacted) continue;
    }
    told.push_back(Copy(event));
    // Only what must not be has its header shown.
    if (revision > response.header().revision()) told.push_back(Copy(response.header()));
  }
}

Reply Watchers::TakeReply(int stream) {
  Stream& s = streams_.at(stream);
  Reply reply;
  reply.status = s.stream->EndStatus();
  for (const WatchResponse& response : s.control) reply.messages.push_back(Copy(response));
  s.control.clear();
  return reply;
}

}  // namespace pontoon::differential
