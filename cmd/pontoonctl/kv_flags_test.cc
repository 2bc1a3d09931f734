#include "cmd/pontoonctl/kv_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using ::testing::HasSubstr;

// Lets `flags` read `words`; false if they cannot be read.
template <typename Flags>
bool Read(Flags& flags, std::vector<std::string> words) {
  CLI::App app;
  flags.DeclareOn(app);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError&) {
    return false;
  }
  return true;
}

absl::StatusOr<RangeRequest> Get(const std::vector<std::string>& words) {
  GetFlags flags;
  if (!Read(flags, words)) return absl::InvalidArgumentError("cannot be read");
  return flags.Build();
}

absl::StatusOr<etcdserverpb::PutRequest> Put(const std::vector<std::string>& words) {
  PutFlags flags;
  if (!Read(flags, words)) return absl::InvalidArgumentError("cannot be read");
  return flags.Build("from elsewhere");
}

TEST(GetFlags, ReadsAKeyARangeAPrefixOrTheRest) {
  const std::string zero(1, '\0');
  const struct {
    std::vector<std::string> words;
    std::string key;
    std::string end;
  } cases[] = {
      {{"a"}, "a", ""},
      {{"a", "c"}, "a", "c"},
      {{"a", "--prefix"}, "a", "b"},
      {{"--prefix", "a"}, "a", "b"},
      {{"", "--prefix"}, zero, zero},
      {{"a", "--from-key"}, "a", zero},
      {{"", "--from-key"}, zero, zero},
      {{"--", "--prefix"}, "--prefix", ""},
  };
  for (const auto& c : cases) {
    const auto request = Get(c.words);
    ASSERT_TRUE(request.ok()) << request.status() << ::testing::PrintToString(c.words);
    EXPECT_EQ(request->key(), c.key);
    EXPECT_EQ(request->range_end(), c.end);
  }
}

TEST(GetFlags, AnOrderIsNeverLeftToTheServer) {
  EXPECT_EQ(Get({"a"})->sort_order(), RangeRequest::NONE);
  EXPECT_EQ(Get({"a", "--sort-by", "value"})->sort_order(), RangeRequest::ASCEND);
  EXPECT_EQ(Get({"a", "--sort-by", "value"})->sort_target(), RangeRequest::VALUE);
  EXPECT_EQ(Get({"a", "--order", "descend"})->sort_order(), RangeRequest::DESCEND);
  EXPECT_EQ(Get({"a", "--order", "descend"})->sort_target(), RangeRequest::KEY);
  EXPECT_EQ(Get({"a", "--sort-by=modify"})->sort_target(), RangeRequest::MOD);
  EXPECT_EQ(Get({"a", "--sort-by=create"})->sort_target(), RangeRequest::CREATE);
  EXPECT_EQ(Get({"a", "--sort-by=version"})->sort_target(), RangeRequest::VERSION);
}

TEST(GetFlags, PassesTheOthersOn) {
  const auto request =
      Get({"a", "--rev=7", "--limit", "3", "--count-only", "--keys-only", "--serializable"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->revision(), 7);
  EXPECT_EQ(request->limit(), 3);
  EXPECT_TRUE(request->count_only());
  EXPECT_TRUE(request->keys_only());
  EXPECT_TRUE(request->serializable());
}

TEST(GetFlags, RefusesContradictions) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {""},
                                             {"a", "b", "--prefix"},
                                             {"a", "--prefix", "--from-key"},
                                             {"a", "--limit", "-1"},
                                             {"a", "--limit", "x"},
                                             {"a", "--sort-by", "color"},
                                             {"a", "--order", "up"},
                                             {"a", "b", "c"},
                                             {"a", "--nonsense"}}) {
    EXPECT_FALSE(Get(words).ok()) << ::testing::PrintToString(words);
  }
}

TEST(PutFlags, TakesTheValueFromElsewhereWhereThereIsNone) {
  EXPECT_EQ(Put({"k", "v"})->value(), "v");
  EXPECT_EQ(Put({"k", ""})->value(), "");
  EXPECT_EQ(Put({"k"})->value(), "from elsewhere");
  EXPECT_EQ(Put({"k", "-"})->value(), "from elsewhere");
  EXPECT_EQ(Put({"k", "--", "-5"})->value(), "-5");
  EXPECT_EQ(Put({"k", "--ignore-value"})->value(), "");
  EXPECT_TRUE(Put({"k", "--ignore-value"})->ignore_value());
}

TEST(PutFlags, ReadsLeasesInHexadecimal) {
  EXPECT_EQ(Put({"k", "v", "--lease", "694d8257011bd5e3"})->lease(), 0x694d8257011bd5e3);
  EXPECT_EQ(Put({"k", "v", "--lease", "0x1F"})->lease(), 31);
  EXPECT_TRUE(Put({"k", "v", "--ignore-lease", "--prev-kv"})->ignore_lease());
  for (const char* bad : {"xyz", "", "-1", "ffffffffffffffff1"}) {
    EXPECT_FALSE(Put({"k", "v", "--lease", bad}).ok()) << bad;
  }
}

TEST(PutFlags, RefusesContradictions) {
  EXPECT_THAT(std::string(Put({"k", "v", "--ignore-value"}).status().message()),
              HasSubstr("give no new one"));
  EXPECT_THAT(std::string(Put({"k", "v", "--ignore-lease", "--lease", "1"}).status().message()),
              HasSubstr("give no --lease"));
  EXPECT_FALSE(Put({""}).ok());
}

TEST(DelFlags, ReadsARange) {
  DelFlags flags;
  ASSERT_TRUE(Read(flags, {"a", "--prefix", "--prev-kv"}));
  const auto request = flags.Build();
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->key(), "a");
  EXPECT_EQ(request->range_end(), "b");
  EXPECT_TRUE(request->prev_kv());
}

}  // namespace
}  // namespace pontoon::ctl
