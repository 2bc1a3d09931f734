#include "kv/client/lock.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "kv/client/await.h"
#include "kv/client/backoff.h"
#include "kv/client/client_core.h"
#include "kv/client/kv_calls.h"
#include "kv/client/lease_keeper.h"
#include "kv/client/lock_queue.h"
#include "kv/client/watch.h"

namespace pontoon {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::TxnResponse;

using Released = absl::AnyInvocable<void(const absl::Status&) &&>;

absl::Status PlaceLost() {
  return absl::AbortedError("pontoon: the key of the lock was deleted by another");
}

}  // namespace

// What goes on while the object is there; on the loop. First it gets a lease, then a place in the
// queue, then it looks who is before it: while there is one, it watches for its end and looks anew;
// once there is none it holds the lock, and watches its own key.
class Lock::Holding final : public Operation, public std::enable_shared_from_this<Holding> {
 public:
  Holding(Client* client, const Options& options, const Handlers& handlers)
      : client_(client),
        core_(&client->core()),
        loop_(core_->loop()),
        options_(options),
        handlers_(handlers) {}

  void Start() {
    if (over_) return;  // the object went first
    backoff_.emplace(core_->options().backoff, core_->NextSeed());
    core_->Add(shared_from_this());
    if (over_) return;  // so is the client
    granting_ = true;
    LeaseKeeper::GrantAsync(
        client_,
        {.ttl = options_.ttl,
         .on_lost =
             [weak = weak_from_this()](const absl::Status& why) {
               if (const auto holding = weak.lock(); holding != nullptr) holding->Lose(why);
             }},
        [holding = shared_from_this()](absl::StatusOr<std::unique_ptr<LeaseKeeper>> lease) {
          holding->OnLease(std::move(lease));
        });
  }

  void OnShutdown() override { Lose(ClientGone()); }

  // Nothing is told from now on. `released` hears when the servers know it, or that they may not.
  void Release(Released released) {
    End();
    if (outcome_.has_value()) return std::move(released)(*outcome_);
    releases_.push_back(std::move(released));
    if (releases_.size() == 1 && !granting_) GiveUpLease();
  }

  bool IsHeld() const {
    absl::MutexLock lock(&mutex_);
    return held_lease_ != nullptr && held_lease_->IsAlive();
  }
  Fence fence() const {
    absl::MutexLock lock(&mutex_);
    return fence_;
  }
  const std::shared_ptr<EventLoop>& loop() const { return loop_; }

 private:
  void OnLease(absl::StatusOr<std::unique_ptr<LeaseKeeper>> lease) {
    granting_ = false;
    if (lease.ok()) lease_ = *std::move(lease);
    if (over_) return GiveUpLease();
    if (!lease.ok()) return Lose(lease.status());
    place_.key = LockKey(options_.name, lease_->id());
    Enter();
  }

  void Enter() {
    SendTxn(core_, EnterLockQueue(place_.key, options_.value, lease_->id()), {},
            Effect::kRepeatable, IfThere(&Holding::OnEntered, &Holding::Enter));
  }

  void OnEntered(const TxnResponse& response) {
    place_.create_revision = CreateRevisionIn(response);
    if (place_.create_revision == 0) return Lose(PlaceLost());
    Look();
  }

  void Look() {
    SendReadTxn(core_, LookAtLockQueue(options_.name, place_), {},
                IfThere(&Holding::OnLook, &Holding::Look));
  }

  void OnLook(const TxnResponse& response) {
    const LockQueueLook look = ReadLockQueueLook(place_, response);
    if (!look.has_place) return Lose(PlaceLost());
    // Whatever was watched, its news is here. Look again when there is other news.
    const std::string& watched = look.before.has_value() ? *look.before : place_.key;
    watch_ = std::make_unique<Watch>(
        client_, DeletionOf(watched, response.header().revision()),
        Watch::Handlers{.on_events =
                            [weak = weak_from_this()](const std::vector<mvccpb::Event>&) {
                              if (const auto holding = weak.lock(); holding != nullptr)
                                holding->LookAgain();
                            },
                        .on_end =
                            [weak = weak_from_this()](const WatchEnd& end) {
                              const auto holding = weak.lock();
                              if (holding == nullptr) return;
                              if (end.first_revision == 0) return holding->Lose(end.status);
                              holding->LookAgain();  // the deletion may be in what was compacted
                            }});
    if (!look.before.has_value()) Hold();
  }

  void LookAgain() {
    if (!over_) Look();
  }

  void Hold() {
    {
      absl::MutexLock lock(&mutex_);
      if (held_lease_ != nullptr) return;  // it is held already
      held_lease_ = lease_;
      fence_ = place_;
    }
    if (handlers_.on_held != nullptr) handlers_.on_held();
  }

  void Lose(const absl::Status& why) {
    if (over_) return;
    const auto self = shared_from_this();
    Release([](const absl::Status&) {});
    if (handlers_.on_lost != nullptr) handlers_.on_lost(why);
  }

