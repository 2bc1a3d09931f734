// QueueCall: a call that takes a place in a queue and waits for its turn.

#ifndef PONTOON_KV_LOCK_QUEUE_CALL_H_
#define PONTOON_KV_LOCK_QUEUE_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kv/lease/lease_granter.h"
#include "kv/lock/change_waiter.h"
#include "kv/lock/queue.h"
#include "kv/service/member.h"
#include "proto/rpc.pb.h"
#include "raft/base/instant.h"

namespace pontoon::kv {

// What the services of locks and elections work with; all is borrowed.
struct QueueParts {
  const Member* member;
  LeaseGranter* granter;
  ChangeWaiter* changes;
  size_t request_bytes_max = 3 << 19;  // see RequestLimits
};

// The call waits for as long as its client does. If that gives up, the place is given up as well,
// unless another call with the same lease had taken it before.
//
// Thread safety: as gRPC needs it.
class QueueCall final : public grpc::ServerUnaryReactor, public ChangeWaiter::Waiter {
 public:
  struct Wish {
    std::string name;  // of the queue
    LeaseId lease;     // kNoLease: one is granted for it
    // As in EnterQueue.
    std::optional<std::string> value;
    ApiError place_lost;  // the error if the place is gone when its turn comes
  };
  // The turn has come.
  struct Turn {
    etcdserverpb::ResponseHeader header;
    QueuePlace place;
    LeaseId lease;
  };
  // Fills in the response of the call.
  using Fill = std::function<void(const Turn& turn)>;

  // At work from then on; lives until gRPC and all others are done with it.
  static QueueCall* Start(const QueueParts& parts, const grpc::CallbackServerContext* call,
                          Wish wish, Fill fill);

  std::optional<std::string> Look(const ReadView& view) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Stage : uint8_t {
    kEntering,    // the place is not known yet
    kWaiting,     // somebody is before it
    kConfirming,  // nobody is, as far as this member has applied; has it applied everything?
    kConfirmed,   // it has: whether the place is still there can be looked up
    kOver,
  };

  QueueCall(const QueueParts& parts, const grpc::CallbackServerContext* call, Wish wish, Fill fill)
      : parts_(parts), call_(call), wish_(std::move(wish)), fill_(std::move(fill)) {}

  void GrantLease();
  void Enter();
  void OnEntered(absl::StatusOr<etcdserverpb::TxnResponse> response);
  void Confirm();
  void OnConfirmed(const absl::Status& passed);
  // At kConfirmed.
  absl::Status Conclude(const ReadView& view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the call if it is not over.
  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const QueueParts parts_;
  const grpc::CallbackServerContext* const call_;
  Wish wish_;  // its lease is final when it enters
  const Fill fill_;
  std::shared_ptr<QueueCall> self_;  // until OnDone

  absl::Mutex mutex_;
  Stage stage_ ABSL_GUARDED_BY(mutex_) = Stage::kEntering;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  Entered entered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_QUEUE_CALL_H_
