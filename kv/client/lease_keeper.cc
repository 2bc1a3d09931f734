#include "kv/client/lease_keeper.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kv/client/await.h"
#include "kv/client/client_core.h"
#include "kv/client/lease_calls.h"
#include "kv/client/lease_term.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

// The servers count in seconds.
int64_t TtlSeconds(absl::Duration ttl) {
  return absl::ToInt64Seconds(absl::Ceil(ttl, absl::Seconds(1)));
}

// Of an attempt to renew, in the lease's time: three renewals may be attempted twice each.
constexpr int kAttemptsPerTtl = 2 * LeaseTerm::kRenewalsPerTtl;

}  // namespace

// What goes on while the object is there; on the loop.
class LeaseKeeper::Keeping final : public Operation,
                                   public std::enable_shared_from_this<LeaseKeeper::Keeping> {
 public:
  Keeping(ClientCore* core, std::function<void(const absl::Status&)> on_lost,
          const GrantCall::Answer& granted)
      : core_(core),
        loop_(core->loop()),
        on_lost_(std::move(on_lost)),
        id_(granted.response.id()),
        term_(granted.sent, absl::Seconds(granted.response.ttl())) {}

  void Start() {
    core_->Add(shared_from_this());
    if (over_) return;
    SetTerm();
    RenewAt(term_.next_renewal());
  }

  void OnShutdown() override { Lose(ClientGone()); }

  // Nothing is told from now on.
  void Stop() {
    if (std::exchange(over_, true)) return;
    expiry_nanos_ = 0;
    core_->Remove(shared_from_this());
  }

  void Revoke(absl::AnyInvocable<void(const absl::Status&) &&> done) {
    core_->Run([keeping = shared_from_this(), done = std::move(done)]() mutable {
      keeping->Stop();
      SendRevoke(keeping->core_, keeping->id_,
                 [done = std::move(done)](absl::StatusOr<RevokeCall::Answer> answer) mutable {
                   const bool is_gone = kv::Is(answer.status(), kv::kErrLeaseNotFound);
                   std::move(done)(is_gone ? absl::OkStatus() : answer.status());
                 });
    });
  }

  int64_t id() const { return id_; }
  bool IsAlive() const { return EventLoop::Now().nanos() < expiry_nanos_; }
  const std::shared_ptr<EventLoop>& loop() const { return loop_; }

 private:
  void SetTerm() {
    expiry_nanos_ = term_.expiry().nanos();
    loop_->PostAt(term_.expiry(), [weak = weak_from_this()] {
      const auto keeping = weak.lock();
      if (keeping == nullptr || EventLoop::Now() < keeping->term_.expiry()) return;
      keeping->Lose(keeping->WhyExpired());
    });
  }

  void RenewAt(Instant when) {
    loop_->PostAt(when, [weak = weak_from_this()] {
      if (const auto keeping = weak.lock(); keeping != nullptr) keeping->Renew();
    });
  }

  void Renew() {
    const absl::Duration left = term_.expiry() - EventLoop::Now();
    if (over_ || left <= absl::ZeroDuration()) return;
    SendRenew(core_, id_, left, term_.ttl() / kAttemptsPerTtl,
              [weak = weak_from_this()](absl::StatusOr<RenewCall::Answer> answer) {
                if (const auto keeping = weak.lock(); keeping != nullptr) {
                  keeping->OnAnswer(answer);
                }
              });
  }

  void OnAnswer(const absl::StatusOr<RenewCall::Answer>& answer) {
    if (over_) return;
    if (!answer.ok()) {
      last_error_ = answer.status();
      // It may be refused for a reason that passes.
      return RenewAt(EventLoop::After(term_.ttl() / kAttemptsPerTtl));
    }
    if (answer->response.ttl() <= 0) {
      return Lose(absl::NotFoundError("pontoon: the lease has expired, or was revoked"));
    }
    term_.OnRenewed(answer->sent, absl::Seconds(answer->response.ttl()));
    last_error_ = absl::OkStatus();
    SetTerm();
    RenewAt(term_.next_renewal());
  }

  absl::Status WhyExpired() const {
    return absl::DeadlineExceededError(
        absl::StrCat("pontoon: the lease was not renewed in time",
                     last_error_.ok() ? "" : absl::StrCat(": ", last_error_.message())));
  }

  void Lose(const absl::Status& why) {
    if (over_) return;
    const auto self = shared_from_this();
    Stop();
    if (on_lost_ != nullptr) on_lost_(why);
  }

  ClientCore* const core_;
  const std::shared_ptr<EventLoop> loop_;
  const std::function<void(const absl::Status&)> on_lost_;
  const int64_t id_;
  LeaseTerm term_;
  absl::Status last_error_;
  bool over_ = false;
  std::atomic<int64_t> expiry_nanos_ = 0;  // for IsAlive; 0: it is lost
};

absl::StatusOr<std::unique_ptr<LeaseKeeper>> LeaseKeeper::Grant(Client* client,
                                                                const Options& options) {
  if (client->IsInCallback()) return WouldWaitForItself();
  return Await<absl::StatusOr<std::unique_ptr<LeaseKeeper>>>(
      [&](auto done) { GrantAsync(client, options, std::move(done)); });
}

void LeaseKeeper::GrantAsync(Client* client, const Options& options,
                             Callback<std::unique_ptr<LeaseKeeper>> done) {
  ClientCore* const core = &client->core();
  SendGrant(core, TtlSeconds(options.ttl), options.timeout,
            [core, on_lost = options.on_lost,
             done = std::move(done)](absl::StatusOr<GrantCall::Answer> answer) mutable {
              if (!answer.ok()) return std::move(done)(answer.status());
              const auto keeping = std::make_shared<Keeping>(core, std::move(on_lost), *answer);
              keeping->Start();
              std::move(done)(std::unique_ptr<LeaseKeeper>(new LeaseKeeper(keeping)));
            });
}

LeaseKeeper::LeaseKeeper(std::shared_ptr<Keeping> keeping) : keeping_(std::move(keeping)) {}

LeaseKeeper::~LeaseKeeper() {
  keeping_->loop()->RunAndWait([&] { keeping_->Stop(); });
}

int64_t LeaseKeeper::id() const { return keeping_->id(); }

bool LeaseKeeper::IsAlive() const { return keeping_->IsAlive(); }

absl::Status LeaseKeeper::Revoke() {
  if (keeping_->loop()->IsCurrent()) return WouldWaitForItself();
  return Await<absl::Status>([&](auto done) { RevokeAsync(std::move(done)); });
}

void LeaseKeeper::RevokeAsync(absl::AnyInvocable<void(const absl::Status& revoked) &&> done) {
  keeping_->Revoke(std::move(done));
}

}  // namespace pontoon
