#include "raft/storage/vote_file.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "raft/env/testing/faulty_file_system.h"

namespace pontoon::raft {
namespace {

TEST(VoteFile, LoadsWhatWasSaved) {
  FaultyFileSystem fs;
  VoteFile file(&fs, "/");
  EXPECT_EQ(*file.Load(), std::nullopt);
  for (const HardState& state : {HardState{Term(3), kNoNode}, HardState{Term(4), NodeId(2)}}) {
    ASSERT_TRUE(file.Save(state).ok());
    EXPECT_EQ(*file.Load(), state);
  }
}

// Servers must be able to read what older ones wrote.
TEST(VoteFile, ItsBytesStayTheSame) {
  FaultyFileSystem fs;
  VoteFile file(&fs, "/");
  ASSERT_TRUE(file.Save({Term(0x1234), NodeId(0x8e9e05c52164694d)}).ok());
  EXPECT_EQ(absl::BytesToHexString(fs.Contents("/vote")),
            "504f4e54564f54450100000023bad54b34120000000000004d696421c5059e8e");
}

}  // namespace
}  // namespace pontoon::raft
