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
using etcdserverpb::TxnRequest;

// What the flags make of a request.
template <typename Request = RangeRequest>
absl::StatusOr<Request> With(std::vector<std::string> words, Request request = {}) {
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

template <typename Request = RangeRequest>
std::string TextWith(const std::vector<std::string>& words, const Request& before = {}) {
  const auto request = With(words, before);
  return request.ok() ? request->ShortDebugString() : request.status().ToString();
}

RangeRequest Serializable() {
  RangeRequest request;
  request.set_serializable(true);
  return request;
}

// Reads one key if its comparisons hold, and another if not.
TxnRequest TwoReads(bool first_is_serializable, bool second_is_serializable) {
  TxnRequest request;
  RangeRequest* const first = request.add_success()->mutable_request_range();
  first->set_key("a");
  first->set_serializable(first_is_serializable);
  RangeRequest* const second = request.add_failure()->mutable_request_range();
  second->set_key("b");
  second->set_serializable(second_is_serializable);
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

TEST(ReadFlags, AreOfATransactionAndNotOfItsRanges) {
  const std::string ranges =
      "success { request_range { key: \"a\" } } failure { request_range { key: \"b\" } }";
  const TxnRequest request = TwoReads(false, false);
  EXPECT_EQ(TextWith({}, request), ranges);
  EXPECT_EQ(TextWith({"--consistency", "lease", "--min-revision", "7"}, request),
            ranges + " read_options { consistency: LEASE min_revision: 7 }");
  EXPECT_EQ(TextWith({"--max-staleness", "2s"}, request),
            "success { request_range { key: \"a\" serializable: true } } "
            "failure { request_range { key: \"b\" serializable: true } } "
            "read_options { consistency: FOLLOWER max_staleness { seconds: 2 } }")
      << "etcd understands a half of it";
}

TEST(ReadFlags, FindATransactionSerializableIfAllItsRangesAre) {
  const std::vector<std::string> words = {"--consistency", "lease"};
  EXPECT_FALSE(With(words, TwoReads(true, true)).ok());
  EXPECT_TRUE(With(words, TwoReads(true, false)).ok());
  EXPECT_TRUE(With(words, TwoReads(false, true)).ok());
  EXPECT_TRUE(With(words, TxnRequest()).ok()) << "of no range";
  EXPECT_EQ(With({"--min-revision", "7"}, TwoReads(true, true))->read_options().consistency(),
            pontoon::v1::ReadOptions::FOLLOWER);
}

TEST(ReadFlags, LeaveItToTheServerToRefuseATransactionThatWrites) {
  TxnRequest request;
  request.add_success()->mutable_request_put()->set_key("k");
  EXPECT_EQ(TextWith({"--consistency", "follower"}, request),
            "success { request_put { key: \"k\" } } read_options { consistency: FOLLOWER }");
}

}  // namespace
}  // namespace pontoon::ctl
