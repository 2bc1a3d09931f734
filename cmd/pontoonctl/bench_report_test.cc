#include "cmd/pontoonctl/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace pontoon::ctl {
namespace {

using ::testing::HasSubstr;

BenchResult SomeResult() {
  BenchResult result;
  for (int us = 1; us <= 1000; ++us) result.latency.Record(absl::Microseconds(us));
  result.errors = {{14, 3}, {4, 1}};
  result.elapsed = absl::Seconds(2);
  result.longest_gap = absl::Microseconds(12345);
  result.server_cpu = {absl::Milliseconds(40), absl::Milliseconds(10)};
  result.client_cpu = absl::Milliseconds(20);
  return result;
}

std::string Report(const BenchOptions& options, OutputFormat format) {
  std::ostringstream out;
  PrintBenchReport(options, SomeResult(), format, out);
  return out.str();
}

TEST(BenchReport, AsJsonIsOneObject) {
  const auto report =
      nlohmann::json::parse(Report({.clients = 7, .pids = {11, 12}}, OutputFormat::kJson));
  EXPECT_EQ(report["operation"], "put");
  EXPECT_EQ(report["clients"], 7);
  EXPECT_EQ(report["operations"], 1000);
  EXPECT_EQ(report["elapsed_s"], 2.0);
  EXPECT_EQ(report["rate_per_second"], 500.0);
  EXPECT_EQ(report["errors"], nlohmann::json::parse(R"({"UNAVAILABLE":3,"DEADLINE_EXCEEDED":1})"));
  EXPECT_EQ(report["latency_mean_us"], 500.5);
  EXPECT_NEAR(report["latency_p99_us"], 990, 8);
  EXPECT_EQ(report["latency_max_us"], 1000.0);
  EXPECT_EQ(report["longest_gap_ms"], 12.3);
  // 1,004 operations, those that failed included.
  EXPECT_EQ(report["server_cpu_us_per_op"], 49.8);
  EXPECT_EQ(report["server_cpu_us_per_op_by_pid"]["11"], 39.8);
  EXPECT_EQ(report["client_cpu_us_per_op"], 19.9);
}

TEST(BenchReport, AsTextIsALineForEachFigure) {
  const std::string report =
      Report({.operation = BenchOptions::Operation::kGet}, OutputFormat::kPlain);
  EXPECT_THAT(report, HasSubstr("operation                    get\n"));
  EXPECT_THAT(report, HasSubstr("rate_per_second              500.0\n"));
  EXPECT_THAT(report, ::testing::Not(HasSubstr("server_cpu")));
}

TEST(BenchKey, IsPaddedToItsSize) {
  EXPECT_EQ(BenchKey("bench/", 42, 16), "bench/0000000042");
  EXPECT_EQ(BenchKey("bench/", 42, 8), "bench/42");
  EXPECT_EQ(BenchKey("b/", 42, 1), "b/42");
  EXPECT_EQ(BenchKeySizeMin(10'000), 10);
  EXPECT_EQ(BenchKeySizeMin(10'001), 11);
  EXPECT_EQ(BenchKeySizeMin(1), 7);
}

}  // namespace
}  // namespace pontoon::ctl
