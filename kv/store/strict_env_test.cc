#include "kv/store/strict_env.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

// The file system, as a witness that can be told to fail. LevelDB has a thread of its own.
class WitnessEnv : public leveldb::EnvWrapper {
 public:
  WitnessEnv() : EnvWrapper(leveldb::Env::Default()) {}

  // From now on this fails: "append", "sync", "close", "rename" or "sync directory".
  void FailOn(const std::string& action) {
    std::lock_guard lock(mutex_);
    failing_ = action;
  }

  // What happened, as "sync 000003.log", without appends that follow others of the same file.
  std::vector<std::string> Events() {
    std::lock_guard lock(mutex_);
    return events_;
  }

  leveldb::Status Note(const std::string& action, const std::string& path) {
    std::lock_guard lock(mutex_);
    std::string event = absl::StrCat(action, " ", path.substr(path.rfind('/') + 1));
    if (events_.empty() || events_.back() != event) events_.push_back(event);
    return action == failing_ ? leveldb::Status::IOError("out of order") : leveldb::Status::OK();
  }

  DirectorySync directory_sync() {
    return [this](const std::string& directory) { return Note("sync directory", directory); };
  }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override {
    Note("create", name);
    leveldb::WritableFile* base;
    leveldb::Status status = EnvWrapper::NewWritableFile(name, &base);
    if (status.ok()) *file = new File(this, name, base);
    return status;
  }

  leveldb::Status CreateDir(const std::string& name) override {
    leveldb::Status status = EnvWrapper::CreateDir(name);
    if (status.ok()) Note("create folder", name);
    return status;
  }

  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    leveldb::Status status = Note("rename", to);
    return status.ok() ? EnvWrapper::RenameFile(from, to) : status;
  }

 private:
  class File : public leveldb::WritableFile {
   public:
    File(WitnessEnv* env, std::string name, leveldb::WritableFile* base)
        : env_(env), name_(std::move(name)), base_(base) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      leveldb::Status status = env_->Note("append", name_);
      return status.ok() ? base_->Append(data) : status;
    }
    leveldb::Status Flush() override { return base_->Flush(); }
    leveldb::Status Sync() override {
      leveldb::Status status = env_->Note("sync", name_);
      return status.ok() ? base_->Sync() : status;
    }
    leveldb::Status Close() override {
      leveldb::Status status = env_->Note("close", name_);
      return status.ok() ? base_->Close() : status;
    }

   private:
    WitnessEnv* env_;
    std::string name_;
    std::unique_ptr<leveldb::WritableFile> base_;
  };

  std::mutex mutex_;
  std::string failing_;
  std::vector<std::string> events_;
};

class StrictEnvTest : public testing::Test {
 protected:
  StoreOptions Options() {
    StoreOptions options;
    options.write_buffer_bytes = 64 << 10;
    options.env = &env_;
    options.sync_directory = env_.directory_sync();
    return options;
  }

  // The same, where a failure is noted and the process goes on.
  StoreOptions SurvivingOptions() {
    StoreOptions options = Options();
    options.on_disk_failure = [this](const std::string& what) {
      std::lock_guard lock(mutex_);
      failures_.push_back(what);
    };
    return options;
  }

  std::vector<std::string> failures() {
    std::lock_guard lock(mutex_);
    return failures_;
  }

  static storage::v1::Command BigPut() {
    storage::v1::Command command;
    *command.mutable_put() = PutOf("a", std::string(10000, 'x'));
    return command;
  }

  static absl::Status TryApply(KvStore* store) {
    std::vector<ApplyItem> items(1);
    items[0].entry.index = store->Applied().index.Next();
    items[0].entry.kind = EntryKind::kCommand;
    items[0].entry.payload = std::make_shared<std::string>(BigPut().SerializeAsString());
    return store->Apply(items);
  }

  WitnessEnv env_;
  std::mutex mutex_;
  std::vector<std::string> failures_;
};

TEST_F(StrictEnvTest, LevelDbHasNoLog) {
  {
    StoreHarness h(Options());
    for (int i = 0; i < 50; ++i) h.Apply(BigPut());  // several tables
    h.Reopen();
    h.Apply(BigPut());
  }
  int tables = 0;
  for (const std::string& event : env_.Events()) {
    EXPECT_FALSE(absl::EndsWith(event, ".log")) << event;
    if (absl::StartsWith(event, "create ") && absl::EndsWith(event, ".ldb")) ++tables;
  }
  EXPECT_GT(tables, 3);
}

