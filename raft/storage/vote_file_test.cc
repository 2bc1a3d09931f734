#include "raft/storage/vote_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "raft/env/testing/faulty_file_system.h"

namespace pontoon::raft {
namespace {

using ::testing::HasSubstr;
using Unsynced = FaultyFileSystem::Unsynced;

constexpr HardState kOld{Term(3), NodeId(1)};
constexpr HardState kNew{Term(4), NodeId(2)};

class VoteFileTest : public testing::Test {
 protected:
  FaultyFileSystem fs_;
  VoteFile file_{&fs_, "/"};
};

TEST_F(VoteFileTest, LoadsWhatWasSaved) {
  EXPECT_EQ(*file_.Load(), std::nullopt);
  ASSERT_TRUE(file_.Save(kOld).ok());
  EXPECT_EQ(*file_.Load(), kOld);
  ASSERT_TRUE(file_.Save(kNew).ok());
  EXPECT_EQ(*file_.Load(), kNew);
}

TEST_F(VoteFileTest, ACrashAtAnyStepLeavesTheOldOrTheNew) {
  for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kKept, Unsynced::kScattered}) {
    bool saved = false;
    for (uint64_t steps = 0; !saved; ++steps) {
      for (uint64_t seed = 0; seed < 20; ++seed) {
        ASSERT_TRUE(file_.Save(kOld).ok());
        fs_.CutPowerAfter(steps);
        saved = file_.Save(kNew).ok();
        fs_.Crash(unsynced, seed);
        const auto loaded = file_.Load();
        ASSERT_TRUE(loaded.ok()) << loaded.status();
        if (saved || *loaded != kOld) {
          EXPECT_EQ(*loaded, kNew) << "after " << steps << " steps";
        }
      }
    }
  }
}

TEST_F(VoteFileTest, EveryFlippedByteAndEveryOtherLengthIsDamage) {
  ASSERT_TRUE(file_.Save(kNew).ok());
  const std::string good = fs_.Contents("/vote");
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    fs_.SetContents("/vote", bad);
    EXPECT_EQ(file_.Load().status().code(), absl::StatusCode::kDataLoss) << i;
    fs_.SetContents("/vote", good.substr(0, i));
    EXPECT_EQ(file_.Load().status().code(), absl::StatusCode::kDataLoss) << i;
  }
  fs_.SetContents("/vote", good + "x");
  EXPECT_THAT(std::string(file_.Load().status().message()), HasSubstr("/vote: has 33 bytes"));
  fs_.SetContents("/vote", std::string(good.size(), '\0'));
  EXPECT_THAT(std::string(file_.Load().status().message()), HasSubstr("must not vote"));
}

}  // namespace
}  // namespace pontoon::raft
