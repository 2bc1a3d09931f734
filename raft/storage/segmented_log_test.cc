#include "raft/storage/segmented_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "raft/storage/entry_codec.h"
#include "raft/storage/log_format.h"
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
  ASSERT_TRUE(t.log().ResetTo({LogIndex(100), Term(5)}, "").ok());
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1));
  EXPECT_FALSE(t.log().Read(LogIndex(100), LogIndex(100), 1).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 5 vote 2; after 100/5: ");
  ASSERT_TRUE(t.Write({AppendBatch(101, {5, 6})}).ok());
  ASSERT_TRUE(t.Write({ReplaceBatch(101, {7})}).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 7 vote 0; after 100/5: 7");
}

TEST(SegmentedLog, AResetInTheMiddleOfAWriteCounts) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  const uint64_t writes = t.disk().writes();
  ASSERT_TRUE(t.Write({VoteBatch(4, 2), ReplaceBatch(30, {2, 2}),
                       ResetBatch({LogIndex(100), Term(3)}, {3, 3}), ReplaceBatch(102, {4}),
                       AppendBatch(103, {4})})
                  .ok());
  EXPECT_EQ(t.disk().writes(), writes + 3) << "the vote, a segment's header, and one frame";
  EXPECT_EQ(t.log().base(), (LogPosition{LogIndex(100), Term(3)}));
  EXPECT_THAT(t.ReadTerms(101, 103), ElementsAre(3, 4, 4));
  EXPECT_EQ(t.log().Read(LogIndex(30), LogIndex(30), 1).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1));
  t.disk().Crash(Unsynced::kLost);
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 4 vote 2; after 100/3: 3 4 4");
}

TEST(SegmentedLog, AResetMayGoBackAndMayComeTwice) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, Repeated(1, 30))}).ok());
  ASSERT_TRUE(t.Write({ResetBatch({LogIndex(10), Term(1)}, {1})}).ok());
  EXPECT_THAT(t.ReadTerms(11, 30), ElementsAre(1));
  ASSERT_TRUE(t.Write({ResetBatch({LogIndex(10), Term(1)}, {})}).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 1 vote 0; after 10/1: ");
}

TEST(SegmentedLog, DropsAPrefixOfWholeSegments) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 60; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {i / 10 + 1})}).ok());
  LogState state;
  state.hard_state.term = Term(7);
  state.terms = t.ReadTerms(1, 60);
  const size_t segments_before = t.SegmentPaths().size();
  for (uint64_t upto = 0; upto < 60; ++upto) {
    SCOPED_TRACE(upto);
    ASSERT_TRUE(t.log().DropPrefix(LogIndex(upto)).ok());
    const LogPosition base = t.log().base();
    EXPECT_LE(base.index, LogIndex(upto));
    EXPECT_GT(base.index + 15, LogIndex(upto)) << "there are fewer in a segment";
    state.DropPrefix(base.index);
    EXPECT_EQ(base, state.base);
    EXPECT_EQ(t.log().Read(base.index, LogIndex(60), 1).status().code(),
              absl::StatusCode::kOutOfRange);
    EXPECT_EQ(t.ReadTerms(base.index.value() + 1, 60), state.terms);
    const size_t segments = t.SegmentPaths().size();
    t.disk().Crash(Unsynced::kLost);
    ASSERT_TRUE(t.Open().ok());
    EXPECT_EQ(t.State().ToString(), state.ToString());
    EXPECT_THAT(t.SegmentPaths(), SizeIs(segments));
  }
  EXPECT_LT(t.SegmentPaths().size(), segments_before);
  ASSERT_TRUE(t.Write({AppendBatch(61, {7})}).ok());
  EXPECT_THAT(t.ReadTerms(60, 61), ElementsAre(7, 7));
}

TEST(SegmentedLog, TheSegmentThatIsWrittenToStays) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(1000)).ok());
  EXPECT_THAT(t.SegmentPaths(), SizeIs(1));
  EXPECT_LT(t.log().base().index, LogIndex(30));
  EXPECT_GT(t.log().base().index, LogIndex(15));
  EXPECT_THAT(t.ReadTerms(30, 30), ElementsAre(1));
}

TEST(SegmentedLog, ADropOfNothingDoesNothing) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(5)).ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(20)).ok());
  const uint64_t steps = t.disk().steps();
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(20)).ok());
  ASSERT_TRUE(t.log().DropPrefix(t.log().base().index).ok());
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(0)).ok());
  EXPECT_EQ(t.disk().steps(), steps);
}

// A log of entries 1..20, and 21..25 in a segment of their own; the others are dropped.
void MakeWithoutPrefix(LogOnFaultyDisk* t) {
  ASSERT_TRUE(t->Open().ok());
  for (uint64_t i = 1; i <= 21; ++i) ASSERT_TRUE(t->Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t->Write({ReplaceBatch(21, Repeated(2, 5))}).ok());
  ASSERT_TRUE(t->log().DropPrefix(LogIndex(20)).ok());
  ASSERT_EQ(t->log().base(), (LogPosition{LogIndex(20), Term(1)}));
}

TEST(SegmentedLog, CanBeTruncatedAfterADrop) {
  for (const uint64_t from : {21, 22, 24}) {
    SCOPED_TRACE(from);
    LogOnFaultyDisk t(kSmall);
    ASSERT_NO_FATAL_FAILURE(MakeWithoutPrefix(&t));
    ASSERT_TRUE(t.Write({ReplaceBatch(from, {3})}).ok());
    LogState state{.hard_state = {Term(3), kNoNode}, .base = t.log().base(), .terms = {}};
    state.terms = Repeated(2, from - 21);
    state.terms.push_back(3);
    EXPECT_EQ(t.ReadTerms(21, 100), state.terms);
    ASSERT_TRUE(t.Open().ok());
    EXPECT_EQ(t.State().ToString(), state.ToString());
  }
}

