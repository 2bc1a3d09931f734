#include "cmd/pontoonctl/read_flags.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;

// What the flags make of a request.
absl::StatusOr<RangeRequest> With(std::vector<std::string> words, RangeRequest request = {}) {
  CLI::App app;
  ReadFlags flags;
  flags.DeclareOn(app);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (absl::Status s = flags.AddTo(&request); !s.ok()) return s;
  return request;
}

std::string TextWith(const std::vector<std::string>& words) {
  const auto request = With(words);
  return request.ok() ? request->ShortDebugString() : request.status().ToString();
}

RangeRequest Serializable() {
  RangeRequest request;
  request.set_serializable(true);
  return request;
}

TEST(ReadFlags, SayNothingIfNoneIsGiven) { EXPECT_EQ(TextWith({}), ""); }

TEST(ReadFlags, ChooseTheConsistency) {
  EXPECT_EQ(TextWith({"--consistency", "linearizable"}), "read_options { }");
  EXPECT_EQ(TextWith({"--consistency", "lease"}), "read_options { consistency: LEASE }");
  EXPECT_EQ(TextWith({"--consistency", "follower"}),
            "serializable: true read_options { consistency: FOLLOWER }")
      << "etcd understands a half of it";
}

TEST(ReadFlags, SetBounds) {
  EXPECT_EQ(TextWith({"--max-staleness", "1.5s"}),
            "serializable: true read_options { consistency: FOLLOWER max_staleness { seconds: 1 "
            "nanos: 500000000 } }");
  EXPECT_EQ(TextWith({"--max-staleness", "0"}),
            "serializable: true read_options { consistency: FOLLOWER max_staleness { } }");
  EXPECT_EQ(TextWith({"--min-revision", "7"}), "read_options { min_revision: 7 }");
  EXPECT_EQ(With({"--min-revision", "7"}, Serializable())->read_options().consistency(),
            pontoon::v1::ReadOptions::FOLLOWER);
}

TEST(ReadFlags, RefuseWhatMakesNoSense) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--consistency", "strong"},
           {"--consistency", "lease", "--max-staleness", "1s"},
           {"--consistency", "linearizable", "--max-staleness", "1s"},
           {"--max-staleness", "5"},
           {"--max-staleness", "-1s"},
           {"--max-staleness", "inf"},
           {"--min-revision", "-1"},
           {"--min-revision", "x"}}) {
    EXPECT_FALSE(With(words).ok()) << ::testing::PrintToString(words);
  }
  EXPECT_FALSE(With({"--consistency", "lease"}, Serializable()).ok());
}

}  // namespace
}  // namespace pontoon::ctl
