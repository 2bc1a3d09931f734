// ReadMetric: one of the figures that a server shows to Prometheus.

#ifndef PONTOON_CMD_PONTOONCTL_SERVER_METRICS_H_
#define PONTOON_CMD_PONTOONCTL_SERVER_METRICS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/endpoint.h"

namespace pontoon::ctl {

// The value of `name`, which has no labels, at http://`endpoint`/metrics. UNAVAILABLE: there is no
// connection, or no answer within `timeout`; NOT_FOUND: what answers does not show it.
absl::StatusOr<double> ReadMetric(const Endpoint& endpoint, absl::string_view name,
                                  absl::Duration timeout);

// The value in `text`, which is in Prometheus's text format; nothing if it is not there.
std::optional<double> FindMetric(absl::string_view text, absl::string_view name);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SERVER_METRICS_H_
