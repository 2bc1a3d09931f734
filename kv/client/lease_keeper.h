// LeaseKeeper: a lease that is kept alive.

#ifndef PONTOON_KV_CLIENT_LEASE_KEEPER_H_
#define PONTOON_KV_CLIENT_LEASE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/client/client.h"

namespace pontoon {

// Renews its lease each time a third of its time has gone, at whatever member answers, until the
// object goes. Then the lease ends by itself, unless it is revoked.
//
// A lease is lost when a server says that it is over, and also when no server has renewed it for
// the whole of its time, on this machine's clock and counted from the sending of the last renewal
// (lease_term.h): then it may be over, and who relies on it must stop. No look at a clock tells a
// program that was paused after the look: writes that must not be done then take a Fence (lock.h).
//
// Thread safety: all methods may be called from any thread. The client must outlive it.
class LeaseKeeper {
 public:
  struct Options {
    absl::Duration ttl = absl::Seconds(10);  // rounded up to whole seconds
    // Called once when the lease is lost, on the client's thread; the status says why. It is not
    // called any more when the destructor has returned.
    std::function<void(const absl::Status& why)> on_lost = nullptr;
    // Of the call that grants it. Zero: that of ClientOptions.
    absl::Duration timeout = absl::ZeroDuration();
  };

  static absl::StatusOr<std::unique_ptr<LeaseKeeper>> Grant(Client* client, const Options& options);
  static void GrantAsync(Client* client, const Options& options,
                         Callback<std::unique_ptr<LeaseKeeper>> done);
  ~LeaseKeeper();

  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  int64_t id() const;
  // Whether it is not lost, by the clock too.
  bool IsAlive() const;

  // Ends the lease, and removes the keys that hang on it. Nothing is told to on_lost.
  absl::Status Revoke();
  void RevokeAsync(absl::AnyInvocable<void(const absl::Status& revoked) &&> done);

 private:
  class Keeping;

  explicit LeaseKeeper(std::shared_ptr<Keeping> keeping);

  const std::shared_ptr<Keeping> keeping_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_LEASE_KEEPER_H_
