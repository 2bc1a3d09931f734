#include "raft/env/testing/faulty_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace pontoon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Unsynced = FaultyFileSystem::Unsynced;

class FaultyFileSystemTest : public testing::Test {
 protected:
  FaultyFileSystemTest() {
    EXPECT_TRUE(fs_.CreateDir("/d").ok());
    EXPECT_TRUE(fs_.SyncDir("/").ok());
  }

  // A file that is durable, name and all.
  std::unique_ptr<File> DurableFile(const std::string& path, absl::string_view bytes) {
    auto file = *fs_.CreateFile(path);
    EXPECT_TRUE(file->WriteAt(0, bytes).ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(fs_.SyncDir(DirName(path)).ok());
    return file;
  }

  FaultyFileSystem fs_;
};

TEST_F(FaultyFileSystemTest, ACrashLosesWhatWasNotSynced) {
  auto file = DurableFile("/d/a", "hello");
  ASSERT_TRUE(file->WriteAt(0, "HELLO WORLD").ok());
  EXPECT_EQ(fs_.Contents("/d/a"), "HELLO WORLD");
  fs_.Crash(Unsynced::kLost);
  EXPECT_EQ(fs_.Contents("/d/a"), "hello");
  EXPECT_FALSE(file->WriteAt(0, "x").ok()) << "the file is of the life before";
}

TEST_F(FaultyFileSystemTest, ACrashMayKeepWhatWasNotSynced) {
  auto file = DurableFile("/d/a", "hello");
  ASSERT_TRUE(file->WriteAt(5, "!").ok());
  ASSERT_TRUE(fs_.CreateFile("/d/b").ok());
  fs_.Crash(Unsynced::kKept);
  EXPECT_EQ(fs_.Contents("/d/a"), "hello!");
  EXPECT_THAT(*fs_.ListDir("/d"), ElementsAre("a", "b"));
}

TEST_F(FaultyFileSystemTest, NamesNeedASyncOfTheirFolder) {
  auto file = *fs_.CreateFile("/d/a");
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  ASSERT_TRUE(file->Sync().ok());
  fs_.Crash(Unsynced::kLost);
  EXPECT_THAT(*fs_.ListDir("/d"), IsEmpty());

  DurableFile("/d/a", "a");
  ASSERT_TRUE(fs_.Rename("/d/a", "/d/b").ok());
  fs_.Crash(Unsynced::kLost);
  EXPECT_THAT(*fs_.ListDir("/d"), ElementsAre("a"));

  ASSERT_TRUE(fs_.Remove("/d/a").ok());
  fs_.Crash(Unsynced::kLost);
  EXPECT_THAT(*fs_.ListDir("/d"), ElementsAre("a"));
}

TEST_F(FaultyFileSystemTest, AFolderThatIsLostTakesItsFilesAlong) {
  ASSERT_TRUE(fs_.CreateDir("/d/sub").ok());
  DurableFile("/d/sub/a", "x");
  fs_.Crash(Unsynced::kLost);
  EXPECT_FALSE(*fs_.Exists("/d/sub/a"));
}

TEST_F(FaultyFileSystemTest, AScatteringCrashTearsAtSectors) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    auto file = DurableFile("/d/a", std::string(1024, 'o'));
    ASSERT_TRUE(file->WriteAt(0, std::string(1024, 'n')).ok());
    fs_.Crash(Unsynced::kScattered, seed);
    const std::string bytes = fs_.Contents("/d/a");
    ASSERT_EQ(bytes.substr(0, 512), std::string(512, bytes[0]));
    ASSERT_EQ(bytes.substr(512), std::string(512, bytes[512]));
    outcomes.insert({bytes[0], bytes[512]});
    ASSERT_TRUE(fs_.Remove("/d/a").ok());
    ASSERT_TRUE(fs_.SyncDir("/d").ok());
  }
  EXPECT_THAT(outcomes, ElementsAre("nn", "no", "on", "oo"));
}

