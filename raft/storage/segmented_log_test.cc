#include "raft/storage/segmented_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "raft/storage/testing/log_model.h"

namespace pontoon::raft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Unsynced = FaultyFileSystem::Unsynced;

// So small that a few entries fill a segment.
constexpr SegmentedLogOptions kSmall{.segment_bytes = 1024, .frame_bytes_max = 512};

std::vector<uint64_t> Repeated(uint64_t term, size_t count) {
  return std::vector<uint64_t>(count, term);
}

TEST(SegmentedLog, IsEmptyAtFirst) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State(), LogState{});
  EXPECT_EQ(t.log().Read(LogIndex(1), LogIndex(1), 1).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(SegmentedLog, ReadsWhatWasWrittenAlsoAfterReopening) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({VoteBatch(2, 3), AppendBatch(1, {1, 1, 2})}).ok());
  ASSERT_TRUE(t.Write({AppendBatch(4, {2})}).ok());
  EXPECT_THAT(t.ReadTerms(1, 4), ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(t.ReadTerms(2, 3), ElementsAre(1, 2));
  EXPECT_THAT(t.ReadTerms(4, 100), ElementsAre(2)) << "as much as there is";
  t.disk().Crash(Unsynced::kLost);
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 2 vote 3; after 0/0: 1 1 2 2");
  ASSERT_TRUE(t.Write({AppendBatch(5, {2})}).ok());
  EXPECT_THAT(t.ReadTerms(1, 5), ElementsAre(1, 1, 2, 2, 2));
}

TEST(SegmentedLog, AllBatchesOfAWriteShareOneSync) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({VoteBatch(2, 1)}).ok());
  const uint64_t syncs = t.disk().syncs();
  const uint64_t writes = t.disk().writes();
  const uint64_t steps = t.disk().steps();
  ASSERT_TRUE(t.Write({AppendBatch(1, {1, 1}), AppendBatch(3, {1}), AppendBatch(4, {2})}).ok());
  EXPECT_EQ(t.disk().syncs(), syncs + 1);
  EXPECT_EQ(t.disk().writes(), writes + 1);
  EXPECT_EQ(t.disk().steps(), steps + 2) << "and nothing else";
}

TEST(SegmentedLog, AnUnchangedVoteIsNotWritten) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({VoteBatch(1, 1)}).ok());
  const uint64_t steps = t.disk().steps();
  ASSERT_TRUE(t.Write({VoteBatch(1, 1)}).ok());
  EXPECT_EQ(t.disk().steps(), steps);
}

TEST(SegmentedLog, RollsOverManySegments) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {i / 10 + 1})}).ok());
  EXPECT_GT(t.SegmentPaths().size(), 5u);
  const std::vector<uint64_t> terms = t.ReadTerms(1, 100);
  EXPECT_THAT(terms, SizeIs(100));
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().terms, terms);
}

TEST(SegmentedLog, AWriteLargerThanAFrameAndAnEntryLargerThanASegmentWork) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, Repeated(1, 50))}).ok());
  EXPECT_EQ(t.ReadTerms(1, 50), Repeated(1, 50));
  PersistBatch large;
  large.entries = MakeEntries(51, {1});
  large.entries[0].payload = std::make_shared<const std::string>(100'000, 'x');
  ASSERT_TRUE(t.Write({large}).ok());
  ASSERT_TRUE(t.Write({AppendBatch(52, {1})}).ok());
  const auto read = t.log().Read(LogIndex(51), LogIndex(52), SIZE_MAX);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read->at(0).payload, std::string(100'000, 'x'));
  EXPECT_EQ(read->size(), 2u);
}

TEST(SegmentedLog, AnEntryLargerThanASegmentMayBeTheFirst) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  PersistBatch large;
  large.entries = MakeEntries(1, {1});
  large.entries[0].payload = std::make_shared<const std::string>(100'000, 'x');
  ASSERT_TRUE(t.Write({large}).ok());
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1)) << "the empty one is gone";
  LogOnFaultyDisk* reopened = &t;
  RecoveredLog recovered;
  ASSERT_TRUE(OpenSegmentedLog(&reopened->disk(), LogOnFaultyDisk::kDir, kSmall, &recovered).ok());
  EXPECT_EQ(recovered.last, LogIndex(1));
}

TEST(SegmentedLog, ReadHonoursTheByteLimitButReturnsAtLeastOne) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, Repeated(1, 30))}).ok());
  const std::vector<Entry> all = *t.log().Read(LogIndex(1), LogIndex(30), SIZE_MAX);
  size_t bytes = 0;
  for (size_t count = 1; count <= 30; ++count) {
    bytes += all[count - 1].CountedBytes();
    EXPECT_THAT(*t.log().Read(LogIndex(1), LogIndex(30), bytes), SizeIs(count));
    EXPECT_THAT(*t.log().Read(LogIndex(1), LogIndex(30), bytes - 1),
                SizeIs(std::max<size_t>(1, count - 1)));
  }
  EXPECT_THAT(*t.log().Read(LogIndex(7), LogIndex(30), 0), SizeIs(1));
}

TEST(SegmentedLog, EveryRangeCanBeRead) {
  LogOnFaultyDisk t({.segment_bytes = 32 << 10});
  ASSERT_TRUE(t.Open().ok());
  uint64_t next = 1;
  for (uint64_t size : {1, 63, 64, 65, 1, 2, 3, 200, 1, 1}) {  // frames around the index's spacing
    ASSERT_TRUE(t.Write({AppendBatch(next, Repeated(1, size))}).ok());
    next += size;
  }
  for (uint64_t first = 1; first < next; first += 3) {
    for (uint64_t last = first; last < next; last += 37) {
      ASSERT_THAT(t.ReadTerms(first, last), SizeIs(last - first + 1));
    }
  }
}

