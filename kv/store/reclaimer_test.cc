// The disk gets back what nobody can see any more.

#include "kv/store/reclaimer.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

constexpr int kKeys = 20;
constexpr size_t kValueBytes = 20'000;

class ReclaimerTest : public testing::Test {
 protected:
  // Versions of the same keys, `bytes` in all.
  void Fill(size_t bytes) {
    for (size_t i = 0; i * kValueBytes < bytes; ++i) {
      h_.Put(absl::StrCat("k", i % kKeys), std::string(kValueBytes, static_cast<char>(i)));
    }
  }
  uint64_t DiskBytes() { return h_.store().Stats().disk_bytes; }

  // Runs a whole defragmentation; whether it ended well.
  bool Defragment() {
    std::optional<absl::Status> ended;
    h_.store().Defragment([&ended](absl::Status status) { ended = status; });
    h_.executor().RunDue();
    return ended.has_value() && ended->ok();
  }

  StoreHarness h_;
};

TEST_F(ReclaimerTest, TheDiskShrinksByItselfAfterACompaction) {
  Fill(60 << 20);
  ASSERT_TRUE(h_.store().Sync().ok());
  const uint64_t before = DiskBytes();
  EXPECT_GT(before, 60u << 20);
  ASSERT_TRUE(h_.Compact(h_.revision()).ok());
  h_.executor().RunDue();  // nothing is written after this, and nobody asks for anything
  EXPECT_LT(DiskBytes(), before / 10);
  EXPECT_EQ(h_.Get("k0").size(), kValueBytes);
}

TEST_F(ReclaimerTest, WhatIsLittleIsLeftToLevelDb) {
  Fill(1 << 20);
  ASSERT_TRUE(h_.store().Sync().ok());
  const uint64_t before = DiskBytes();
  ASSERT_TRUE(h_.Compact(h_.revision()).ok());
  h_.executor().RunDue();
  EXPECT_GE(DiskBytes(), before);
  EXPECT_TRUE(Defragment());
  EXPECT_LT(DiskBytes(), before);
}

TEST_F(ReclaimerTest, AReaderKeepsWhatItSees) {
  Fill(40 << 20);
  const auto view = h_.store().View();
  const std::string first(kValueBytes, '\0');
  ASSERT_TRUE(h_.Compact(h_.revision()).ok());
  h_.executor().RunDue();
  EXPECT_TRUE(Defragment());
  etcdserverpb::RangeRequest request = RangeOf("k0");
  request.set_revision(2);
  etcdserverpb::RangeResponse response;
  ASSERT_TRUE(view->Range(request, &response).ok());
  EXPECT_EQ(response.kvs(0).value(), first);
}

// Between two steps the store may be written to, closed, or replaced.
TEST_F(ReclaimerTest, WritesGoOnBetweenTheSteps) {
  for (int i = 0; i < 2000; ++i) {
    h_.Put(absl::StrCat("many/", i), std::string(kValueBytes * 2, static_cast<char>(i)));
  }
  std::optional<absl::Status> ended;
  h_.store().Defragment([&ended](absl::Status status) { ended = status; });
  int steps = 0;
  while (!ended.has_value()) {
    ASSERT_TRUE(h_.executor().RunOne());
    h_.Put("k", absl::StrCat(++steps));
  }
  EXPECT_TRUE(ended->ok());
  EXPECT_GE(steps, 3) << "80 MB at once";
  EXPECT_EQ(h_.Get("k"), absl::StrCat(steps));
  EXPECT_EQ(h_.Get("many/1999").size(), kValueBytes * 2);
}

TEST_F(ReclaimerTest, EndsWithTheStore) {
  Fill(1 << 20);
  std::optional<absl::Status> ended;
  h_.store().Defragment([&ended](absl::Status status) { ended = status; });
  h_.Close();
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(absl::IsCancelled(*ended));
  h_.executor().RunDue();
  h_.Open();
}

}  // namespace
}  // namespace pontoon::kv
