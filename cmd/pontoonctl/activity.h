// What a member did between two answers about its status.

#ifndef PONTOON_CMD_PONTOONCTL_ACTIVITY_H_
#define PONTOON_CMD_PONTOONCTL_ACTIVITY_H_

#include <optional>

#include "absl/time/time.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

struct Activity {
  // A second.
  double writes = 0;
  double requests = 0;
  double failures = 0;
  // Nothing where nothing was timed.
  std::optional<absl::Duration> request_p50;
  std::optional<absl::Duration> request_p99;
  std::optional<absl::Duration> log_write_p99;
};

// Nothing if the member tells nothing of it (etcd does not), or has started anew in between.
std::optional<Activity> ActivityBetween(const etcdserverpb::StatusResponse& before,
                                        const etcdserverpb::StatusResponse& after,
                                        absl::Duration elapsed);

// The share `quantile`, in (0, 1], of what was timed in between took no longer than this; between
// the bounds of a bucket it is interpolated, as Prometheus does. What lies beyond all bounds counts
// as the last one. Nothing if nothing was timed.
std::optional<absl::Duration> QuantileBetween(const pontoon::v1::DurationCounts& before,
                                              const pontoon::v1::DurationCounts& after,
                                              double quantile);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_ACTIVITY_H_