TEST(SegmentedLog, TruncationReplacesASuffix) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t.Write({ReplaceBatch(12, {2, 2})}).ok());
  EXPECT_EQ(t.log().Read(LogIndex(14), LogIndex(14), 1).status().code(),
            absl::StatusCode::kOutOfRange);
  ASSERT_TRUE(t.Write({AppendBatch(14, {3})}).ok());
  ASSERT_TRUE(t.Write({ReplaceBatch(13, {})}).ok());
  ASSERT_TRUE(t.Write({ReplaceBatch(1, {}), AppendBatch(1, {4, 4})}).ok());
  EXPECT_THAT(t.ReadTerms(1, 2), ElementsAre(4, 4));
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1));
  ASSERT_TRUE(t.Open().ok());
  EXPECT_THAT(t.State().terms, ElementsAre(4, 4));
}

TEST(SegmentedLog, ATruncationInTheMiddleOfAWriteCounts) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, {1, 1, 1})}).ok());
  ASSERT_TRUE(
      t.Write({AppendBatch(4, {1, 1}), ReplaceBatch(3, {2, 2}), ReplaceBatch(4, {3})}).ok());
  EXPECT_THAT(t.ReadTerms(1, 4), ElementsAre(1, 1, 2, 3));
  ASSERT_TRUE(t.Open().ok());
  EXPECT_THAT(t.State().terms, ElementsAre(1, 1, 2, 3));
}

TEST(SegmentedLog, ResetStartsAnewAfterItsBase) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t.Write({VoteBatch(5, 2)}).ok());
  ASSERT_TRUE(t.log().ResetTo({LogIndex(100), Term(5)}).ok());
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1));
  EXPECT_FALSE(t.log().Read(LogIndex(100), LogIndex(100), 1).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 5 vote 2; after 100/5: ");
  ASSERT_TRUE(t.Write({AppendBatch(101, {5, 6})}).ok());
  ASSERT_TRUE(t.Write({ReplaceBatch(101, {7})}).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 7 vote 0; after 100/5: 7");
}

TEST(SegmentedLog, AnErrorIsFinal) {
  for (const bool write_fails : {true, false}) {
    LogOnFaultyDisk t;
    ASSERT_TRUE(t.Open().ok());
    ASSERT_TRUE(t.Write({AppendBatch(1, {1})}).ok());
    write_fails ? t.disk().FailWriteAfter(0) : t.disk().FailSyncAfter(0);
    const absl::Status first = t.Write({AppendBatch(2, {1})});
    EXPECT_FALSE(first.ok());
    const uint64_t steps = t.disk().steps();
    EXPECT_EQ(t.Write({AppendBatch(2, {1})}), first);
    EXPECT_EQ(t.Write({VoteBatch(5, 1)}), first);
    EXPECT_EQ(t.log().ResetTo({LogIndex(9), Term(1)}), first);
    EXPECT_EQ(t.disk().steps(), steps) << "nothing is even tried";
    EXPECT_THAT(t.ReadTerms(1, 2), ElementsAre(1)) << "what was acknowledged can still be read";
  }
}

TEST(SegmentedLog, ReadersSeeOneStateWhileTheWriterWorks) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, Repeated(1, 10))}).ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto entries = t.log().Read(LogIndex(1), LogIndex(1000), SIZE_MAX);
        ASSERT_TRUE(entries.ok()) << entries.status();
        // Entries 1..10 stay; each round appends 40 of its own term and drops them again.
        ASSERT_GE(entries->size(), 10u);
        for (size_t i = 10; i < entries->size(); ++i) {
          ASSERT_EQ((*entries)[i].term, (*entries)[10].term) << "a mixture of two states";
        }
      }
    });
  }
  for (uint64_t round = 2; round < 60; ++round) {
    ASSERT_TRUE(t.Write({ReplaceBatch(11, {})}).ok());
    for (uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(t.Write({AppendBatch(11 + 2 * i, Repeated(round, 2))}).ok());
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(SegmentedLog, WorksOnTheRealFileSystem) {
  std::string pattern = JoinPath(testing::TempDir(), "segmented_log_XXXXXX");
  const std::string dir = JoinPath(mkdtemp(pattern.data()), "log");
  RecoveredLog recovered;
  {
    auto log = OpenSegmentedLog(FileSystem::Posix(), dir, {}, &recovered);
    ASSERT_TRUE(log.ok()) << log.status();
    const std::vector<PersistBatch> batches = {VoteBatch(2, 1), AppendBatch(1, {1, 2})};
    ASSERT_TRUE((*log)->Write(batches).ok());
    ASSERT_TRUE((*log)->Write(std::vector<PersistBatch>{ReplaceBatch(2, {2, 2})}).ok());
  }
  const auto log = OpenSegmentedLog(FileSystem::Posix(), dir, {}, &recovered);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(recovered.hard_state, (HardState{Term(2), NodeId(1)}));
  EXPECT_EQ(recovered.last, LogIndex(3));
  EXPECT_THAT(*(*log)->Read(LogIndex(1), LogIndex(3), SIZE_MAX), SizeIs(3));
  std::filesystem::remove_all(pattern);
}

TEST(SegmentedLogDeathTest, AVoteIsNeverTakenBack) {
  LogOnFaultyDisk t;
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({VoteBatch(5, 1)}).ok());
  EXPECT_DEATH((void)t.Write({VoteBatch(5, 2)}), "never taken back");
  EXPECT_DEATH((void)t.Write({VoteBatch(4, 1)}), "never taken back");
}

}  // namespace
}  // namespace pontoon::raft
