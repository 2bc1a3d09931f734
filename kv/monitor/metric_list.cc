#include "kv/monitor/metric_list.h"

#include <limits>

#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

constexpr double kNanosPerSecond = 1e9;

}  // namespace

prometheus::ClientMetric& MetricList::Add(absl::string_view name, absl::string_view help,
                                          prometheus::MetricType type, Labels labels) {
  if (families_.empty() || families_.back().name != name) {
    for (const prometheus::MetricFamily& family : families_) {
      CHECK(family.name != name) << name << ": its samples must come one after the other";
    }
    families_.push_back({std::string(name), std::string(help), type, {}});
  }
  prometheus::MetricFamily& family = families_.back();
  CHECK(family.type == type) << name << " is of two types";
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (const auto& [label, value] : labels) metric.label.push_back({std::string(label), value});
  return metric;
}

void MetricList::AddCounter(absl::string_view name, absl::string_view help, double value,
                            Labels labels) {
  Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricList::AddGauge(absl::string_view name, absl::string_view help, double value,
                          Labels labels) {
  Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricList::AddHistogram(absl::string_view name, absl::string_view help,
                              const DurationHistogram::Reading& reading, Labels labels) {
  auto& histogram = Add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    histogram.sample_count += reading.counts[i];
    const bool is_last = i == DurationHistogram::kBounds;
    const double bound =
        is_last ? std::numeric_limits<double>::infinity()
                : static_cast<double>(DurationHistogram::BoundNanos(i)) / kNanosPerSecond;
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = absl::ToDoubleSeconds(reading.sum);
}

}  // namespace pontoon::kv
