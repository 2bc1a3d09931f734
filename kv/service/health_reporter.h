// HealthReporter: tells gRPC's health service whether this member can serve.

#ifndef PONTOON_KV_SERVICE_HEALTH_REPORTER_H_
#define PONTOON_KV_SERVICE_HEALTH_REPORTER_H_

#include <grpcpp/health_check_service_interface.h>

#include "absl/time/time.h"
#include "kv/service/member.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// SERVING while the member knows a leader, since without one it can neither write nor read but
// stale data, and while its state is not known to be corrupt. Otherwise a load balancer should turn
// to another member.
//
// Thread safety: Start is called once; the rest happens on the executor, which must be gone before
// the reporter.
class HealthReporter {
 public:
  struct Parts {  // all borrowed
    const raft::Replica* replica;
    const Member* member;
    grpc::HealthCheckServiceInterface* health;
    const Clock* clock;
    Executor* executor;
  };

  // Looks every `interval`.
  HealthReporter(const Parts& parts, absl::Duration interval)
      : parts_(parts), interval_(interval) {}

  void Start();

 private:
  void Look();

  const Parts parts_;
  const absl::Duration interval_;
  bool serving_ = false;  // as the health service was told last
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_HEALTH_REPORTER_H_
