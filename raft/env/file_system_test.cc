#include "raft/env/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace pontoon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string pattern = JoinPath(testing::TempDir(), "file_system_XXXXXX");
    dir_ = mkdtemp(pattern.data());
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(dir_); }

  std::string Path(absl::string_view name) const { return JoinPath(dir_, name); }

  static mode_t Mode(const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  }

  FileSystem* const fs_ = FileSystem::Posix();
  std::string dir_;
};

TEST_F(PosixFileSystemTest, ReadsWhatItWrote) {
  auto file = fs_->CreateFile(Path("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->WriteAt(3, "hello").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*ReadAll(**file), std::string("\0\0\0hello", 8));
  char buffer[4];
  EXPECT_EQ(*(*file)->ReadAt(4, buffer), 4u);
  EXPECT_EQ(absl::string_view(buffer, 4), "ello");
  EXPECT_EQ(*(*file)->ReadAt(6, buffer), 2u) << "the file ends there";
  EXPECT_EQ(*(*file)->ReadAt(100, buffer), 0u);
}

TEST_F(PosixFileSystemTest, FilesGrowByPreallocationAndShrinkByTruncation) {
  auto file = fs_->CreateFile(Path("a"));
  ASSERT_TRUE((*file)->Preallocate(10'000).ok());
  EXPECT_EQ(*fs_->FileSize(Path("a")), 10'000u);
  ASSERT_TRUE((*file)->Preallocate(100).ok());
  EXPECT_EQ(*(*file)->Size(), 10'000u) << "preallocation never shrinks";
  ASSERT_TRUE((*file)->Truncate(5).ok());
  EXPECT_EQ(*ReadAll(**file), std::string(5, '\0'));
}

TEST_F(PosixFileSystemTest, OnlyTheOwnerMayLook) {
  ASSERT_TRUE(fs_->CreateDir(Path("d")).ok());
  ASSERT_TRUE(fs_->CreateFile(Path("d/a")).ok());
  EXPECT_EQ(Mode(Path("d")), 0700u);
  EXPECT_EQ(Mode(Path("d/a")), 0600u);
}

TEST_F(PosixFileSystemTest, ListsRenamesAndRemoves) {
  ASSERT_TRUE(fs_->CreateFile(Path("b")).ok());
  ASSERT_TRUE(fs_->CreateFile(Path("a")).ok());
  EXPECT_THAT(*fs_->ListDir(dir_), ElementsAre("a", "b"));
  ASSERT_TRUE(fs_->Rename(Path("a"), Path("b")).ok());
  EXPECT_THAT(*fs_->ListDir(dir_), ElementsAre("b"));
  EXPECT_FALSE(*fs_->Exists(Path("a")));
  ASSERT_TRUE(fs_->Remove(Path("b")).ok());
  EXPECT_FALSE(*fs_->Exists(Path("b")));
  EXPECT_TRUE(fs_->SyncDir(dir_).ok());
}

TEST_F(PosixFileSystemTest, ErrorsNameThePathAndTheReason) {
  const absl::Status missing = fs_->OpenFile(Path("nothing")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr(Path("nothing")));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("No such file"));

  ASSERT_TRUE(fs_->CreateFile(Path("a")).ok());
  EXPECT_EQ(fs_->CreateFile(Path("a")).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(fs_->CreateDir(Path("a")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(fs_->CreateDir(dir_).ok()) << "a folder that is there is fine";
  EXPECT_EQ(fs_->Remove(Path("nothing")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(fs_->SyncDir(Path("nothing")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(fs_->ListDir(Path("nothing")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PosixFileSystemTest, ALockKeepsOthersOutWhileItLives) {
  auto lock = fs_->Lock(Path("lock"));
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status second = fs_->Lock(Path("lock")).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr("in use"));
  lock->reset();
  EXPECT_TRUE(fs_->Lock(Path("lock")).ok());
}

TEST_F(PosixFileSystemTest, ReplaceFileLeavesNothingBehind) {
  ASSERT_TRUE(ReplaceFile(fs_, Path("a"), "first").ok());
  ASSERT_TRUE(fs_->CreateFile(Path("a.tmp")).ok()) << "of an attempt that a crash cut short";
  ASSERT_TRUE(ReplaceFile(fs_, Path("a"), "second").ok());
  EXPECT_THAT(*fs_->ListDir(dir_), ElementsAre("a"));
  EXPECT_EQ(*ReadAll(**fs_->OpenFile(Path("a"))), "second");
}

TEST(Path, JoinAndDirName) {
  EXPECT_EQ(JoinPath("/a", "b"), "/a/b");
  EXPECT_EQ(JoinPath("/a/", "b"), "/a/b");
  EXPECT_EQ(DirName("/a/b"), "/a");
  EXPECT_EQ(DirName("/a/b/"), "/a");
  EXPECT_EQ(DirName("/a"), "/");
  EXPECT_EQ(DirName("a"), ".");
}

}  // namespace
}  // namespace pontoon
