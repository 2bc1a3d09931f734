#include "cmd/pontoon/peer_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace pontoon {
namespace {

using testing::HasSubstr;

constexpr NodeId kPeer{0xa1};
constexpr NodeId kOther{0xa2};

class PeerBookTest : public testing::Test {
 protected:
  PeerBookTest()
      : path_(testing::TempDir() + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(path_);  // of an earlier run
  }

  std::unique_ptr<PeerBook> Open() {
    auto book = PeerBook::Open(FileSystem::Posix(), path_);
    EXPECT_TRUE(book.ok()) << book.status();
    return *std::move(book);
  }

  const std::string path_;
};

TEST_F(PeerBookTest, APeerThatLostItsDataIsTurnedAwayForGood) {
  {
    const auto book = Open();
    EXPECT_EQ(book->IncarnationOf(kPeer), std::nullopt);
    EXPECT_TRUE(book->Admit(kPeer, 7).ok());
    EXPECT_TRUE(book->Admit(kPeer, 7).ok());
    EXPECT_EQ(book->IncarnationOf(kPeer), 7u);
  }
  const auto again = Open();
  EXPECT_TRUE(again->Admit(kPeer, 7).ok());
  const absl::Status refused = again->Admit(kPeer, 8);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  const std::string words(refused.message());
  EXPECT_THAT(words, HasSubstr(FormatNodeId(kPeer) + " was wiped"));
  EXPECT_LT(words.find("If its folder still exists"), words.find("pontoonctl member remove"));
  EXPECT_TRUE(again->Admit(kOther, 8).ok());
  EXPECT_EQ(again->IncarnationOf(kPeer), 7u);
}

TEST_F(PeerBookTest, WhoIsGoneIsForgotten) {
  const auto book = Open();
  ASSERT_TRUE(book->Admit(kPeer, 7).ok());
  ASSERT_TRUE(book->Admit(kOther, 9).ok());
  book->Retain({kOther, NodeId{0xa3}});
  EXPECT_EQ(book->IncarnationOf(kPeer), std::nullopt);
  EXPECT_EQ(Open()->IncarnationOf(kPeer), std::nullopt);
  EXPECT_EQ(Open()->IncarnationOf(kOther), 9u);
}

TEST_F(PeerBookTest, WhoCannotBeNotedIsNotLetIn) {
  const auto book = Open();
  // In the way of the new file, and not removed with a leftover.
  std::filesystem::create_directories(path_ + ".tmp/in the way");
  EXPECT_EQ(book->Admit(kPeer, 7).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(book->IncarnationOf(kPeer), std::nullopt);
  std::filesystem::remove_all(path_ + ".tmp");
  EXPECT_TRUE(book->Admit(kPeer, 8).ok());
}

TEST_F(PeerBookTest, ADamagedFileIsRefused) {
  ASSERT_TRUE(Open()->Admit(kPeer, 7).ok());
  {
    std::fstream file(path_, std::ios::in | std::ios::out);
    file.seekp(20);
    file.put('?');
  }
  EXPECT_EQ(PeerBook::Open(FileSystem::Posix(), path_).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(Incarnations, EveryDamagedByteIsNoticed) {
  const Incarnations incarnations = {{kPeer, 7}, {kOther, ~uint64_t{0}}};
  const std::string text = FormatIncarnations(incarnations);
  ASSERT_EQ(*ParseIncarnations(text), incarnations);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] ^= 1;
    EXPECT_FALSE(ParseIncarnations(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(ParseIncarnations(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

}  // namespace
}  // namespace pontoon
