// pontoonctl lag, of members that keep up, stand still, and are gone.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/client.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/tool.h"

namespace pontoon::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr char kNothingIsKnown[] = "shows everything older than .*; lacks nothing that is known";

class LagTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    const absl::StatusOr<int> leader = cluster_.WaitForLeader();
    ASSERT_OK(leader);
    leader_ = *leader;
    follower_ = (leader_ + 1) % cluster_.size();
    ASSERT_OK(cluster_.client(leader_).Put("k", "1"));
  }

  CommandResult Lag(const std::vector<std::string>& flags) {
    std::vector<std::string> words = {"--endpoints", cluster_.Endpoints(), "--timeout", "2s",
                                      "lag"};
    words.insert(words.end(), flags.begin(), flags.end());
    return RunTool(words);
  }

  // What it says of a node.
  json RowOf(int node) {
    const CommandResult result = Lag({"--output", "json"});
    EXPECT_TRUE(result.ok()) << result.err;
    for (const json& row : json::parse(result.out, nullptr, /*allow_exceptions=*/false)) {
      if (row["endpoint"] == cluster_.address(node)) return row;
    }
    ADD_FAILURE() << result.out;
    return json::object();
  }
  static std::string Words(const json& row) { return row.value("follower_read", ""); }

  // Every linearizable read at a member proves its state.
  void ProveAll() {
    for (const int node : cluster_.AllNodes()) ASSERT_OK(cluster_.client(node).Get("k"));
  }

  Cluster cluster_;
  int leader_ = 0;
  int follower_ = 0;
};

TEST_F(LagTest, MembersThatKeepUpLackNothing) {
  for (const int node : cluster_.AllNodes()) ASSERT_OK(cluster_.WaitForCatchUp(node));
  ASSERT_NO_FATAL_FAILURE(ProveAll());
  const auto got = cluster_.client(leader_).Get("k");
  ASSERT_OK(got);
  for (const int node : cluster_.AllNodes()) {
    // The leader hears of what a follower has with its next answer.
    json row;
    ASSERT_TRUE(Eventually([&] {
      row = RowOf(node);
      return node == leader_ || row["lag_entries"] == 0;
    })) << row;
    EXPECT_EQ(row["role"], node == leader_ ? "leader" : "follower");
    EXPECT_EQ(row["revision"], got.response.header().revision());
    EXPECT_EQ(row["lag"], 0) << row;
    EXPECT_TRUE(row["proven"].is_number()) << row;
    EXPECT_THAT(Words(row), MatchesRegex(kNothingIsKnown));
    for (const char* of_followers : {"lag_entries", "lag_bytes", "behind", "heard"}) {
      EXPECT_EQ(row[of_followers].is_null(), node == leader_) << of_followers << row;
    }
  }
  const CommandResult table = Lag({});
  EXPECT_TRUE(table.ok());
  EXPECT_THAT(table.out, HasSubstr("| FOLLOWER READ "));
  EXPECT_THAT(table.out, HasSubstr(" lacks nothing that is known"));
}

TEST_F(LagTest, AMemberThatStandsStillIsShownAsItsLeaderSeesIt) {
  cluster_.Pause(follower_);
  ASSERT_OK(cluster_.client(leader_).Put("k", "2"));
  json row;
  ASSERT_TRUE(Eventually([&] {
    row = RowOf(follower_);
    return row["heard"].is_number() && row["heard"] >= 1000;
  })) << row;
  EXPECT_EQ(row["role"], "unreachable");
  EXPECT_TRUE(row["revision"].is_null());
  EXPECT_TRUE(row["proven"].is_null());
  EXPECT_GE(row["lag_entries"], 1);
  EXPECT_GT(row["lag_bytes"], 0);
  EXPECT_GT(row["behind"], 0);
  EXPECT_THAT(Words(row), MatchesRegex("unreachable; the leader heard from it .* s ago"));

  cluster_.Continue(follower_);
  EXPECT_TRUE(Eventually([&] {
    row = RowOf(follower_);
    return row["role"] == "follower" && row["lag_entries"] == 0 && row["lag"] == 0;
  })) << row;
}

TEST_F(LagTest, AMemberThatHasNoLeaderSaysWhatItCanProve) {
  ASSERT_NO_FATAL_FAILURE(ProveAll());
  for (const int node : cluster_.AllNodesBut(follower_)) cluster_.Pause(node);
  json row;
  ASSERT_TRUE(Eventually([&] {
    row = RowOf(follower_);
    return absl::StartsWith(Words(row), "knows no leader; ");
  })) << row;
  EXPECT_THAT(Words(row), MatchesRegex("knows no leader; shows everything older than .* s"));
  EXPECT_GT(row["proven"], 0);
  EXPECT_TRUE(row["lag"].is_null()) << "nobody can say";
  EXPECT_EQ(Words(RowOf(leader_)), "unreachable");
}

TEST_F(LagTest, WithoutAnyMemberItFails) {
  cluster_.KillAll();
  const CommandResult nobody = Lag({});
  EXPECT_EQ(nobody.exit, (ExitStatus{.code = 1}));
  EXPECT_THAT(nobody.err, HasSubstr("no member answers"));
  EXPECT_THAT(nobody.out, HasSubstr("unreachable"));
}

}  // namespace
}  // namespace pontoon::testing
