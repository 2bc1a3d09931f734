#include "cmd/pontoonctl/relative_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace pontoon::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SplitRelativePath, AcceptsPlainNames) {
  EXPECT_THAT(*SplitRelativePath("a"), ElementsAre("a"));
  EXPECT_THAT(*SplitRelativePath("Europe/Berlin"), ElementsAre("Europe", "Berlin"));
  EXPECT_THAT(*SplitRelativePath("a/.../..b/b.."), ElementsAre("a", "...", "..b", "b.."));
  EXPECT_THAT(*SplitRelativePath("a b/\n\xff"), ElementsAre("a b", "\n\xff"));
}

TEST(SplitRelativePath, RefusesWhatIsNoFileBelowADirectory) {
  const struct {
    std::string path;
    const char* why;
  } cases[] = {
      {"", "nothing is left"},
      {"/", "absolute"},
      {"/etc/passwd", "absolute"},
      {"a//b", "is empty"},
      {"a/", "is empty"},
      {".", "lead elsewhere"},
      {"..", "lead elsewhere"},
      {"../a", "lead elsewhere"},
      {"a/../../b", "lead elsewhere"},
      {"a/.", "lead elsewhere"},
      {std::string("a\0b", 3), "NUL"},
      {"a/.pontoonctl-partial", "reserved"},
  };
  for (const auto& c : cases) {
    const auto components = SplitRelativePath(c.path);
    ASSERT_FALSE(components.ok()) << absl::CEscape(c.path);
    EXPECT_THAT(std::string(components.status().message()), HasSubstr(c.why));
  }
}

}  // namespace
}  // namespace pontoon::ctl
