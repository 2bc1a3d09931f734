#include "kv/client/retrying_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kv/client/authenticator.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

// A new token that is refused is no better than the old one; but one may be made old at once by
// another change of users.
constexpr int kTokenRenewalsMax = 2;

// Whether a refusal speaks for all sendings of a write, those whose answers were lost too. What the
// state machine decides of a write that has a name it decides for all copies. A member's own
// refusal, such as of a token, and that the session is over say nothing of an earlier sending.
bool IsDefinite(const absl::Status& error) {
  for (const kv::ApiError& decision :
       {kv::kErrFenced, kv::kErrNoSpace, kv::kErrLeaseNotFound, kv::kErrKeyNotFound,
        kv::kErrCompacted, kv::kErrFutureRev, kv::kErrCorrupt, kv::kErrOnceAnswerTooLarge}) {
    if (kv::Is(error, decision)) return true;
  }
  return false;
}

Repeat RepeatOf(Effect effect) {
  return effect == Effect::kWrite ? Repeat::kHarmful : Repeat::kHarmless;
}

}  // namespace

RetryingCall::RetryingCall(ClientCore* core, const CallPolicy& policy)
    : core_(core), policy_(policy), retry_policy_(RepeatOf(policy.effect)) {}

void RetryingCall::Launch() {
  core_->Run([call = shared_from_this()] { call->Start(); });
}

void RetryingCall::Start() {
  const ClientOptions& options = core_->options();
  const auto or_else = [](absl::Duration duration, absl::Duration otherwise) {
    return duration == absl::ZeroDuration() ? otherwise : duration;
  };
  began_ = EventLoop::Now();
  deadline_ = EventLoop::After(or_else(policy_.timeout, options.timeout));
  attempt_timeout_ = or_else(policy_.attempt_timeout, options.attempt_timeout);
  backoff_.emplace(options.backoff, core_->NextSeed());
  core_->Add(shared_from_this());
  if (!over_) TryNext();
}

Task RetryingCall::IfNotOver(void (RetryingCall::*next)()) {
  return [weak = weak_from_this(), next] {
    const auto call = weak.lock();
    if (call != nullptr && !call->over_) (call.get()->*next)();
  };
}

void RetryingCall::TryNext() {
  if (policy_.token == CallPolicy::Token::kWanted && core_->authenticator().NeedsToken()) {
    return RenewToken("");
  }
  if (policy_.is_probe()) return Begin(policy_.address);
  const Instant now = EventLoop::Now();
  const std::optional<std::string> address = core_->balancer().Choose(policy_.prefer, tried_, now);
  if (address.has_value()) {
    Begin(*address);
    return HedgeLater();
  }
  tried_.clear();
  const Instant next = now + backoff_->Next();
  if (next >= deadline_) return GiveUp();
  core_->loop()->PostAt(next, IfNotOver(&RetryingCall::TryNext));
}

void RetryingCall::Begin(const std::string& address) {
  tried_.push_back(address);
  const std::shared_ptr<Attempt> attempt = NewAttempt();
  attempt->address = address;
  attempt->stubs = core_->StubsOf(address);
  attempt->began = EventLoop::Now();
  absl::Duration time = deadline_ - attempt->began;
  if (policy_.effect != Effect::kWrite) time = std::min(time, attempt_timeout_);
  attempt->context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(time));
  if (policy_.token == CallPolicy::Token::kWanted) {
    attempt->token = core_->authenticator().token();
    if (!attempt->token.empty()) attempt->context.AddMetadata("token", attempt->token);
  }
  under_way_.push_back(attempt);
  core_->OnCallBegun();
  // All goes to the loop, nothing stays behind: a thread of gRPC that lets go of the last call on
  // the last channel would wait for its own end.
  Send(attempt.get(), [loop = core_->loop(), call = shared_from_this(),
                       attempt = std::shared_ptr(attempt)](const grpc::Status& status) mutable {
    loop->Post([call = std::move(call), attempt = std::move(attempt), status] {
      call->OnAttemptDone(attempt, status);
      call->core_->OnCallEnded();
    });
  });
}

void RetryingCall::HedgeLater() {
  if (policy_.hedge == CallPolicy::Hedge::kNever) return;
  const absl::Duration delay = core_->hedge_delay(policy_.prefer).Get();
  const Instant when = EventLoop::After(delay);
  if (when >= deadline_) return;
  core_->loop()->PostAt(when, [weak = weak_from_this(), first = tried_.back()] {
    const auto call = weak.lock();
    if (call == nullptr || call->over_) return;
    // Only if it is still the one that is waited for, alone.
    if (call->under_way_.size() != 1 || call->under_way_.front()->address != first) return;
    const std::optional<std::string> second =
        call->core_->balancer().Choose(call->policy_.prefer, call->tried_, EventLoop::Now());
    if (second.has_value()) call->Begin(*second);
  });
}

