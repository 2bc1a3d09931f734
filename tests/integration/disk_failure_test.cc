// A disk that fails under a running server: the process ends with exit code 1 and one readable
// line, the others go on, and when the disk is well again the node comes back with all that was
// acknowledged.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kValueBytes = 64 << 10;
constexpr int kWrites = 40;  // more than twice of what goes into a file

std::vector<std::string> ErrorLines(const std::filesystem::path& log) {
  std::vector<std::string> errors;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    if (line.find(" ERROR ") != line.npos) errors.push_back(line);
  }
  return errors;
}

class DiskFailureTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.StartAll()); }

  // Lets the disk of `victim` fail under writes through `witness`, and mends it.
  void FailDisk(int victim, int witness) {
    cluster_.LimitFileSize(victim, kFileBytesMax);
    std::vector<std::string> acknowledged;
    for (int i = 0; i < kWrites; ++i) {
      const std::string key = absl::StrCat("key ", i);
      if (cluster_.client(witness).Put(key, std::string(kValueBytes, 'x')).ok()) {
        acknowledged.push_back(key);
      }
    }
    // One that waits while another leader is found may be lost.
    EXPECT_GE(acknowledged.size(), size_t{kWrites - 1});

    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster_.AwaitEnd(victim));
    EXPECT_EQ(exit, (ExitStatus{.code = 1}));
    EXPECT_THAT(ErrorLines(cluster_.log_file(victim)),
                ElementsAre(AllOf(HasSubstr("the disk failed"), HasSubstr("File too large"),
                                  HasSubstr(cluster_.data_folder(victim).string()))));

    ASSERT_OK(cluster_.StartAll());
    for (const std::string& key : acknowledged) {
      const auto answer = cluster_.client(victim).Get(key);
      ASSERT_OK(answer);
      EXPECT_EQ(answer.response.count(), 1) << key;
    }
  }

  Cluster cluster_;
};

TEST_F(DiskFailureTest, OfAFollowerEndsItAlone) {
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  FailDisk(cluster_.AllNodesBut(leader)[0], leader);
}

TEST_F(DiskFailureTest, OfTheLeaderMakesAnotherOneLead) {
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  FailDisk(leader, cluster_.AllNodesBut(leader)[0]);
}

}  // namespace
}  // namespace pontoon::testing
