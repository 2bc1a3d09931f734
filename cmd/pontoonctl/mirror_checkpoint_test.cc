#include "cmd/pontoonctl/mirror_checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace pontoon::ctl {
namespace {

class MirrorCheckpointTest : public ::testing::Test {
 protected:
  MirrorCheckpointTest()
      : path_(std::filesystem::path(::testing::TempDir()) / "mirror_checkpoint") {
    std::filesystem::remove(path_);
  }

  auto Load() const { return LoadCheckpoint(FileSystem::Posix(), path_); }

  const std::string path_;
};

const MirrorCheckpoint kCheckpoint{.source_cluster = 0xfedcba9876543210,
                                   .target_cluster = 2,
                                   .prefix = std::string("a\0\xff", 3),
                                   .target_prefix = "",
                                   .revision = int64_t{1} << 62};

TEST_F(MirrorCheckpointTest, IsReadAsItWasWritten) {
  EXPECT_EQ(*Load(), std::nullopt);
  EXPECT_EQ(SaveCheckpoint(FileSystem::Posix(), path_, {.revision = 5}), absl::OkStatus());
  EXPECT_EQ(SaveCheckpoint(FileSystem::Posix(), path_, kCheckpoint), absl::OkStatus());
  EXPECT_EQ(*Load(), kCheckpoint);
}

TEST_F(MirrorCheckpointTest, WhatIsNoneIsNotTakenForOne) {
  for (const char* text :
       {"", "text", "[]", "{}", "{\"pontoonctl_mirror\":2,\"revision\":5}",
        "{\"pontoonctl_mirror\":1,\"source_cluster\":\"x\",\"target_cluster\":\"1\",\"revision\":"
        "5}",
        "{\"pontoonctl_mirror\":1,\"source_cluster\":\"1\",\"target_cluster\":\"1\"}"}) {
    std::ofstream(path_) << text;
    EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST_F(MirrorCheckpointTest, IsOfOneMirrorOnly) {
  MirrorCheckpoint other = kCheckpoint;
  other.revision = 5;
  EXPECT_TRUE(kCheckpoint.IsOfSameMirror(other));
  for (auto change : {+[](MirrorCheckpoint& c) { c.source_cluster = 9; },
                      +[](MirrorCheckpoint& c) { c.target_cluster = 9; },
                      +[](MirrorCheckpoint& c) { c.prefix = "b"; },
                      +[](MirrorCheckpoint& c) { c.target_prefix = "b"; }}) {
    other = kCheckpoint;
    change(other);
    EXPECT_FALSE(kCheckpoint.IsOfSameMirror(other));
  }
}

}  // namespace
}  // namespace pontoon::ctl
