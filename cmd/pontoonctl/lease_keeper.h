// LeaseKeeper: keeps a lease alive.

#ifndef PONTOON_CMD_PONTOONCTL_LEASE_KEEPER_H_
#define PONTOON_CMD_PONTOONCTL_LEASE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {

// Renews a lease each time a third of its time has gone, at whatever endpoint answers, until the
// object goes; it does not revoke it.
//
// A lease is lost when a server says that it is over, and also when no server has renewed it for
// the whole of its time: then it may be over, and who relies on it must stop. Its time counts from
// before the request of the last renewal was sent, so that we give up before the servers do, as
// long as their clocks do not run faster than ours.
class LeaseKeeper {
 public:
  struct Lease {
    int64_t id;
    absl::Duration ttl;
    // From before the request that granted it was sent, so long as `ttl`.
    Deadline expiry;
  };

  // Called on the keeper's own thread.
  struct Events {
    // The lease has been renewed.
    std::function<void(absl::Duration ttl)> on_renewed = [](absl::Duration) {};
    // The lease is lost; nothing else follows.
    std::function<void(const std::string& why)> on_lost;
  };

  // The session must outlive it.
  LeaseKeeper(Session& session, const Lease& lease, Events events);

  // Takes as long as a request that is under way, at most a third of the lease's time.
  ~LeaseKeeper();

  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

 private:
  void Keep();

  // Renews it once. False if the lease is lost.
  bool Renew();

  // False if there is to be no other renewal.
  bool WaitFor(absl::Duration duration);

  Session& session_;
  Lease lease_;
  const Events events_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_LEASE_KEEPER_H_
