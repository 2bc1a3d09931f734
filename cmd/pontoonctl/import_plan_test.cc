#include "cmd/pontoonctl/import_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Plans with files and keys given as maps; the key with the n-th name has mod_revision n, from 1.
class ImportPlanTest : public ::testing::Test {
 protected:
  std::vector<std::string> Plan(ImportPlanner::ExtraKeys extra_keys) {
    std::vector<TreeFile> tree;
    for (const auto& [path, bytes] : files_) tree.push_back({path, bytes.size()});
    ImportPlanner planner(tree, "p/", extra_keys,
                          [this](const TreeFile& file) -> absl::StatusOr<std::string> {
                            if (file.relative_path == "unreadable") {
                              return absl::PermissionDeniedError("unreadable");
                            }
                            return files_[file.relative_path];
                          });
    int64_t revision = 0;
    for (const auto& [path, value] : keys_) {
      mvccpb::KeyValue kv;
      kv.set_key("p/" + path);
      kv.set_value(value);
      kv.set_mod_revision(++revision);
      planner.AddKey(kv);
    }
    plan_ = planner.Finish();
    std::vector<std::string> lines;
    for (const PlannedWrite& write : plan_.writes) {
      lines.push_back(absl::StrCat(write.kind == PlannedWrite::Kind::kPut ? "put " : "delete ",
                                   write.relative_path, " if ", write.seen_mod_revision));
    }
    return lines;
  }

  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> keys_;
  ImportPlan plan_;
};

TEST_F(ImportPlanTest, IntoNothingWritesAll) {
  files_ = {{"a", "1"}, {"b/c", "2"}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kDelete), ElementsAre("put a if 0", "put b/c if 0"));
  EXPECT_EQ(plan_.equal, 0u);
}

TEST_F(ImportPlanTest, SkipsWhatIsEqual) {
  files_ = keys_ = {{"a", "1"}, {"b/c", ""}, {"d", std::string("\0", 1)}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kDelete), IsEmpty());
  EXPECT_EQ(plan_.equal, 3u);
}

TEST_F(ImportPlanTest, WritesWhatDiffersUnlessItChangesMeanwhile) {
  files_ = {{"a", "1"}, {"b", "2"}, {"c", "33"}};
  keys_ = {{"a", "1"}, {"b", "x"}, {"c", "3"}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kKeep), ElementsAre("put b if 2", "put c if 3"));
  EXPECT_EQ(plan_.equal, 1u);
}

TEST_F(ImportPlanTest, KeysWithoutAFileAreKeptOrDeleted) {
  files_ = {{"b", "2"}, {"d", "4"}};
  keys_ = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "5"}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kKeep), ElementsAre("put d if 0"));
  EXPECT_EQ(plan_.extra, 3u);
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kDelete),
              ElementsAre("delete a if 1", "delete c if 3", "put d if 0", "delete e if 4"));
  EXPECT_EQ(plan_.extra, 0u);
}

TEST_F(ImportPlanTest, AFileAndADirectoryWithTheSameBeginningKeepByteOrder) {
  files_ = {{"a-b", "1"}, {"a.b", "2"}, {"a/b", "3"}, {"a0", "4"}};
  keys_ = {{"a", "0"}, {"a/b", "3"}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kDelete),
              ElementsAre("delete a if 1", "put a-b if 0", "put a.b if 0", "put a0 if 0"));
}

TEST_F(ImportPlanTest, AFileThatCannotBeReadIsPlannedSoThatItsErrorShows) {
  files_ = keys_ = {{"unreadable", "1"}};
  EXPECT_THAT(Plan(ImportPlanner::ExtraKeys::kKeep), ElementsAre("put unreadable if 1"));
}

}  // namespace
}  // namespace pontoon::ctl
