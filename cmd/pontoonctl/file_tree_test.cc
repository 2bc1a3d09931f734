#include "cmd/pontoonctl/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / "file_tree" / test->name();
    fs::remove_all(root_);
    fs::create_directories(root_);
  }

  void Write(const std::string& path, const std::string& bytes) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << bytes;
  }

  FileTree Read() {
    absl::StatusOr<FileTree> tree = ReadFileTree(root_);
    EXPECT_TRUE(tree.ok()) << tree.status();
    return *std::move(tree);
  }

  static std::vector<std::string> Paths(const FileTree& tree) {
    std::vector<std::string> paths;
    for (const TreeFile& file : tree.files) paths.push_back(file.relative_path);
    return paths;
  }

  fs::path root_;
};

TEST_F(FileTreeTest, ListsFilesInByteOrder) {
  for (const char* path : {"b", "a/z", "a-b", "a.b", "a0", "\xff"}) Write(path, "12345");
  fs::create_directories(root_ / "empty");
  const FileTree tree = Read();
  EXPECT_THAT(Paths(tree), ElementsAre("a-b", "a.b", "a/z", "a0", "b", "\xff"));
  EXPECT_EQ(tree.files[0].size_bytes, 5u);
  EXPECT_THAT(tree.notes, IsEmpty());
  EXPECT_THAT(tree.errors, IsEmpty());
}

TEST_F(FileTreeTest, FollowsLinksToFilesAndDirectories) {
  Write("real/file", "x");
  fs::create_symlink("real/file", root_ / "to_file");
  fs::create_directory_symlink("real", root_ / "to_directory");
  EXPECT_THAT(Paths(Read()), ElementsAre("real/file", "to_directory/file", "to_file"));
}

TEST_F(FileTreeTest, DoesNotFollowALinkBackToWhereItIs) {
  Write("a/b/file", "x");
  fs::create_directory_symlink("../..", root_ / "a/b/loop");
  fs::create_directory_symlink(".", root_ / "self");
  const FileTree tree = Read();
  EXPECT_THAT(Paths(tree), ElementsAre("a/b/file"));
  EXPECT_THAT(tree.notes, ElementsAre(HasSubstr("/a/b/loop/: leads back"), HasSubstr("/self/: ")));
}

TEST_F(FileTreeTest, LinksBackAndForthBetweenTwoDirectoriesEnd) {
  Write("a/file", "x");
  Write("b/file", "x");
  fs::create_directory_symlink("../b", root_ / "a/to_b");
  fs::create_directory_symlink("../a", root_ / "b/to_a");
  EXPECT_THAT(Paths(Read()), ElementsAre("a/file", "a/to_b/file", "b/file", "b/to_a/file"));
}

TEST_F(FileTreeTest, NotesSpecialFilesAndReportsBrokenLinks) {
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("nowhere", root_ / "broken");
  const FileTree tree = Read();
  EXPECT_THAT(Paths(tree), IsEmpty());
  EXPECT_THAT(tree.notes, ElementsAre(HasSubstr("/pipe: not a regular file; skipped")));
  EXPECT_THAT(tree.errors, ElementsAre(HasSubstr("/broken: No such file or directory")));
}

TEST_F(FileTreeTest, NeedsADirectory) {
  Write("file", "x");
  EXPECT_THAT(std::string(ReadFileTree(root_ / "file").status().message()),
              HasSubstr("not a directory"));
  EXPECT_THAT(std::string(ReadFileTree(root_ / "none").status().message()),
              HasSubstr("No such file"));
}

TEST_F(FileTreeTest, ReadFileReadsAllBytesUpToABound) {
  const std::string bytes = std::string(200'000, 'x') + std::string("\0\n", 2);
  Write("file", bytes);
  const std::string path = root_ / "file";
  EXPECT_EQ(*ReadFile(path, bytes.size()), bytes);
  EXPECT_THAT(std::string(ReadFile(path, bytes.size() - 1).status().message()),
              HasSubstr("larger than 200001 bytes"));
  EXPECT_FALSE(ReadFile(root_ / "none", 10).ok());
  EXPECT_FALSE(ReadFile(root_, 10).ok());
}

}  // namespace
}  // namespace pontoon::ctl