TEST(SegmentedLog, CanBeResetAfterADropAndDroppedAfterAReset) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_NO_FATAL_FAILURE(MakeWithoutPrefix(&t));
  ASSERT_TRUE(t.log().ResetTo({LogIndex(50), Term(2)}, "").ok());
  EXPECT_EQ(t.log().base(), (LogPosition{LogIndex(50), Term(2)}));
  ASSERT_TRUE(t.Write({AppendBatch(51, {2, 2, 2})}).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 2 vote 0; after 50/2: 2 2 2");
  ASSERT_TRUE(t.Write({ReplaceBatch(53, {3})}).ok());
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(53)).ok());
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().ToString(), "term 3 vote 0; after 52/2: 3");
}

TEST(SegmentedLog, KnowsItsSize) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.log().SizeBytes(), 0u);
  uint64_t bytes = 0;
  std::vector<uint64_t> upto;  // upto[i]: of the first i entries
  for (uint64_t i = 1; i <= 40; ++i) {
    upto.push_back(bytes);
    bytes += FrameBytesFor(EncodedEntryBytes(MakeEntries(i, {1})[0]));
    ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
    EXPECT_EQ(t.log().SizeBytes(), bytes);
  }
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.log().SizeBytes(), bytes);
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(30)).ok());
  const uint64_t left = bytes - upto[t.log().base().index.value()];
  EXPECT_EQ(t.log().SizeBytes(), left);
  EXPECT_LT(left, bytes / 2);
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.log().SizeBytes(), left);
  ASSERT_TRUE(t.log().ResetTo({LogIndex(50), Term(1)}, "").ok());
  EXPECT_EQ(t.log().SizeBytes(), 0u);
}

TEST(SegmentedLog, AnErrorOfADropIsFinal) {
  for (const bool write_fails : {true, false}) {
    LogOnFaultyDisk t(kSmall);
    ASSERT_TRUE(t.Open().ok());
    for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
    write_fails ? t.disk().FailWriteAfter(0) : t.disk().FailSyncAfter(0);
    const absl::Status first = t.log().DropPrefix(LogIndex(20));
    EXPECT_FALSE(first.ok());
    EXPECT_EQ(t.log().DropPrefix(LogIndex(20)), first);
    EXPECT_EQ(t.Write({AppendBatch(31, {1})}), first);
    EXPECT_THAT(t.ReadTerms(1, 30), SizeIs(30)) << "nothing was dropped";
  }
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
    EXPECT_EQ(t.log().ResetTo({LogIndex(9), Term(1)}, ""), first);
    EXPECT_EQ(t.log().DropPrefix(LogIndex(1)), first);
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

TEST(SegmentedLog, ReadersGoOnWhileAPrefixIsDropped) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  ASSERT_TRUE(t.Write({AppendBatch(1, Repeated(1, 10))}).ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!stop) {
        const LogPosition base = t.log().base();
        const auto entries = t.log().Read(base.index.Next(), LogIndex(1000), SIZE_MAX);
        if (absl::IsOutOfRange(entries.status())) {
          ASSERT_GT(t.log().base().index, base.index) << "dropped meanwhile";
          continue;
        }
        ASSERT_TRUE(entries.ok()) << entries.status();
        ASSERT_EQ(entries->front().index, base.index.Next());
        ASSERT_GE(base.index + entries->size(), LogIndex(10));
        ASSERT_GT(t.log().SizeBytes(), 0u);
      }
    });
  }
  for (uint64_t i = 11; i <= 800; i += 2) {
    ASSERT_TRUE(t.Write({AppendBatch(i, Repeated(1, 2))}).ok());
    ASSERT_TRUE(t.log().DropPrefix(LogIndex(i - 9)).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(t.log().base().index, LogIndex(750));
}

// The drops take the front away from under writes that begin segments and replace suffixes.
TEST(SegmentedLog, WritesGoOnWhileAPrefixIsDropped) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  std::atomic<uint64_t> written = 0;
  std::thread dropper([&] {
    while (written < 800) ASSERT_TRUE(t.log().DropPrefix(LogIndex(written)).ok());
  });
  for (uint64_t i = 1; i <= 800; i += 2) {
    ASSERT_TRUE(t.Write({AppendBatch(i, Repeated(i, 2))}).ok());
    // All that was dropped stays before what is replaced.
    if (i % 7 == 0) {
      ASSERT_TRUE(t.Write({ReplaceBatch(i, Repeated(i, 2))}).ok());
    }
    written = i + 1;
  }
  dropper.join();
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(800)).ok());
  const LogPosition base = t.log().base();
  EXPECT_GT(base.index, LogIndex(750));
  ASSERT_TRUE(t.Open().ok()) << "begin file and segments fit";
  EXPECT_EQ(t.log().base(), base);
  EXPECT_EQ(t.ReadTerms(base.index.Next().value(), 800).size(), LogIndex(800) - base.index);
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
    ASSERT_TRUE((*log)->DropPrefix(LogIndex(1)).ok());
  }
  const auto log = OpenSegmentedLog(FileSystem::Posix(), dir, {}, &recovered);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(recovered.hard_state, (HardState{Term(2), NodeId(1)}));
  EXPECT_EQ(recovered.last, LogIndex(3));
  EXPECT_EQ(recovered.base, (LogPosition{LogIndex(1), Term(1)}));
  EXPECT_THAT(*(*log)->Read(LogIndex(2), LogIndex(3), SIZE_MAX), SizeIs(2));
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