void RetryingCall::OnAttemptDone(const std::shared_ptr<Attempt>& attempt,
                                 const grpc::Status& status) {
  std::erase(under_way_, attempt);
  if (over_) return;
  if (!status.ok()) return OnError(*attempt, status);
  OnAnswer(*attempt);
  End(absl::OkStatus(), attempt.get());
}

void RetryingCall::OnAnswer(const Attempt& attempt) {
  if (policy_.is_probe()) return;
  core_->OnAnswer(attempt.address, HeaderOf(attempt));
  const Instant now = EventLoop::Now();
  for (const auto& other : under_way_) {
    if (other->began < attempt.began) core_->balancer().OnOvertaken(other->address, now);
  }
  if (policy_.hedge == CallPolicy::Hedge::kIfSlow) {
    core_->hedge_delay(policy_.prefer).Record(now - began_);
  }
}

// A refusal is an answer, too.
void RetryingCall::NoteFailure(const std::string& address, Outcome outcome) {
  const bool is_answer = outcome == Outcome::kRefused;
  Balancer& balancer = core_->balancer();
  if (policy_.is_probe()) {
    if (is_answer) return balancer.OnSignOfLife(address, 0, 0);
    return balancer.OnProbeFailure(address, 0, 0, EventLoop::Now());
  }
  if (is_answer) return balancer.OnAnswer(address, 0, 0);
  core_->OnFailure(address);
}

void RetryingCall::OnError(const Attempt& attempt, const grpc::Status& status) {
  last_error_ = status;
  const Outcome outcome = OutcomeOf(status);
  NoteFailure(attempt.address, outcome);
  if (Authenticator::IsAboutToken(ToAbsl(status)) && policy_.token == CallPolicy::Token::kWanted &&
      core_->authenticator().enabled() && token_renewals_++ < kTokenRenewalsMax) {
    return RenewToken(attempt.token);
  }
  if (!retry_policy_.MayRetry(outcome) || policy_.is_probe()) return GiveUp();
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) attempt_timeout_ *= 2;
  if (EventLoop::Now() >= deadline_) return GiveUp();
  if (under_way_.empty()) TryNext();  // else the other one may still be answered
}

void RetryingCall::RenewToken(const std::string& stale) {
  core_->authenticator().Renew(stale, [weak = weak_from_this()](const absl::Status& renewed) {
    const auto call = weak.lock();
    if (call == nullptr || call->over_) return;
    if (!renewed.ok()) return call->OnNoToken(renewed);
    call->tried_.clear();
    call->TryNext();
  });
  // Whoever fetches it may take longer.
  const int renewals = token_renewals_;
  core_->loop()->PostAt(deadline_, [weak = weak_from_this(), renewals] {
    const auto call = weak.lock();
    if (call == nullptr || !call->under_way_.empty() || call->token_renewals_ != renewals) return;
    call->EndUnsent(absl::DeadlineExceededError("pontoon: there was no token in time"));
  });
}

void RetryingCall::OnNoToken(const absl::Status& error) {
  const Instant next = EventLoop::After(backoff_->Next());
  if (!Authenticator::MayPass(error) || next >= deadline_) return EndUnsent(error);
  core_->loop()->PostAt(next, IfNotOver(&RetryingCall::TryNext));
}

// Of an attempt that was not made.
void RetryingCall::EndUnsent(absl::Status error) {
  if (policy_.effect != Effect::kNone &&
      retry_policy_.LeavesUnknown(Outcome::kNotApplied, /*definite=*/false)) {
    error = WithOutcomeUnknown(std::move(error));
  }
  End(error, nullptr);
}

void RetryingCall::GiveUp() {
  absl::Status error = ToAbsl(last_error_);
  if (policy_.effect != Effect::kNone &&
      retry_policy_.LeavesUnknown(OutcomeOf(last_error_), IsDefinite(error))) {
    error = WithOutcomeUnknown(std::move(error));
  }
  End(error, nullptr);
}

void RetryingCall::End(const absl::Status& status, Attempt* winner) {
  if (std::exchange(over_, true)) return;
  for (const auto& attempt : under_way_) attempt->context.TryCancel();
  const auto self = shared_from_this();
  OnEnd(status, winner);
  core_->Remove(self);
}

}  // namespace pontoon
