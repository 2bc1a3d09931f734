#include "cmd/pontoonctl/session_token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SessionToken kToken{.cluster_id = 0x8e9e05c52164694d, .revision = 1234};

class SessionTokenFileTest : public ::testing::Test {
 protected:
  SessionTokenFileTest() : folder_(fs::path(::testing::TempDir()) / "session_token_file") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  auto Load() const { return LoadSessionToken(FileSystem::Posix(), path_); }
  std::optional<SessionToken> Held() const {
    const auto token = Load();
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? *token : std::nullopt;
  }
  absl::Status Advance(const SessionToken& seen) const {
    return AdvanceSessionToken(FileSystem::Posix(), path_, seen, Deadline::After(absl::Minutes(1)));
  }
  void Write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string Bytes() const {
    std::ostringstream bytes;
    bytes << std::ifstream(path_).rdbuf();
    return bytes.str();
  }

  const fs::path folder_;
  const std::string path_ = folder_ / "session";
};

TEST_F(SessionTokenFileTest, IsMadeByTheFirstAdvance) {
  EXPECT_EQ(Held(), std::nullopt);
  EXPECT_EQ(Advance(kToken), absl::OkStatus());
  EXPECT_EQ(Held(), kToken);
  EXPECT_EQ(Bytes(), EncodeSessionToken(kToken) + "\n");
}

TEST_F(SessionTokenFileTest, GoesForwardOnly) {
  SessionToken other = kToken;
  EXPECT_EQ(Advance(kToken), absl::OkStatus());
  other.revision = 1233;
  EXPECT_EQ(Advance(other), absl::OkStatus());
  EXPECT_EQ(Held(), kToken);
  other.revision = 1235;
  EXPECT_EQ(Advance(other), absl::OkStatus());
  EXPECT_EQ(Held(), other);
}

TEST_F(SessionTokenFileTest, TakesATokenAsItIsCopied) {
  Write(EncodeSessionToken(kToken));  // without the end of the line
  EXPECT_EQ(Held(), kToken);
}

TEST_F(SessionTokenFileTest, WhatIsNoTokenIsNeitherTakenForOneNorReplaced) {
  const std::string line = EncodeSessionToken(kToken) + "\n";
  for (const std::string& text :
       {std::string(), std::string("1234\n"), line.substr(1), line + line, line + "\n"}) {
    Write(text);
    EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(Load().status().message(), HasSubstr("remove the file")) << text;
    EXPECT_EQ(Advance(kToken).code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_EQ(Bytes(), text);
  }
}

TEST_F(SessionTokenFileTest, IsOfOneCluster) {
  EXPECT_EQ(Advance(kToken), absl::OkStatus());
  const absl::Status refused = Advance({.cluster_id = 7, .revision = 5000});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            path_ +
                " is a session with cluster 8e9e05c52164694d, and these endpoints are of 7, "
                "whose revisions are others: give the endpoints of the former, or another "
                "file");
  EXPECT_EQ(Held(), kToken);
}

TEST_F(SessionTokenFileTest, ManyAtOnceKeepTheHighest) {
  std::vector<std::thread> threads;
  for (int64_t first : {1, 2, 3, 4}) {
    threads.emplace_back([&, first] {
      for (int64_t revision = first; revision <= 80; revision += 4) {
        EXPECT_EQ(Advance({.cluster_id = 1, .revision = revision}), absl::OkStatus());
        EXPECT_GE(Held().value_or(SessionToken()).revision, revision);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Held(), (SessionToken{.cluster_id = 1, .revision = 80}));
  EXPECT_FALSE(fs::exists(path_ + ".tmp"));
}

TEST_F(SessionTokenFileTest, SaysWhoIsInTheWay) {
  const auto lock = FileSystem::Posix()->Lock(path_ + ".lock");
  ASSERT_TRUE(lock.ok());
  const absl::Status late = AdvanceSessionToken(FileSystem::Posix(), path_, kToken,
                                                Deadline::After(absl::Milliseconds(50)));
  EXPECT_EQ(late.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(late.message(), HasSubstr(".lock is in use by another command"));
}

TEST_F(SessionTokenFileTest, FailsWhereTheFolderIsMissing) {
  const std::string nowhere = folder_ / "no" / "session";
  const auto none = LoadSessionToken(FileSystem::Posix(), nowhere);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, std::nullopt);
  EXPECT_EQ(
      AdvanceSessionToken(FileSystem::Posix(), nowhere, kToken, Deadline::After(absl::Seconds(1)))
          .code(),
      absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pontoon::ctl
