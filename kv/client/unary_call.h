// UnaryCall: a RetryingCall of one request and one response.

#ifndef PONTOON_KV_CLIENT_UNARY_CALL_H_
#define PONTOON_KV_CLIENT_UNARY_CALL_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "kv/client/kv.h"
#include "kv/client/retrying_call.h"

namespace pontoon {

template <typename Request, typename Response>
class UnaryCall final : public RetryingCall {
 public:
  // Makes one sending: calls the method of the stubs.
  using Method = void (*)(MemberStubs&, grpc::ClientContext*, const Request*, Response*,
                          std::function<void(grpc::Status)>);
  // When the sending began that was answered: what the answer says is no older than that.
  struct Answer {
    Response response;
    Instant sent;
  };

  static void Launch(ClientCore* core, const CallPolicy& policy, Method method, Request request,
                     Callback<Answer> done) {
    const auto call =
        std::make_shared<UnaryCall>(core, policy, method, std::move(request), std::move(done));
    call->RetryingCall::Launch();
  }

  UnaryCall(ClientCore* core, const CallPolicy& policy, Method method, Request request,
            Callback<Answer> done)
      : RetryingCall(core, policy),
        method_(method),
        request_(std::move(request)),
        done_(std::move(done)) {}

 private:
  struct UnaryAttempt final : Attempt {
    Response response;
  };

  std::shared_ptr<Attempt> NewAttempt() override { return std::make_shared<UnaryAttempt>(); }

  void Send(Attempt* attempt, std::function<void(grpc::Status)> done) override {
    method_(*attempt->stubs, &attempt->context, &request_,
            &static_cast<UnaryAttempt*>(attempt)->response, std::move(done));
  }

  const etcdserverpb::ResponseHeader& HeaderOf(const Attempt& attempt) const override {
    return static_cast<const UnaryAttempt&>(attempt).response.header();
  }

  void OnEnd(const absl::Status& status, Attempt* winner) override {
    Callback<Answer> done = std::move(done_);
    if (!status.ok()) return std::move(done)(status);
    std::move(done)(Answer{std::move(static_cast<UnaryAttempt*>(winner)->response), winner->began});
  }

  const Method method_;
  const Request request_;  // gRPC reads it as long as an attempt is under way, which keeps the call
  Callback<Answer> done_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_UNARY_CALL_H_
