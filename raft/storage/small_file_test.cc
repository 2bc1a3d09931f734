#include "raft/storage/small_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "raft/env/testing/faulty_file_system.h"

namespace pontoon::raft {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Unsynced = FaultyFileSystem::Unsynced;
using Content = SmallFile::Content;

const Content kOld{.values = {3, 1}};
const Content kNew{.values = {4, UINT64_MAX}};

class SmallFileTest : public testing::Test {
 protected:
  // Loads `bytes` as the file, and returns why that is damage.
  std::string DamageOf(const std::string& bytes) {
    fs_.SetContents("/some", bytes);
    const absl::Status loaded = file_.Load().status();
    EXPECT_EQ(loaded.code(), absl::StatusCode::kDataLoss) << loaded;
    return std::string(loaded.message());
  }

  absl::Status Save(const Content& content) { return file_.Save(content.values, content.bytes); }

  FaultyFileSystem fs_;
  SmallFile file_{
      &fs_, "/", {.name = "some", .what = "some file", .magic = "PONTSOME", .count = 2}};
};

TEST_F(SmallFileTest, LoadsWhatWasSaved) {
  EXPECT_EQ(*file_.Load(), std::nullopt);
  ASSERT_TRUE(Save(kOld).ok());
  EXPECT_EQ(*file_.Load(), kOld);
  ASSERT_TRUE(Save(kNew).ok());
  EXPECT_EQ(*file_.Load(), kNew);
}

TEST_F(SmallFileTest, BytesComeAfterTheIntegers) {
  SmallFile file(&fs_, "/",
                 {.name = "any", .what = "", .magic = "PONTSOME", .count = 1, .has_bytes = true});
  for (const Content& content : {Content{{7}, "some"}, Content{{8}, ""}, Content{{9}, "longer"}}) {
    ASSERT_TRUE(file.Save(content.values, content.bytes).ok());
    EXPECT_EQ(*file.Load(), content);
  }
  const std::string good = fs_.Contents("/any");
  EXPECT_EQ(good.size(), 24 + std::string("longer").size());
  for (size_t size = 0; size < good.size(); ++size) {
    fs_.SetContents("/any", good.substr(0, size));
    EXPECT_EQ(file.Load().status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST_F(SmallFileTest, ACrashAtAnyStepLeavesTheOldOrTheNew) {
  for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kKept, Unsynced::kScattered}) {
    bool saved = false;
    for (uint64_t steps = 0; !saved; ++steps) {
      for (uint64_t seed = 0; seed < 20; ++seed) {
        ASSERT_TRUE(Save(kOld).ok());
        fs_.CutPowerAfter(steps);
        saved = Save(kNew).ok();
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

TEST_F(SmallFileTest, EveryFlippedByteAndEveryOtherLengthIsDamage) {
  ASSERT_TRUE(Save(kNew).ok());
  const std::string good = fs_.Contents("/some");
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_THAT(DamageOf(bad), HasSubstr("some file /some: checksum mismatch")) << i;
    EXPECT_THAT(DamageOf(good.substr(0, i)), HasSubstr("some file /some: has ")) << i;
  }
  EXPECT_THAT(DamageOf(good + "x"), HasSubstr("/some: has 33 bytes"));
  EXPECT_THAT(DamageOf(std::string(good.size(), '\0')), HasSubstr("must not vote"));
}

TEST_F(SmallFileTest, AFileOfAnotherKindIsDamage) {
  SmallFile other(&fs_, "/", {.name = "other", .what = "", .magic = "PONTOTHR", .count = 2});
  ASSERT_TRUE(Save(kNew).ok());
  ASSERT_TRUE(other.Save(kNew.values).ok());
  EXPECT_THAT(DamageOf(fs_.Contents("/other")), AllOf(HasSubstr("/some"), HasSubstr("byte 0")));
}

}  // namespace
}  // namespace pontoon::raft
