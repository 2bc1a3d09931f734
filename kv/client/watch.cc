#include "kv/client/watch.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kv/client/authenticator.h"
#include "kv/client/backoff.h"
#include "kv/client/client_core.h"
#include "kv/client/outcome.h"
#include "kv/client/watch_position.h"
#include "kv/client/watch_stream.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchResponse;

std::string RefusalText(const WatchResponse& response) {
  return absl::StrCat("pontoon: the watch was refused: ", response.cancel_reason());
}

}  // namespace

// What goes on while the object is there; on the loop.
class Watch::Watching final : public Operation, public std::enable_shared_from_this<Watching> {
 public:
  Watching(ClientCore* core, WatchCreateRequest request, Handlers handlers)
      : core_(core),
        loop_(core->loop()),
        request_(std::move(request)),
        handlers_(std::move(handlers)),
        position_(request_.start_revision()) {
    request_.set_progress_notify(true);
    request_.set_fragment(false);
    request_.set_watch_id(0);
  }

  void Start() {
    if (over_) return;  // the object went first
    backoff_.emplace(core_->options().backoff, core_->NextSeed());
    accept_timeout_ = core_->options().attempt_timeout;
    core_->Add(shared_from_this());
    TryNext();
  }

  void OnShutdown() override { End(ClientGone()); }

  // Nothing is told from now on. The handlers stay: it may be one of them that asks for it.
  void Stop() {
    if (std::exchange(over_, true)) return;
    if (stream_ != nullptr) stream_->Cancel();
    core_->Remove(shared_from_this());
  }

  const std::shared_ptr<EventLoop>& loop() const { return loop_; }

 private:
  void TryNext() {
    if (over_) return;
    if (core_->authenticator().NeedsToken()) return RenewToken("");
    const std::optional<std::string> address =
        core_->balancer().Choose(Prefer::kNearest, tried_, EventLoop::Now());
    if (address.has_value()) return Open(*address);
    tried_.clear();
    loop_->PostAt(EventLoop::After(backoff_->Next()), IfThere(&Watching::TryNext));
  }

  void Open(const std::string& address) {
    tried_.push_back(address);
    is_watching_ = false;
    token_ = core_->authenticator().token();
    request_.set_start_revision(position_.next_revision());
    stream_ = WatchStream::Open(
        core_, address, token_, request_,
        {.on_response = [watching = shared_from_this()](
                            WatchResponse* response) { watching->OnResponse(response); },
         .on_over = [watching = shared_from_this()](
                        const grpc::Status& status) { watching->OnStreamOver(status); }});
    loop_->PostAt(EventLoop::After(accept_timeout_),
                  [weak = weak_from_this(), stream = std::weak_ptr(stream_)] {
                    const auto watching = weak.lock();
                    if (watching != nullptr) watching->OnAcceptTimeout(stream.lock());
                  });
  }

  void OnAcceptTimeout(const std::shared_ptr<WatchStream>& stream) {
    if (is_watching_ || stream == nullptr || stream != stream_) return;
    const ClientOptions& options = core_->options();
    accept_timeout_ =
        std::min(2 * accept_timeout_, std::max(options.attempt_timeout, options.timeout));
    stream->Cancel();
  }

  void OnResponse(WatchResponse* response) {
    if (over_) return;
    if (!response->canceled()) core_->OnSignOfLife(tried_.back(), response->header());
    const WatchNews news = position_.Take(response);
    if (response->created() && !response->canceled()) {
      is_watching_ = true;
      accept_timeout_ = core_->options().attempt_timeout;
      token_renewals_ = 0;
      if (handlers_.on_watching != nullptr) handlers_.on_watching();
      if (over_) return;
    }
    switch (news) {
      case WatchNews::kEvents:
        OnSuccess();
        handlers_.on_events({std::make_move_iterator(response->mutable_events()->begin()),
                             std::make_move_iterator(response->mutable_events()->end())});
        break;
      case WatchNews::kProgress:
        OnSuccess();
        if (handlers_.on_progress != nullptr) {
          handlers_.on_progress(position_.next_revision() - 1);
        }
        break;
      case WatchNews::kNothing:
        break;
      case WatchNews::kLost:
        stream_->Cancel();
        break;
      case WatchNews::kTokenStale:
        token_refusal_ = absl::UnauthenticatedError(RefusalText(*response));
        stream_->Cancel();
        break;
      case WatchNews::kCompacted:
        End(kv::kErrCompacted, response->compact_revision());
        break;
      case WatchNews::kRefused:
        End(absl::FailedPreconditionError(RefusalText(*response)));
        break;
    }
  }

  // The member is of use: whoever fails next does not pay for those who failed before.
  void OnSuccess() {
    backoff_->Reset();
    tried_.assign(1, std::string(tried_.back()));
  }

  void OnStreamOver(const grpc::Status& status) {
    if (over_) return;
    stream_ = nullptr;
    const absl::Status refusal = std::exchange(token_refusal_, absl::OkStatus());
    const absl::Status error = refusal.ok() ? ToAbsl(status) : refusal;
    if (!refusal.ok() || Authenticator::IsAboutToken(error)) {
      if (core_->authenticator().enabled() && token_renewals_++ == 0) return RenewToken(token_);
      return End(error);
    }
    const bool is_busy = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    if (OutcomeOf(status) == Outcome::kRefused && !is_busy) return End(error);
    core_->OnFailure(tried_.back());
    TryNext();
  }

  void RenewToken(const std::string& stale) {
    core_->authenticator().Renew(stale, [weak = weak_from_this()](const absl::Status& renewed) {
      const auto watching = weak.lock();
      if (watching == nullptr || watching->over_) return;
      if (!renewed.ok() && !Authenticator::MayPass(renewed)) return watching->End(renewed);
      // A pause, if there is none still.
      if (!renewed.ok()) watching->tried_ = watching->core_->balancer().addresses();
      watching->TryNext();
    });
  }

  void End(const absl::Status& status, int64_t first_revision = 0) {
    if (over_) return;
    const auto self = shared_from_this();
    Stop();
    if (handlers_.on_end != nullptr) {
      handlers_.on_end({status, position_.next_revision(), first_revision});
    }
  }

  Task IfThere(void (Watching::*next)()) {
    return [weak = weak_from_this(), next] {
      if (const auto watching = weak.lock(); watching != nullptr) (watching.get()->*next)();
    };
  }

  ClientCore* const core_;
  const std::shared_ptr<EventLoop> loop_;
  WatchCreateRequest request_;
  const Handlers handlers_;
  WatchPosition position_;

  bool over_ = false;
  std::optional<Backoff> backoff_;
  std::vector<std::string> tried_;  // since something came, or the last pause; the last is present
  std::shared_ptr<WatchStream> stream_;
  absl::Duration accept_timeout_;  // of the next stream
  bool is_watching_ = false;       // the present stream was accepted
  std::string token_;              // of the present stream
  absl::Status token_refusal_;     // why the present stream is cancelled, if it is for its token
  int token_renewals_ = 0;
};

Watch::Watch(Client* client, WatchCreateRequest request, Handlers handlers)
    : watching_(
          std::make_shared<Watching>(&client->core(), std::move(request), std::move(handlers))) {
  client->core().Run([watching = watching_] { watching->Start(); });
}

Watch::~Watch() {
  watching_->loop()->RunAndWait([&] { watching_->Stop(); });
}

}  // namespace pontoon
