#include "cmd/pontoon/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "cmd/pontoon/storage.h"
#include "kv/store/kv_store.h"
#include "proto/command.pb.h"

namespace pontoon {
namespace {

using ::testing::HasSubstr;

constexpr char kCluster[] = "a=http://a:2380,b=http://b:2380";

absl::StatusOr<Newcomer> NobodyNew(const Config&) {
  return absl::InternalError("there should have been a member");
}

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest()
      : dir_(absl::StrCat(::testing::TempDir(), "/",
                          ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(dir_);  // of an earlier run
    std::filesystem::create_directories(dir_);
    auto store = kv::KvStore::Open(Path("old"), {});
    EXPECT_TRUE(store.ok()) << store.status();
    old_ = *std::move(store);
    Apply(1);
  }

  std::string Path(const std::string& name) const { return absl::StrCat(dir_, "/", name); }

  // Has the old cluster put a key, by entry `index` of term 4.
  void Apply(uint64_t index) {
    storage::v1::Command command;
    command.mutable_put()->set_key("k");
    command.mutable_put()->set_value(absl::StrCat(index));
    ApplyItem item;
    item.entry.index = LogIndex(index);
    item.entry.term = Term(4);
    item.entry.kind = EntryKind::kCommand;
    item.entry.payload = std::make_shared<const std::string>(command.SerializeAsString());
    ASSERT_TRUE(old_->Apply(std::span(&item, 1)).ok());
  }

  // Of the member `name`, whose folder is called so, too.
  Settings SettingsOf(const std::string& name) const {
    return {{"name", {name, "--name"}},
            {"data-dir", {Path(name), "--data-dir"}},
            {"initial-cluster", {kCluster, "--initial-cluster"}},
            {"initial-advertise-peer-urls", {absl::StrCat("http://", name, ":2380"), ""}}};
  }

  absl::Status Restore(const Settings& settings, const kv::AdoptionOptions& options = {}) {
    auto source = old_->OpenSnapshot();
    EXPECT_TRUE(source.ok()) << source.status();
    const auto meta = kv::ReadMeta(old_->View()->records());
    EXPECT_TRUE(meta.ok()) << meta.status();
    return RestoreMember(FileSystem::Posix(), settings, *meta, options, source->get());
  }

  // As the server opens it.
  static absl::StatusOr<DataFolder> Open(const Settings& settings) {
    return DataFolder::Open(FileSystem::Posix(), *MakeConfig(settings), NobodyNew);
  }

  const std::string dir_;
  std::unique_ptr<kv::KvStore> old_;
};

TEST_F(RestoreTest, TheServerStartsWithTheStateAndTheNewMembers) {
  ASSERT_TRUE(Restore(SettingsOf("a")).ok());
  const auto folder = Open(SettingsOf("a"));
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->identity().name, "a");
  const auto storage = OpenStorage(FileSystem::Posix(), *folder, {});
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_EQ(storage->restored.hard_state, (HardState{Term(4), kNoNode}));
  EXPECT_EQ(storage->restored.base, (LogPosition{LogIndex(1), Term(4)}));
  EXPECT_EQ(storage->restored.last, LogIndex(1));
  EXPECT_EQ(storage->restored.applied, LogIndex(1));
  EXPECT_EQ(storage->restored.memberships.latest().membership.voters.size(), 2u);
  EXPECT_EQ(storage->store->View()->revision(), kv::Revision(2));
}

TEST_F(RestoreTest, MembersOfOneSnapshotAreOfOneCluster) {
  ASSERT_TRUE(Restore(SettingsOf("a")).ok());
  ASSERT_TRUE(Restore(SettingsOf("b")).ok());
  const auto a = Open(SettingsOf("a")), b = Open(SettingsOf("b"));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->identity().cluster, b->identity().cluster);
  EXPECT_EQ(a->identity().first_members, b->identity().first_members);
  EXPECT_NE(a->identity().member, b->identity().member);
}

// Or they would hold different states for the same.
TEST_F(RestoreTest, MembersOfDifferentSnapshotsAreNot) {
  ASSERT_TRUE(Restore(SettingsOf("a")).ok());
  Apply(2);
  ASSERT_TRUE(Restore(SettingsOf("b")).ok());
  const auto a = Open(SettingsOf("a")), b = Open(SettingsOf("b"));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(a->identity().cluster, b->identity().cluster);
}

TEST_F(RestoreTest, MembersAtDifferentRevisionsAreNot) {
  ASSERT_TRUE(Restore(SettingsOf("a"), {.revisions_skipped = 1}).ok());
  ASSERT_TRUE(Restore(SettingsOf("b"), {.revisions_skipped = 2}).ok());
  const auto a = Open(SettingsOf("a")), b = Open(SettingsOf("b"));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(a->identity().cluster, b->identity().cluster);
}

TEST_F(RestoreTest, AMemberIsNotReplaced) {
  ASSERT_TRUE(Restore(SettingsOf("a")).ok());
  Apply(2);
  const absl::Status again = Restore(SettingsOf("a"));
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(again.message(), HasSubstr("belongs to member a already"));
  const auto folder = Open(SettingsOf("a"));
  ASSERT_TRUE(folder.ok()) << folder.status();
  const auto storage = OpenStorage(FileSystem::Posix(), *folder, {});
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_EQ(storage->restored.applied, LogIndex(1));
}

TEST_F(RestoreTest, WhatFailsLeavesNothingBehind) {
  const absl::Status failed = Restore(SettingsOf("a"), {.revisions_skipped = -1});
  EXPECT_EQ(failed.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Restore(SettingsOf("a")).ok()) << "the folder is still free";
}

TEST_F(RestoreTest, OnlyANewClusterBeginsSo) {
  Settings settings = SettingsOf("a");
  settings["initial-cluster-state"] = {"existing", "--initial-cluster-state"};
  EXPECT_THAT(Restore(settings).message(), HasSubstr("--initial-cluster-state"));
}

TEST_F(RestoreTest, SettingsAreCheckedAsTheServersAre) {
  Settings settings = SettingsOf("a");
  settings["name"] = {"x", "--name"};
  EXPECT_THAT(Restore(settings).message(), HasSubstr("x"));
  EXPECT_FALSE(std::filesystem::exists(Path("a")));
}

}  // namespace
}  // namespace pontoon
