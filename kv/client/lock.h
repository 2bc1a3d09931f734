// Lock: mutual exclusion among processes, with a fence for those that do not know that they lost
// it.

#ifndef PONTOON_KV_CLIENT_LOCK_H_
#define PONTOON_KV_CLIENT_LOCK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/client/client.h"
#include "kv/client/write_options.h"

namespace pontoon {

// Queues for the lock when it is made, holds it from some time on, and gives it up when it goes.
// Its lease keeps the place in the queue while members and connections come and go; if the process
// dies, the others wait for the lease.
//
// It may be lost, as every lock that can be had again after a crash: when its lease is (see
// LeaseKeeper), or if someone deletes its key. No holder hears of that in time if it is itself
// paused. So a write that must not be done without the lock carries its fence, WriteOptions::fence:
// then the servers refuse it once the lock is lost (docs/locks.md).
//
// An election is a lock whose value says who holds it.
//
// Thread safety: all methods may be called from any thread. The client must outlive it.
class Lock {
 public:
  struct Options {
    std::string name;
    std::string value = {};  // of the key; see HolderRequest
    // How long the others wait for this process if it dies. Rounded up to whole seconds.
    absl::Duration ttl = absl::Seconds(10);
  };
  // Called on the client's thread, and not any more when the destructor has returned.
  struct Handlers {
    std::function<void()> on_held = nullptr;
    // Once; nothing follows. It was held, or may not even be waited for any more: the status says
    // why.
    std::function<void(const absl::Status& why)> on_lost = nullptr;
  };

  Lock(Client* client, const Options& options, const Handlers& handlers);
  // Tells the servers, and does not wait for that: if the client goes right after, the others may
  // have to wait for the end of the lease. Release waits.
  ~Lock();

  // Makes one and waits until it is held. DEADLINE_EXCEEDED if it is not within `timeout`; then
  // the place in the queue is given up.
  static absl::StatusOr<std::unique_ptr<Lock>> Acquire(
      Client* client, const Options& options, absl::Duration timeout,
      const std::function<void(const absl::Status& why)>& on_lost = nullptr);

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Whether it is held, as far as can be known without asking.
  bool IsHeld() const;
  // What writes under the lock carry; without a key if it was never held.
  Fence fence() const;

  // Gives it up, and waits for that, also if it is being given up already. Nothing is told to
  // on_lost. An error: the servers may not know it yet, and the others may have to wait for the end
  // of the lease.
  absl::Status Release();

 private:
  class Holding;

  const std::shared_ptr<Holding> holding_;
};

// Reads the key of whoever holds the lock `name`: none in the response if nobody does.
etcdserverpb::RangeRequest HolderRequest(const std::string& name);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_LOCK_H_