TEST_F(FaultyFileSystemTest, AfterThePowerCutNothingSucceedsUntilTheCrash) {
  auto file = DurableFile("/d/a", "old");
  fs_.CutPowerAfter(1);
  EXPECT_TRUE(file->WriteAt(0, "new").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(file->WriteAt(0, "x").ok());
  EXPECT_FALSE(fs_.ListDir("/d").ok());
  fs_.Crash(Unsynced::kLost);
  EXPECT_EQ(fs_.Contents("/d/a"), "old");
  EXPECT_TRUE(fs_.ListDir("/d").ok());
}

TEST_F(FaultyFileSystemTest, ANewProcessSeesWhatIsNotYetDurable) {
  auto file = DurableFile("/d/a", "old");
  ASSERT_TRUE(file->WriteAt(0, "new").ok());
  fs_.RestartProcess();
  EXPECT_FALSE(file->WriteAt(0, "x").ok());
  EXPECT_EQ(fs_.Contents("/d/a"), "new");
  fs_.Crash(Unsynced::kLost);
  EXPECT_EQ(fs_.Contents("/d/a"), "old");
}

TEST_F(FaultyFileSystemTest, AFailedSyncLosesItsBytesForGood) {
  auto file = DurableFile("/d/a", "old");
  ASSERT_TRUE(file->WriteAt(0, "new").ok());
  fs_.FailSyncAfter(0);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok()) << "and yet";
  EXPECT_EQ(fs_.Contents("/d/a"), "new");
  fs_.Crash(Unsynced::kKept);
  EXPECT_EQ(fs_.Contents("/d/a"), "old");
}

TEST_F(FaultyFileSystemTest, AFailedWriteFailsOnce) {
  auto file = DurableFile("/d/a", "old");
  fs_.FailWriteAfter(1);
  EXPECT_TRUE(file->WriteAt(0, "1").ok());
  EXPECT_FALSE(file->WriteAt(0, "2").ok());
  EXPECT_TRUE(file->WriteAt(1, "3").ok());
  EXPECT_EQ(fs_.Contents("/d/a"), "13d");
}

TEST_F(FaultyFileSystemTest, AFullDiskTakesOnlyWhatItsFilesHaveSpaceFor) {
  auto file = DurableFile("/d/a", "hello");
  fs_.LimitSpace(2);
  EXPECT_TRUE(file->WriteAt(5, "!!").ok());
  EXPECT_TRUE(fs_.faulty());
  EXPECT_TRUE(absl::IsResourceExhausted(file->WriteAt(6, "??")));
  EXPECT_TRUE(absl::IsResourceExhausted(file->Preallocate(8)));
  EXPECT_TRUE(absl::IsResourceExhausted(fs_.CreateFile("/d/b").status()));
  EXPECT_EQ(fs_.Contents("/d/a"), "hello!!");
  EXPECT_TRUE(file->WriteAt(0, "HELLO").ok()) << "it has this space already";

  fs_.RestartProcess();
  EXPECT_FALSE(fs_.CreateFile("/d/b").ok()) << "a new process does not make space";
  fs_.MakeSpace();
  EXPECT_TRUE(fs_.faulty()) << "in this life something has failed";
  EXPECT_TRUE(fs_.CreateFile("/d/b").ok());
  fs_.RestartProcess();
  EXPECT_FALSE(fs_.faulty());
}

TEST_F(FaultyFileSystemTest, RemovalMakesSpace) {
  DurableFile("/d/a", "hello");
  auto file = DurableFile("/d/b", "");
  fs_.LimitSpace(0);
  EXPECT_FALSE(file->WriteAt(0, "HELLO").ok());
  ASSERT_TRUE(fs_.Remove("/d/a").ok());
  EXPECT_TRUE(file->WriteAt(0, "HELLO").ok());
  EXPECT_FALSE(file->WriteAt(5, "!").ok());
}

TEST_F(FaultyFileSystemTest, ABitFlipsForGood) {
  DurableFile("/d/a", "hello");
  fs_.FlipBit("/d/a", 8 + 5);
  EXPECT_EQ(fs_.Contents("/d/a"), "hEllo");
  fs_.Crash(Unsynced::kLost);
  EXPECT_EQ(fs_.Contents("/d/a"), "hEllo");
}

TEST_F(FaultyFileSystemTest, LocksEndWithTheirHolderOrItsMachine) {
  auto lock = fs_.Lock("/d/lock");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(fs_.Lock("/d/lock").status().code(), absl::StatusCode::kFailedPrecondition);
  fs_.Crash(Unsynced::kLost);
  auto second = fs_.Lock("/d/lock");
  ASSERT_TRUE(second.ok());
  lock->reset();
  EXPECT_FALSE(fs_.Lock("/d/lock").ok()) << "the old holder has nothing to release any more";
}

}  // namespace
}  // namespace pontoon
