#include "raft/storage/begin_file.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "raft/env/testing/faulty_file_system.h"

namespace pontoon::raft {
namespace {

TEST(BeginFile, LoadsWhatWasSaved) {
  FaultyFileSystem fs;
  BeginFile file(&fs, "/");
  EXPECT_EQ(*file.Load(), std::nullopt);
  for (const LogBegin& begin :
       {LogBegin{1, {LogIndex(2), Term(3)}}, LogBegin{4, {LogIndex(5), Term(6)}}}) {
    ASSERT_TRUE(file.Save(begin).ok());
    EXPECT_EQ(*file.Load(), begin);
  }
}

TEST(BeginFile, ItsBytesStayTheSame) {
  FaultyFileSystem fs;
  BeginFile file(&fs, "/");
  ASSERT_TRUE(file.Save({0x12, {LogIndex(0x345), Term(0x67)}}).ok());
  EXPECT_EQ(absl::BytesToHexString(fs.Contents("/begin")),
            "504f4e544245474e01000000e4c535ac120000000000000045030000000000006700000000000000");
}

}  // namespace
}  // namespace pontoon::raft
