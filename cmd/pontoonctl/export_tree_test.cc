#include "cmd/pontoonctl/export_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cmd/pontoonctl/relative_path.h"

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;

using Stored = ExportTree::Stored;
using ::testing::HasSubstr;

class ExportTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const fs::path folder = fs::path(::testing::TempDir()) / "export_tree" / test->name();
    fs::remove_all(folder);
    outside_ = folder / "outside";
    root_ = folder / "deep/root";
    fs::create_directories(outside_);
    auto tree = ExportTree::Open(root_);
    ASSERT_TRUE(tree.ok()) << tree.status();
    tree_ = *std::move(tree);
  }

  static std::string Content(const fs::path& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path).rdbuf();
    return bytes.str();
  }

  std::string ErrorOf(const std::string& path) {
    const auto stored = tree_->Store(path, "x");
    return stored.ok() ? "stored" : std::string(stored.status().message());
  }

  fs::path outside_;
  fs::path root_;
  std::unique_ptr<ExportTree> tree_;
};

TEST_F(ExportTreeTest, WritesFilesAndTheirDirectories) {
  const std::string bytes(300'000, '\0');
  EXPECT_EQ(*tree_->Store("a/b/c", bytes), Stored::kWritten);
  EXPECT_EQ(*tree_->Store("empty", ""), Stored::kWritten);
  EXPECT_EQ(Content(root_ / "a/b/c"), bytes);
  EXPECT_TRUE(fs::exists(root_ / "empty"));
  EXPECT_TRUE(tree_->Sync().ok());
}

TEST_F(ExportTreeTest, LeavesEqualFilesAndReplacesOthers) {
  EXPECT_EQ(*tree_->Store("a", "old"), Stored::kWritten);
  EXPECT_EQ(*tree_->Store("a", "old"), Stored::kWasEqual);
  EXPECT_EQ(*tree_->Store("a", "new"), Stored::kWritten);
  EXPECT_EQ(*tree_->Store("a", "newer"), Stored::kWritten);
  EXPECT_EQ(Content(root_ / "a"), "newer");
}

TEST_F(ExportTreeTest, WhatAnInterruptedExportLeftIsReplaced) {
  std::ofstream(root_ / kPartialFileName) << "half";
  EXPECT_EQ(*tree_->Store("a", "whole"), Stored::kWritten);
  EXPECT_EQ(Content(root_ / "a"), "whole");
  EXPECT_FALSE(fs::exists(root_ / kPartialFileName));
}

TEST_F(ExportTreeTest, RefusesPathsThatLeadOut) {
  EXPECT_THAT(ErrorOf("../outside/x"), HasSubstr("lead elsewhere"));
  EXPECT_THAT(ErrorOf((outside_ / "x").string()), HasSubstr("absolute"));
  EXPECT_TRUE(fs::is_empty(outside_));
}

TEST_F(ExportTreeTest, LinksThatLieThereDoNotLeadOutEither) {
  fs::create_directory_symlink(outside_, root_ / "dir");
  EXPECT_THAT(ErrorOf("dir/x"), HasSubstr("dir is a file or a link, not a directory"));
  std::ofstream(outside_ / "target") << "untouched";
  fs::create_symlink(outside_ / "target", root_ / "file");
  EXPECT_EQ(*tree_->Store("file", "x"), Stored::kWritten);
  EXPECT_EQ(Content(outside_ / "target"), "untouched");
  EXPECT_FALSE(fs::is_symlink(root_ / "file"));
}

TEST_F(ExportTreeTest, AFileAndADirectoryOfOneNameCannotBe) {
  ASSERT_TRUE(tree_->Store("a", "x").ok());
  EXPECT_THAT(ErrorOf("a/b"), HasSubstr("a is a file or a link, not a directory"));
  ASSERT_TRUE(tree_->Store("d/e", "x").ok());
  EXPECT_THAT(ErrorOf("d"), HasSubstr("d is a directory: other keys are files below it"));
  EXPECT_FALSE(fs::exists(root_ / kPartialFileName));
  EXPECT_EQ(*tree_->Store("still/works", "x"), Stored::kWritten);
}

TEST_F(ExportTreeTest, APipeInTheWayIsReplacedNotReadFrom) {
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(*tree_->Store("pipe", "x"), Stored::kWritten);
  EXPECT_EQ(Content(root_ / "pipe"), "x");
}

TEST_F(ExportTreeTest, OnlyOneExportAtATime) {
  const auto second = ExportTree::Open(root_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another export"));
  tree_.reset();
  EXPECT_TRUE(ExportTree::Open(root_).ok());
}

TEST_F(ExportTreeTest, ATooLongNameIsAnErrorOfItsOwn) {
  EXPECT_THAT(ErrorOf(std::string(300, 'x')), HasSubstr("File name too long"));
  EXPECT_THAT(ErrorOf(std::string(300, 'x') + "/y"), HasSubstr("File name too long"));
}

}  // namespace
}  // namespace pontoon::ctl
