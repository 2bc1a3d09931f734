// RetryingCall: a call with all its attempts, up to its deadline.

#ifndef PONTOON_KV_CLIENT_RETRYING_CALL_H_
#define PONTOON_KV_CLIENT_RETRYING_CALL_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "kv/client/backoff.h"
#include "kv/client/balancer.h"
#include "kv/client/client_core.h"
#include "kv/client/outcome.h"
#include "kv/client/retry_policy.h"
#include "proto/rpc.pb.h"

namespace pontoon {

enum class Effect {
  kNone,        // a read
  kRepeatable,  // a write that has no other effect if it is sent again
  kWrite,
};

struct CallPolicy {
  Effect effect = Effect::kNone;
  Prefer prefer = Prefer::kLeader;
  // Not empty: a probe. There is one attempt, at this address, to see how that member is; what the
  // answer means for the balancer is up to the caller.
  std::string address = {};
  bool is_probe() const { return !address.empty(); }
  // Whether the client's token goes with it, and must be had before.
  enum class Token { kWanted, kNone } token = Token::kWanted;
  // Whether a second member is asked if the first one takes long.
  enum class Hedge { kNever, kIfSlow } hedge = Hedge::kNever;
  // Of the whole call; zero: that of the options.
  absl::Duration timeout = absl::ZeroDuration();
  // Of the first attempt, if another one is harmless; zero: that of the options.
  absl::Duration attempt_timeout = absl::ZeroDuration();
};

// Sends a call to one member after the other, at once to each that was not tried, then after a
// pause to all of them anew, as long as RetryPolicy allows and there is time. A read that takes
// long is sent to a second member beside the first; the first answer counts, and the other call is
// cancelled.
//
// Thread safety: Launch may be called from any thread; the rest happens on the loop.
class RetryingCall : public Operation, public std::enable_shared_from_this<RetryingCall> {
 public:
  // `core` outlives it: it is one of the core's operations until it ends.
  RetryingCall(ClientCore* core, const CallPolicy& policy);

  // Begins, soon.
  void Launch();

  void OnShutdown() override { End(ClientGone(), nullptr); }

 protected:
  // One sending, with the memory that gRPC uses meanwhile.
  struct Attempt {
    virtual ~Attempt() = default;

    grpc::ClientContext context;
    std::string address;
    std::shared_ptr<MemberStubs> stubs;
    std::string token;
    Instant began;
  };

  virtual std::shared_ptr<Attempt> NewAttempt() = 0;
  // Calls `done` once, from any thread, when gRPC does not need the attempt any more.
  virtual void Send(Attempt* attempt, std::function<void(grpc::Status)> done) = 0;
  // Of the answer to a successful attempt.
  virtual const etcdserverpb::ResponseHeader& HeaderOf(const Attempt& attempt) const = 0;
  // The end of the call; `winner` is the attempt that was answered, or null with an error.
  virtual void OnEnd(const absl::Status& status, Attempt* winner) = 0;

  ClientCore& core() { return *core_; }

 private:
  void Start();
  // Begins the next attempt, or a pause.
  void TryNext();
  void Begin(const std::string& address);
  void HedgeLater();
  void OnAttemptDone(const std::shared_ptr<Attempt>& attempt, const grpc::Status& status);
  void OnAnswer(const Attempt& attempt);
  void OnError(const Attempt& attempt, const grpc::Status& status);
  void NoteFailure(const std::string& address, Outcome outcome);
  void RenewToken(const std::string& stale);
  void OnNoToken(const absl::Status& error);
  void EndUnsent(absl::Status error);
  // Ends the call with the last attempt's error.
  void GiveUp();
  void End(const absl::Status& status, Attempt* winner);
  // A task for later, which does nothing if the call is over then.
  Task IfNotOver(void (RetryingCall::*next)());

  ClientCore* const core_;
  const CallPolicy policy_;
  RetryPolicy retry_policy_;

  bool over_ = false;
  Instant began_;
  Instant deadline_;
  absl::Duration attempt_timeout_;
  std::optional<Backoff> backoff_;
  std::vector<std::string> tried_;  // since the last pause
  std::vector<std::shared_ptr<Attempt>> under_way_;
  int token_renewals_ = 0;
  grpc::Status last_error_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_RETRYING_CALL_H_
