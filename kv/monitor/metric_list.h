// MetricList: what one scrape shows, in the making.

#ifndef PONTOON_KV_MONITOR_METRIC_LIST_H_
#define PONTOON_KV_MONITOR_METRIC_LIST_H_

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "raft/env/instruments.h"

namespace pontoon::kv {

// Gathers readings into families of one name. Names and units follow the conventions of Prometheus:
// base units, `_total` for what only grows.
//
// Thread safety: none; a value for one scrape.
class MetricList {
 public:
  using Labels = std::initializer_list<std::pair<absl::string_view, std::string>>;

  // `help` counts where a name comes first. All samples of a family must come one after the other.
  void AddCounter(absl::string_view name, absl::string_view help, double value, Labels labels = {});
  void AddGauge(absl::string_view name, absl::string_view help, double value, Labels labels = {});
  void AddHistogram(absl::string_view name, absl::string_view help,
                    const DurationHistogram::Reading& reading, Labels labels = {});

  std::vector<prometheus::MetricFamily> Take() && { return std::move(families_); }

 private:
  prometheus::ClientMetric& Add(absl::string_view name, absl::string_view help,
                                prometheus::MetricType type, Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_METRIC_LIST_H_
