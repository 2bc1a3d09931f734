#include "raft/storage/members_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "raft/env/testing/faulty_file_system.h"

namespace pontoon::raft {
namespace {

using ::testing::HasSubstr;

MembershipHistory::Item SomeItem(uint64_t index, uint64_t voter) {
  return {LogIndex(index),
          RequestId{},
          {.voters = {NodeId(voter)}, .peer_urls = {{NodeId(voter), {"http://a:1"}}}}};
}

TEST(MembersFile, LoadsWhatWasSaved) {
  FaultyFileSystem fs;
  MembersFile file(&fs, "/");
  EXPECT_EQ(*file.Load(), std::nullopt);
  for (const auto& item : {SomeItem(4, 1), SomeItem(9, 2)}) {
    ASSERT_TRUE(file.Save(item).ok());
    EXPECT_EQ(*file.Load(), item);
  }
}

TEST(MembersFile, WhoAskedIsNotKept) {
  FaultyFileSystem fs;
  MembersFile file(&fs, "/");
  MembershipHistory::Item item = SomeItem(4, 1);
  item.request = {NodeId(1), 7};
  ASSERT_TRUE(file.Save(item).ok());
  EXPECT_EQ((*file.Load())->request, RequestId{});
}

TEST(MembersFile, ItsBytesStayTheSame) {
  FaultyFileSystem fs;
  MembersFile file(&fs, "/");
  ASSERT_TRUE(file.Save(SomeItem(0x345, 0x12)).ok());
  EXPECT_EQ(absl::BytesToHexString(fs.Contents("/members")),
            "504f4e544d454d42010000005c2bf5aa45030000000000000a0812000"
            "000000000002a15091200000000000000120a687474703a2f2f613a31");
}

TEST(MembersFile, EveryDamageNamesTheFile) {
  FaultyFileSystem fs;
  MembersFile file(&fs, "/");
  ASSERT_TRUE(file.Save(SomeItem(4, 1)).ok());
  const std::string good = fs.Contents("/members");
  for (size_t i = 0; i < good.size(); ++i) {
    std::string flipped = good;
    flipped[i] ^= 1;
    for (const std::string& bad : {flipped, good.substr(0, i)}) {
      fs.SetContents("/members", bad);
      const absl::Status loaded = file.Load().status();
      EXPECT_EQ(loaded.code(), absl::StatusCode::kDataLoss) << i;
      EXPECT_THAT(std::string(loaded.message()), HasSubstr("members file /members: ")) << i;
    }
  }
}

// A checksum that fits does not make a configuration of any bytes.
TEST(MembersFile, BytesThatAreNoMembershipAreDamage) {
  FaultyFileSystem fs;
  MembersFile file(&fs, "/");
  ASSERT_TRUE(file.Save({LogIndex(4), RequestId{}, Membership{}}).ok());
  const absl::Status loaded = file.Load().status();
  EXPECT_EQ(loaded.code(), absl::StatusCode::kDataLoss) << loaded;
  EXPECT_THAT(std::string(loaded.message()), HasSubstr("must not vote"));
}

}  // namespace
}  // namespace pontoon::raft