  // The place in the queue goes with it.
  void GiveUpLease() {
    if (lease_ == nullptr) return OnReleased(absl::OkStatus());
    // Whoever revokes it must live until then.
    lease_->RevokeAsync([holding = shared_from_this()](const absl::Status& revoked) {
      holding->lease_ = nullptr;
      holding->OnReleased(revoked);
    });
  }

  void OnReleased(const absl::Status& outcome) {
    outcome_ = outcome;
    for (Released& released : std::exchange(releases_, {})) std::move(released)(outcome);
  }

  void End() {
    over_ = true;
    {
      absl::MutexLock lock(&mutex_);
      held_lease_ = nullptr;
    }
    watch_ = nullptr;
    core_->Remove(shared_from_this());
  }

  // A callback that goes on with `next`; or, if the call failed and the lease still lives, makes it
  // `again` after a pause. If it is over, does nothing.
  Callback<TxnResponse> IfThere(void (Holding::*next)(const TxnResponse&),
                                void (Holding::*again)()) {
    return [holding = shared_from_this(), next, again](absl::StatusOr<TxnResponse> response) {
      if (holding->over_) return;
      if (response.ok()) return (holding.get()->*next)(*response);
      const absl::Status& error = response.status();
      const bool may_pass = absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error) ||
                            absl::IsResourceExhausted(error);
      if (!may_pass) return holding->Lose(error);
      holding->loop_->PostAt(EventLoop::After(holding->backoff_->Next()),
                             [weak = std::weak_ptr(holding), again] {
                               const auto holding = weak.lock();
                               if (holding != nullptr && !holding->over_) {
                                 (holding.get()->*again)();
                               }
                             });
    };
  }

  Client* const client_;
  ClientCore* const core_;
  const std::shared_ptr<EventLoop> loop_;
  const Options options_;
  const Handlers handlers_;

  bool over_ = false;
  bool granting_ = false;
  std::vector<Released> releases_;       // who is to hear the outcome
  std::optional<absl::Status> outcome_;  // of giving it up
  std::shared_ptr<LeaseKeeper> lease_;
  Fence place_;
  std::unique_ptr<Watch> watch_;
  std::optional<Backoff> backoff_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<LeaseKeeper> held_lease_ ABSL_GUARDED_BY(mutex_);  // null: it is not held
  Fence fence_ ABSL_GUARDED_BY(mutex_);
};

Lock::Lock(Client* client, const Options& options, const Handlers& handlers)
    : holding_(std::make_shared<Holding>(client, options, handlers)) {
  client->core().Run([holding = holding_] { holding->Start(); });
}

Lock::~Lock() {
  holding_->loop()->RunAndWait([&] { holding_->Release([](const absl::Status&) {}); });
}

absl::StatusOr<std::unique_ptr<Lock>> Lock::Acquire(
    Client* client, const Options& options, absl::Duration timeout,
    const std::function<void(const absl::Status& why)>& on_lost) {
  if (client->IsInCallback()) return WouldWaitForItself();
  // Shared with the handlers, which live on.
  struct Waiting {
    absl::Mutex mutex;
    bool over ABSL_GUARDED_BY(mutex) = false;
    bool held ABSL_GUARDED_BY(mutex) = false;
    absl::Status why ABSL_GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  auto lock = std::make_unique<Lock>(client, options,
                                     Handlers{.on_held =
                                                  [waiting] {
                                                    absl::MutexLock lock(&waiting->mutex);
                                                    waiting->over = waiting->held = true;
                                                  },
                                              .on_lost =
                                                  [waiting, on_lost](const absl::Status& why) {
                                                    bool was_held;
                                                    {
                                                      absl::MutexLock lock(&waiting->mutex);
                                                      was_held = waiting->held;
                                                      waiting->over = true;
                                                      waiting->why = why;
                                                    }
                                                    if (was_held && on_lost != nullptr)
                                                      on_lost(why);
                                                  }});
  absl::MutexLock mutex_lock(&waiting->mutex);
  waiting->mutex.AwaitWithTimeout(absl::Condition(&waiting->over), timeout);
  if (waiting->held) return lock;
  if (waiting->over) return waiting->why;
  return absl::DeadlineExceededError(
      absl::StrCat("pontoon: the lock ", options.name, " was not to be had in time"));
}

bool Lock::IsHeld() const { return holding_->IsHeld(); }

Fence Lock::fence() const { return holding_->fence(); }

absl::Status Lock::Release() {
  if (holding_->loop()->IsCurrent()) return WouldWaitForItself();
  return Await<absl::Status>([&](auto done) {
    holding_->loop()->RunAndWait([&] { holding_->Release(std::move(done)); });
  });
}

RangeRequest HolderRequest(const std::string& name) {
  RangeRequest request = ForPrefix<RangeRequest>(absl::StrCat(name, "/"));
  request.set_sort_target(RangeRequest::CREATE);
  request.set_sort_order(RangeRequest::ASCEND);
  request.set_limit(1);
  return request;
}

}  // namespace pontoon
