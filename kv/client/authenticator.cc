#include "kv/client/authenticator.h"

#include <memory>
#include <utility>

#include "kv/client/client_core.h"
#include "kv/client/unary_call.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::AuthenticateRequest;
using etcdserverpb::AuthenticateResponse;

}  // namespace

bool Authenticator::enabled() const {
  return core_->options().user.has_value() || core_->options().token_provider != nullptr;
}

void Authenticator::Renew(const std::string& stale, Done done) {
  if (token_ != stale) return std::move(done)(absl::OkStatus());
  waiting_.push_back(std::move(done));
  if (waiting_.size() == 1) Fetch();
}

bool Authenticator::IsAboutToken(const absl::Status& error) {
  return kv::Is(error, kv::kErrInvalidAuthToken) || kv::Is(error, kv::kErrAuthOldRevision) ||
         kv::Is(error, kv::kErrUserEmpty);
}

bool Authenticator::MayPass(const absl::Status& error) {
  return absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error);
}

void Authenticator::Fetch() {
  if (core_->options().token_provider != nullptr) return AskProvider();
  AuthenticateRequest request;
  request.set_name(core_->options().user->user);
  request.set_password(core_->options().user->password);
  using Call = UnaryCall<AuthenticateRequest, AuthenticateResponse>;
  Call::Launch(
      core_, {.effect = Effect::kNone, .token = CallPolicy::Token::kNone},
      [](MemberStubs& stubs, grpc::ClientContext* context, const AuthenticateRequest* request,
         AuthenticateResponse* response, std::function<void(grpc::Status)> done) {
        stubs.auth().Authenticate(context, request, response, std::move(done));
      },
      std::move(request),
      [this](absl::StatusOr<Call::Answer> answer) {
        if (!answer.ok()) return OnFetched(answer.status());
        OnFetched(answer->response.token());
      });
}

void Authenticator::AskProvider() {
  const uint64_t question = ++questions_;
  core_->loop()->PostAt(EventLoop::After(core_->options().timeout), [this, question] {
    OnProvided(question, absl::DeadlineExceededError("pontoon: there was no token in time"));
  });
  // Who provides it may do so when the client is long gone: then the loop drops it.
  core_->options().token_provider(
      [loop = core_->loop(), this, question](absl::StatusOr<std::string> token) {
        loop->Post([this, question, token = std::move(token)] { OnProvided(question, token); });
      });
}

void Authenticator::OnProvided(uint64_t question, absl::StatusOr<std::string> token) {
  if (question == questions_ && !waiting_.empty()) OnFetched(std::move(token));
}

void Authenticator::OnFetched(absl::StatusOr<std::string> token) {
  // It would be asked for again at once, and for ever.
  if (token.ok() && token->empty()) {
    token = absl::UnauthenticatedError("pontoon: the token that was given is empty");
  }
  // As etcd's clients do: users may be switched on later.
  not_asked_for_ = kv::Is(token.status(), kv::kErrAuthNotEnabled);
  if (token.ok()) token_ = *token;
  const absl::Status renewed = not_asked_for_ ? absl::OkStatus() : token.status();
  // Each may go on to ask for another one.
  for (Done& done : std::exchange(waiting_, {})) std::move(done)(renewed);
}

}  // namespace pontoon
