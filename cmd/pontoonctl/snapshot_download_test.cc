#include "cmd/pontoonctl/snapshot_download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;

using etcdserverpb::SnapshotResponse;
using ::testing::HasSubstr;

std::string Digest(const std::string& bytes) {
  Sha256 sha256;
  sha256.Add(bytes);
  return sha256.Finish();
}

SnapshotResponse Piece(const std::string& blob, uint64_t remaining_bytes) {
  SnapshotResponse piece;
  piece.set_blob(blob);
  piece.set_remaining_bytes(remaining_bytes);
  return piece;
}

class SnapshotDownloadTest : public ::testing::Test {
 protected:
  SnapshotDownloadTest() : folder_(fs::path(::testing::TempDir()) / "snapshot_download") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = folder_ / "file";
  }

  // What becomes of the pieces.
  absl::Status Download(const std::vector<SnapshotResponse>& pieces) {
    auto download = SnapshotDownload::Begin(FileSystem::Posix(), path_);
    if (!download.ok()) return download.status();
    for (const SnapshotResponse& piece : pieces) {
      if (const absl::Status added = (*download)->Add(piece); !added.ok()) return added;
    }
    return (*download)->Finish();
  }

  std::string Content() const {
    std::ostringstream bytes;
    bytes << std::ifstream(path_).rdbuf();
    return bytes.str();
  }
  bool PartIsGone() const { return !fs::exists(path_.string() + ".part"); }

  const fs::path folder_;
  fs::path path_;
};

TEST_F(SnapshotDownloadTest, TheFileIsAllPiecesAndTheirDigest) {
  std::ofstream(path_.string() + ".part") << "left by one that was killed, and longer";
  EXPECT_EQ(Download({Piece("abc", 2), Piece("de", 0), Piece(Digest("abcde"), 0)}),
            absl::OkStatus());
  EXPECT_EQ(Content(), "abcde" + Digest("abcde"));
  EXPECT_TRUE(PartIsGone());
}

TEST_F(SnapshotDownloadTest, HowMuchRemainsIsOnlyAGuess) {
  EXPECT_EQ(
      Download({Piece("abc", 700), Piece("de", 0), Piece("f", 0), Piece(Digest("abcdef"), 0)}),
      absl::OkStatus());
  EXPECT_EQ(Content(), "abcdef" + Digest("abcdef"));
}

TEST_F(SnapshotDownloadTest, WhatDoesNotFitLeavesTheOldFile) {
  const std::string digest = Digest("abcde");
  const struct {
    std::vector<SnapshotResponse> pieces;
    const char* message;
  } cases[] = {
      {{}, "cut off"},
      {{Piece("abc", 2)}, "cut off"},
      {{Piece("abc", 2), Piece("de", 0)}, "cut off"},
      {{Piece("abc", 2), Piece(digest, 0)}, "does not have the SHA-256"},
      {{Piece("abc", 2), Piece("dX", 0), Piece(digest, 0)}, "does not have the SHA-256"},
      {{Piece("abc", 2), Piece("de", 0), Piece(digest.substr(1), 0)}, "cut off"},
      {{Piece("abc", 2), Piece("de", 0), Piece(digest, 0), Piece("f", 0)}, "cut off"},
  };
  for (const auto& c : cases) {
    std::ofstream(path_) << "old";
    const absl::Status status = Download(c.pieces);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_EQ(Content(), "old");
    EXPECT_TRUE(PartIsGone());
  }
}

TEST_F(SnapshotDownloadTest, AFolderThatIsNotThereIsAnErrorAtOnce) {
  const auto download = SnapshotDownload::Begin(FileSystem::Posix(), folder_ / "nowhere" / "file");
  EXPECT_THAT(std::string(download.status().message()), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace pontoon::ctl