// So that the disk always holds a whole state.
TEST_F(StrictEnvTest, TablesAreSyncedBeforeTheManifestNamesThem) {
  {
    StoreHarness h(Options());
    for (int i = 0; i < 50; ++i) h.Apply(BigPut());
  }
  std::set<std::string> unsynced;
  int checked = 0;
  for (const std::string& event : env_.Events()) {
    const std::string name = event.substr(event.rfind(' ') + 1);
    if (absl::StartsWith(event, "append ") && absl::EndsWith(name, ".ldb")) unsynced.insert(name);
    if (absl::StartsWith(event, "sync ")) unsynced.erase(name);
    if (absl::StartsWith(event, "append MANIFEST")) {
      ++checked;
      EXPECT_TRUE(unsynced.empty()) << *unsynced.begin();
    }
  }
  EXPECT_GT(checked, 3);
}

TEST_F(StrictEnvTest, DirectoriesAreSyncedAfterNewFoldersAndRenames) {
  const std::string parent = MakeTestFolder();
  ASSERT_TRUE(KvStore::Open(parent + "/state", Options()).ok());
  std::vector<std::string> events = env_.Events();
  const std::string generation = GenerationName(LogIndex(0));
  const std::map<std::string, std::string> folder_of = {
      {"create folder state", parent.substr(parent.rfind('/') + 1)},
      {absl::StrCat("create folder ", generation), "state"},
      {"rename CURRENT", generation}};
  int checked = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto changed = folder_of.find(events[i]);
    if (changed == folder_of.end()) continue;
    ++checked;
    ASSERT_LT(i + 1, events.size());
    EXPECT_EQ(events[i + 1], absl::StrCat("sync directory ", changed->second))
        << "after " << events[i];
  }
  EXPECT_GE(checked, 3);
  RemoveFolder(parent);
}

TEST_F(StrictEnvTest, AFailedAppendIsReportedAndFailsApply) {
  StoreHarness h(SurvivingOptions());
  h.Apply(BigPut());
  env_.FailOn("append");
  EXPECT_EQ(h.store().Sync().code(), absl::StatusCode::kUnavailable);
  ASSERT_FALSE(failures().empty());
  EXPECT_TRUE(absl::StrContains(failures()[0], "could not append to")) << failures()[0];
  EXPECT_TRUE(absl::StrContains(failures()[0], h.dir())) << failures()[0];
  EXPECT_EQ(TryApply(&h.store()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(h.revision(), 2) << "what was not written is not shown";
  EXPECT_EQ(h.store().Applied().index, LogIndex(1));
}

TEST_F(StrictEnvTest, AFailedSyncIsReported) {
  StoreHarness h(SurvivingOptions());
  h.Apply(BigPut());
  env_.FailOn("sync");
  EXPECT_FALSE(h.store().Sync().ok());
  ASSERT_FALSE(failures().empty());
  EXPECT_TRUE(absl::StrContains(failures()[0], "could not sync")) << failures()[0];
}

using StrictEnvDeathTest = StrictEnvTest;

TEST_F(StrictEnvDeathTest, AFailureEndsTheProcessWithAMessage) {
  const std::string dir = MakeTestFolder();
  EXPECT_EXIT(
      {
        StoreHarness h(Options(), dir);
        h.Apply(BigPut());
        env_.FailOn("append");
        (void)h.store().Sync();
      },
      testing::ExitedWithCode(EXIT_FAILURE), "the disk failed, .*could not append to .*ldb");
  RemoveFolder(dir);
}

TEST_F(StrictEnvDeathTest, SoDoRenamesAndDirectories) {
  for (const char* action : {"rename", "sync directory", "close"}) {
    std::string dir = MakeTestFolder();
    EXPECT_EXIT(
        {
          env_.FailOn(action);
          (void)KvStore::Open(dir, Options());
        },
        testing::ExitedWithCode(EXIT_FAILURE), "the disk failed")
        << action;
    RemoveFolder(dir);
  }
}

}  // namespace
}  // namespace pontoon::kv
