#include "cmd/pontoonctl/server_metrics.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

constexpr char kText[] =
    "# HELP memory_bytes Resident memory, in bytes.\n"
    "# TYPE memory_bytes gauge\n"
    "memory_bytes_max 1\n"
    "memory_bytes 2.9261824e+07\n"
    "labelled_bytes{type=\"a\"} 3\n"
    "timed_bytes 4 1700000000000\n"
    "odd_bytes many\n";

TEST(FindMetric, FindsTheLineOfTheName) {
  EXPECT_EQ(FindMetric(kText, "memory_bytes"), 29261824);
  EXPECT_EQ(FindMetric(kText, "memory_bytes_max"), 1);
  EXPECT_EQ(FindMetric(kText, "timed_bytes"), 4);
}

TEST(FindMetric, WhatIsNotThereIsNothing) {
  for (const char* name : {"memory", "HELP", "labelled_bytes", "odd_bytes", "other"}) {
    EXPECT_EQ(FindMetric(kText, name), std::nullopt) << name;
  }
  EXPECT_EQ(FindMetric("", "memory_bytes"), std::nullopt);
}

TEST(ReadMetric, SaysWhyThereIsNoAnswer) {
  const auto nobody = Endpoint::Parse("127.0.0.1:1");
  ASSERT_TRUE(nobody.ok());
  const auto value = ReadMetric(*nobody, "memory_bytes", absl::Seconds(5));
  EXPECT_EQ(value.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(value.status().message().rfind("cannot read http://127.0.0.1:1/metrics: ", 0), 0u)
      << value.status();
}

}  // namespace
}  // namespace pontoon::ctl
