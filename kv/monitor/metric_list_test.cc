#include "kv/monitor/metric_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "kv/monitor/process_metrics.h"

namespace pontoon::kv {
namespace {

using ::testing::HasSubstr;

std::string Text(MetricList list) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, std::move(list).Take());
  return std::move(text).str();
}

TEST(MetricList, SamplesOfOneNameAreOneFamily) {
  MetricList list;
  list.AddGauge("a_lag", "How far behind.", 1, {{"peer", "x"}});
  list.AddGauge("a_lag", "How far behind.", 2.5, {{"peer", "y"}});
  list.AddCounter("b_total", "Of b.", 7);
  EXPECT_EQ(Text(std::move(list)),
            "# HELP a_lag How far behind.\n"
            "# TYPE a_lag gauge\n"
            "a_lag{peer=\"x\"} 1\n"
            "a_lag{peer=\"y\"} 2.5\n"
            "# HELP b_total Of b.\n"
            "# TYPE b_total counter\n"
            "b_total 7\n");
}

TEST(MetricList, AHistogramIsCumulative) {
  DurationHistogram histogram;
  histogram.Record(absl::Microseconds(100));
  histogram.Record(absl::Milliseconds(1));
  histogram.Record(absl::Minutes(1));
  MetricList list;
  list.AddHistogram("c_seconds", "Of c.", histogram.Read());
  const std::string text = Text(std::move(list));
  EXPECT_THAT(text, HasSubstr("c_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_sum 60.0011\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"0.000125\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"0.0005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"0.001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"8.192\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(MetricListDeathTest, AFamilyThatIsInterruptedIsAMistake) {
  MetricList list;
  list.AddGauge("a", "", 1);
  list.AddGauge("b", "", 1);
  EXPECT_DEATH(list.AddGauge("a", "", 1), "one after the other");
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  MetricList list;
  AddProcessMetrics(&list);
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : std::move(list).Take()) {
    const prometheus::ClientMetric& metric = family.metric.front();
    values[family.name] =
        family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_threads"), 1);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  EXPECT_GT(values.at("process_start_time_seconds"), 1.6e9);
}

}  // namespace
}  // namespace pontoon::kv
