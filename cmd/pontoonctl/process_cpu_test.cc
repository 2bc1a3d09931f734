#include "cmd/pontoonctl/process_cpu.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pontoon::ctl {
namespace {

TEST(ParseProcStat, AddsUserAndSystemTime) {
  const auto cpu = ParseProcStat(
      "42 (an (odd) name) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 9 0 100 200", 100);
  ASSERT_TRUE(cpu.ok()) << cpu.status();
  EXPECT_EQ(*cpu, absl::Seconds(2));
}

TEST(ParseProcStat, RefusesOtherText) {
  for (const char* text : {"", "42", "42 (x)", "42 (x) S 1 42 42 0 -1 0 0 0 0 0 abc 1"}) {
    EXPECT_FALSE(ParseProcStat(text, 100).ok()) << text;
  }
}

TEST(ProcessCpuTime, GrowsWhileAProcessWorks) {
  const auto before = ProcessCpuTime(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  // Reading it is work. What bounds the loop is the test's own time limit.
  while (*ProcessCpuTime(getpid()) == *before) {
  }
  EXPECT_FALSE(ProcessCpuTime(-1).ok());
}

}  // namespace
}  // namespace pontoon::ctl
