#include "raft/node/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "raft/env/testing/manual_time.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class LogReaderTest : public ::testing::Test {
 protected:
  EntriesRead Read(uint64_t first, uint64_t last) {
    reader_.Submit({.peer = NodeId(2),
                    .term = Term(3),
                    .first = LogIndex(first),
                    .last = LogIndex(last),
                    .bytes_max = 1 << 20});
    executor_.RunDue();
    return std::exchange(read_, {}).at(0);
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  MemoryLog log_;
  std::vector<EntriesRead> read_;
  LogReader reader_{&executor_, &log_,
                    [this](EntriesRead read) { read_.push_back(std::move(read)); }};
};

TEST_F(LogReaderTest, ReadsWhatIsThere) {
  PersistBatch batch;
  for (uint64_t i = 1; i <= 5; ++i) {
    batch.entries.push_back({.index = LogIndex(i),
                             .term = Term(1),
                             .kind = EntryKind::kNoOp,
                             .request = {},
                             .payload = nullptr});
  }
  ASSERT_TRUE(log_.Write({&batch, 1}).ok());
  const EntriesRead read = Read(2, 4);
  EXPECT_EQ(read.peer, NodeId(2));
  EXPECT_EQ(read.term, Term(3));
  EXPECT_THAT(read.entries, SizeIs(3));
  EXPECT_FALSE(read.unreadable);
}

TEST_F(LogReaderTest, WhatIsGoneIsNotUnreadable) {
  ASSERT_TRUE(log_.ResetTo({LogIndex(9), Term(1)}, "").ok());
  const EntriesRead read = Read(2, 4);
  EXPECT_THAT(read.entries, IsEmpty());
  EXPECT_FALSE(read.unreadable);
}

TEST_F(LogReaderTest, WhatIsDamagedIsUnreadable) {
  log_.FailReads(absl::DataLossError("rot in a segment"));
  const EntriesRead read = Read(2, 4);
  EXPECT_THAT(read.entries, IsEmpty());
  EXPECT_TRUE(read.unreadable);
}

// Every follower that was away finds it anew.
TEST_F(LogReaderTest, TheSameDamageIsLoggedOnce) {
  ::testing::internal::CaptureStderr();
  log_.FailReads(absl::DataLossError("rot in a segment"));
  Read(2, 4);
  Read(2, 4);
  log_.FailReads(absl::DataLossError("rot in another segment"));
  Read(2, 4);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  size_t lines = 0;
  for (size_t at = logged.find("DAMAGED"); at != std::string::npos;
       at = logged.find("DAMAGED", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 2u) << logged;
}

}  // namespace
}  // namespace pontoon::raft
