#include "cmd/pontoonctl/watcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

// The pauses after each round over all servers.
constexpr absl::Duration kFirstPause = absl::Milliseconds(25);
constexpr absl::Duration kLongestPause = absl::Milliseconds(500);

// Asks the server to end the stream when it has no leader: otherwise a member that is cut off from
// the others would be silent for ever (etcd's WithRequireLeader).
constexpr char kRequireLeaderKey[] = "hasleader";

}  // namespace

// One stream with one watcher on it.
class Watcher::Stream {
 public:
  Stream(Server& server, const etcdserverpb::WatchCreateRequest& create) {
    context_.AddMetadata(kRequireLeaderKey, "true");
    stream_ = server.watch().Watch(&context_);
    WatchRequest request;
    *request.mutable_create_request() = create;
    stream_->Write(request);  // if it fails, so does the first Read
  }
  ~Stream() {
    if (finished_) return;
    context_.TryCancel();
    stream_->Finish();
  }

  grpc::ClientContext* context() { return &context_; }

  bool Read(WatchResponse* response) { return stream_->Read(response); }

  // How it ended; after Read has returned false, once.
  grpc::Status Finish() {
    finished_ = true;
    return stream_->Finish();
  }

 private:
  bool finished_ = false;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<WatchRequest, WatchResponse>> stream_;
};

Watcher::Watcher(const std::vector<Endpoint>& endpoints, etcdserverpb::WatchCreateRequest request,
                 Options options)
    : servers_(ServersOf(endpoints)),
      request_(std::move(request)),
      options_(std::move(options)),
      first_deadline_(Deadline::After(options_.first_timeout)),
      pause_(kFirstPause) {
  CHECK(!servers_.empty());
}

Watcher::~Watcher() { Close(); }

bool Watcher::Next(WatchResponse* response) {
  for (;;) {
    if (cancelled()) return EndWith(End::Reason::kCancelled);
    if (stream_ == nullptr && !Open()) return false;
    if (!stream_->Read(response)) {
      // A server that ends the stream ends it for a reason, such as its own end.
      grpc::Status status = stream_->Finish();
      if (status.ok()) status = {grpc::StatusCode::UNAVAILABLE, "the server ended the watch"};
      const Reply reply{OutcomeOf(status), status, servers_[place_]->address()};
      Close();
      if (!OnFailure(reply)) return false;
      continue;
    }
    switch (Digest(*response)) {
      case Meaning::kForCaller:
        return true;
      case Meaning::kGoOn:
        break;
      case Meaning::kLost:
        Close();
        if (!OnFailure({Outcome::kNotApplied,
                        {grpc::StatusCode::UNAVAILABLE, response->cancel_reason()},
                        servers_[place_]->address()})) {
          return false;
        }
        break;
      case Meaning::kOver:
        Close();
        return false;
    }
  }
}

void Watcher::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

bool Watcher::Open() {
  for (;;) {
    Server& server = *servers_[place_];
    if (server.Connect(Deadline::After(kConnectTimeout))) {
      auto stream = std::make_unique<Stream>(server, request_);
      absl::MutexLock lock(&mutex_);
      reached_ = true;
      stream_ = std::move(stream);
      context_ = stream_->context();
      if (cancelled_) context_->TryCancel();
      return true;
    }
    const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "cannot connect");
    if (!OnFailure({Outcome::kNotApplied, status, server.address()})) return false;
  }
}

void Watcher::Close() {
  if (stream_ == nullptr) return;
  {
    absl::MutexLock lock(&mutex_);
    context_ = nullptr;
  }
  stream_.reset();
}

Watcher::Meaning Watcher::Digest(const WatchResponse& response) {
  if (response.canceled()) {
    if (response.compact_revision() > 0) {
      end_.first_revision = response.compact_revision();
      EndWith(End::Reason::kCompacted);
      return Meaning::kOver;
    }
    if (response.cancel_reason() == "etcdserver: no leader") return Meaning::kLost;
    EndWith(End::Reason::kFailed,
            absl::StrCat("the server refuses it: ", response.cancel_reason()));
    return Meaning::kOver;
  }
  int64_t next = request_.start_revision();
  if (response.created()) {
    accepted_ = is_watching_ = true;
    // From now on "from now on" has a number.
    if (next == 0) next = response.header().revision() + 1;
  } else if (response.events().empty()) {
    next = std::max(next, response.header().revision() + 1);
  } else {
    next = response.events().rbegin()->kv().mod_revision() + 1;
  }
  request_.set_start_revision(next);
  if (response.created() && response.events().empty()) return Meaning::kGoOn;
  failed_ = 0;
  pause_ = kFirstPause;
  return Meaning::kForCaller;
}

bool Watcher::OnFailure(const Reply& reply) {
  if (cancelled()) return EndWith(End::Reason::kCancelled);
  if (reply.outcome == Outcome::kRefused) return EndWith(End::Reason::kFailed, Explain(reply));
  if (std::exchange(is_watching_, false)) options_.on_interruption(Explain(reply));
  place_ = (place_ + 1) % servers_.size();
  ++failed_;
  if (!accepted_ && first_deadline_.Passed()) {
    return EndWith(End::Reason::kFailed, Explain(reached_ ? reply : NotConnected(servers_)));
  }
  if (failed_ % servers_.size() != 0 || Pause()) return true;
  return EndWith(End::Reason::kCancelled);
}

bool Watcher::Pause() {
  absl::MutexLock lock(&mutex_);
  if (mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), pause_)) return false;
  pause_ = std::min(pause_ * 2, kLongestPause);
  return true;
}

bool Watcher::cancelled() {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

bool Watcher::EndWith(End::Reason reason, std::string message) {
  end_.reason = reason;
  end_.next_revision = request_.start_revision();
  end_.message = std::move(message);
  return false;
}

}  // namespace pontoon::ctl
