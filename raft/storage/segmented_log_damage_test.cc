// What Open repairs, and what it refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "raft/base/prng.h"
#include "raft/storage/begin_file.h"
#include "raft/storage/log_format.h"
#include "raft/storage/segmented_log.h"
#include "raft/storage/testing/log_model.h"

namespace pontoon::raft {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr SegmentedLogOptions kOneSegment{.segment_bytes = 4096, .frame_bytes_max = 2048};

std::string ErrorOf(LogOnFaultyDisk* t) {
  const absl::Status opened = t->Open();
  EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss) << opened;
  return std::string(opened.message());
}

// A log of frames {1}, {1 1}, {2}, {2 3} in one segment, and where they begin and end.
class DamageTest : public testing::Test {
 protected:
  DamageTest() : t_(kOneSegment) {
    EXPECT_TRUE(t_.Open().ok());
    EXPECT_TRUE(t_.Write({VoteBatch(3, 1)}).ok());
    uint64_t offset = kSegmentHeaderBytes;
    uint64_t next = 1;
    for (const std::vector<uint64_t>& terms : kFrames) {
      EXPECT_TRUE(t_.Write({AppendBatch(next, terms)}).ok());
      begins_.push_back(offset);
      uint64_t payload = 0;
      for (const Entry& entry : MakeEntries(next, terms)) payload += EncodedEntryBytes(entry);
      offset += FrameBytesFor(payload);
      next += terms.size();
    }
    end_ = offset;
    path_ = t_.NewestSegment();
    good_ = t_.disk().Contents(path_);
    EXPECT_EQ(good_.size(), kOneSegment.segment_bytes);
    EXPECT_TRUE(IsZero(absl::string_view(good_).substr(end_)));
  }

  // The terms of the first `frames` frames.
  static std::vector<uint64_t> TermsOf(size_t frames) {
    std::vector<uint64_t> terms;
    for (size_t i = 0; i < frames; ++i) {
      terms.insert(terms.end(), kFrames[i].begin(), kFrames[i].end());
    }
    return terms;
  }

  // Opens the log with `bytes` for its segment, and expects that it was cut to its first `frames`
  // frames, for good, and can be written on.
  void ExpectRepaired(const std::string& bytes, size_t frames) {
    t_.disk().SetContents(path_, bytes);
    testing::internal::CaptureStderr();
    const absl::Status opened = t_.Open();
    const std::string said = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(opened.ok()) << opened;
    ASSERT_EQ(t_.State().terms, TermsOf(frames));
    ASSERT_EQ(t_.State().hard_state, (HardState{Term(3), NodeId(1)}));
    const uint64_t end = frames < begins_.size() ? begins_[frames] : end_;
    if (bytes.size() > end && !IsZero(absl::string_view(bytes).substr(end))) {
      ASSERT_THAT(said, AllOf(HasSubstr("dropped a torn write"), HasSubstr(path_),
                              HasSubstr(absl::StrCat("offset=", end, " "))));
    } else {
      ASSERT_EQ(said, "");
    }
    t_.disk().Crash(FaultyFileSystem::Unsynced::kLost);
    ASSERT_EQ(t_.disk().Contents(path_),
              good_.substr(0, end) + std::string(good_.size() - end, '\0'));
    ASSERT_TRUE(t_.Open().ok());
    const uint64_t next = t_.State().last().value() + 1;
    ASSERT_TRUE(t_.Write({AppendBatch(next, {3})}).ok());
    ASSERT_TRUE(t_.Open().ok());
    ASSERT_EQ(t_.State().terms.back(), 3u);
    ASSERT_EQ(t_.State().terms.size(), next);
  }

  // Opens the log with `bytes` for its segment, and expects to be told of damage in the frame at
  // `offset`, and that nothing was touched.
  void ExpectRefused(const std::string& bytes, uint64_t offset) {
    t_.disk().SetContents(path_, bytes);
    ASSERT_THAT(ErrorOf(&t_),
                AllOf(HasSubstr(path_), HasSubstr(absl::StrCat(" at byte ", offset, " ("))));
    ASSERT_EQ(t_.disk().Contents(path_), bytes);
  }

  static const std::vector<std::vector<uint64_t>> kFrames;

  LogOnFaultyDisk t_;
  std::string path_;
  std::string good_;
  std::vector<uint64_t> begins_;
  uint64_t end_ = 0;
};

const std::vector<std::vector<uint64_t>> DamageTest::kFrames = {{1}, {1, 1}, {2}, {2, 3}};

TEST_F(DamageTest, TheUndamagedLogOpens) { ExpectRepaired(good_, 4); }

TEST_F(DamageTest, ATailCutAnywhereInTheLastTwoFramesIsRepaired) {
  for (uint64_t size = begins_[2]; size <= end_; ++size) {
    SCOPED_TRACE(size);
    const size_t frames = size < begins_[3] ? 2 : size < end_ ? 3 : 4;
    ExpectRepaired(good_.substr(0, size), frames);
  }
}

TEST_F(DamageTest, ATailZeroedFromAnywhereInTheLastTwoFramesIsRepaired) {
  for (uint64_t size = begins_[2]; size <= end_; ++size) {
    SCOPED_TRACE(size);
    std::string bytes = good_.substr(0, size);
    bytes.resize(good_.size(), '\0');
    // The last bytes of a frame may be zeros of its own.
    size_t frames = 2;
    if (IsZero(absl::string_view(good_).substr(size, begins_[3] - std::min(size, begins_[3])))) {
      frames = IsZero(absl::string_view(good_).substr(size)) ? 4 : 3;
    }
    ExpectRepaired(bytes, frames);
  }
}

TEST_F(DamageTest, GarbageBehindTheLastFrameIsRepaired) {
  Prng prng(1);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(round);
    std::string bytes = good_;
    const uint64_t begin = end_ + prng.Below(100);
    for (uint64_t i = begin; i < begin + 1 + prng.Below(500); ++i) {
      bytes[i] = static_cast<char>(prng.Next());
    }
    ExpectRepaired(bytes, 4);
  }
}

TEST_F(DamageTest, AFlippedByteInTheLastFrameIsTakenForATornWrite) {
  for (uint64_t i = begins_[3]; i < end_; ++i) {
    SCOPED_TRACE(i);
    std::string bytes = good_;
    bytes[i] ^= 0x10;
    ExpectRepaired(bytes, 3);
  }
}

TEST_F(DamageTest, AFlippedByteBeforeTheLastFrameIsRefused) {
  for (size_t frame = 0; frame < 3; ++frame) {
    for (uint64_t i = begins_[frame]; i < begins_[frame + 1]; ++i) {
      SCOPED_TRACE(i);
      std::string bytes = good_;
      bytes[i] ^= 0x10;
      ExpectRefused(bytes, begins_[frame]);
    }
  }
}

// The frame behind it is bad as well, and still shows that something was written behind.
TEST_F(DamageTest, ADamagedFrameBeforeTheHeaderOfAnotherIsRefused) {
  for (uint64_t i = begins_[2]; i < begins_[3]; ++i) {
    for (uint64_t j = begins_[3] + kFrameHeaderBytes; j < end_; j += 7) {
      std::string bytes = good_;
      bytes[i] ^= 0x10;
      bytes[j] ^= 0x10;
      ExpectRefused(bytes, begins_[2]);
    }
  }
}

TEST_F(DamageTest, ADamagedPayloadBeforeAnyOtherByteIsRefused) {
  for (uint64_t i = begins_[2] + kFrameHeaderBytes; i < begins_[3]; ++i) {
    for (uint64_t j = begins_[3]; j < good_.size(); j += 97) {
      std::string bytes = good_.substr(0, begins_[3]);
      bytes.resize(good_.size(), '\0');
      bytes[i] ^= 0x10;
      bytes[j] ^= 0x10;
      ExpectRefused(bytes, begins_[2]);
    }
  }
}

// The header of a torn write may be there before the rest, in whatever sectors.
TEST_F(DamageTest, AFrameOfWhichAnyPartIsZeroIsRepaired) {
  for (uint64_t begin = begins_[3]; begin < end_; ++begin) {
    for (uint64_t end = begin + 1; end <= end_; end += 5) {
      std::string bytes = good_;
      std::fill(bytes.begin() + begin, bytes.begin() + end, '\0');
      ExpectRepaired(bytes, bytes == good_ ? 4 : 3);
    }
  }
}

TEST_F(DamageTest, AFrameThatWasZeroedBeforeAValidOneIsRefused) {
  for (size_t frame = 0; frame < 3; ++frame) {
    std::string bytes = good_;
    std::fill(bytes.begin() + begins_[frame], bytes.begin() + begins_[frame + 1], '\0');
    ExpectRefused(bytes, begins_[frame]);
  }
}

TEST_F(DamageTest, AFlippedByteInTheHeaderIsRefused) {
  for (uint64_t i = 0; i < kSegmentHeaderBytes; ++i) {
    std::string bytes = good_;
    bytes[i] ^= 0x10;
    t_.disk().SetContents(path_, bytes);
    EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(path_), HasSubstr("at byte 0")));
  }
}

// A segment has its name only once its header is durable: no crash leaves this.
TEST_F(DamageTest, ASegmentOfZerosOrNothingIsRefused) {
  for (const size_t size : {good_.size(), size_t{63}, size_t{0}}) {
    t_.disk().SetContents(path_, std::string(size, '\0'));
    EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(path_), HasSubstr("at byte 0")));
  }
}

TEST_F(DamageTest, ACopyOfTheLogInsideATornEntryIsNotTakenForFrames) {
  PersistBatch batch;
  batch.entries = MakeEntries(7, {3});
  batch.entries[0].payload = std::make_shared<const std::string>(good_.substr(0, end_));
  ASSERT_TRUE(t_.Write({batch}).ok());
  std::string bytes = t_.disk().Contents(path_);
  bytes[end_] ^= 1;
  ExpectRepaired(bytes, 4);
}

TEST_F(DamageTest, TheVoteFileIsNeverTakenForAbsent) {
  const std::string vote = JoinPath(LogOnFaultyDisk::kDir, "vote");
  const std::string good = t_.disk().Contents(vote);
  t_.disk().SetContents(vote, "");
  EXPECT_THAT(ErrorOf(&t_), HasSubstr(vote));
  t_.disk().SetContents(vote, std::string(good.size(), '\0'));
  EXPECT_THAT(ErrorOf(&t_), HasSubstr(vote));
  ASSERT_TRUE(t_.disk().Remove(vote).ok());
  EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(vote), HasSubstr("missing beside a log")));
}

TEST_F(DamageTest, AVoteFileWithoutItsLogIsRefused) {
  ASSERT_TRUE(t_.disk().Remove(path_).ok());
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("missing beside a vote file"));
}

TEST_F(DamageTest, AMembersFileIsNeverTakenForAbsent) {
  const std::string members = JoinPath(LogOnFaultyDisk::kDir, "members");
  ASSERT_TRUE(t_.Open().ok());
  ASSERT_TRUE(t_.log().ResetTo({LogIndex(9), Term(3)}, MembershipBytes(5)).ok());
  ASSERT_TRUE(t_.Open().ok());
  EXPECT_EQ(t_.State().ToString(), "term 3 vote 1; after 9/3: ; members 9:5");
  const std::string good = t_.disk().Contents(members);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    t_.disk().SetContents(members, bad);
    EXPECT_THAT(ErrorOf(&t_), HasSubstr("members file /log/members: checksum mismatch")) << i;
  }
  t_.disk().SetContents(members, "");
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("members file /log/members: has 0 bytes"));
}

TEST_F(DamageTest, AMembersFileAloneIsRefused) {
  ASSERT_TRUE(t_.Open().ok());
  ASSERT_TRUE(t_.log().ResetTo({LogIndex(9), Term(3)}, MembershipBytes(5)).ok());
  ASSERT_TRUE(t_.disk().Remove(t_.NewestSegment()).ok());
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("missing beside a vote file"));
  ASSERT_TRUE(t_.disk().Remove(JoinPath(LogOnFaultyDisk::kDir, "vote")).ok());
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("missing beside a log"));
}

// With a checksum that fits: no crash, and no disk, makes that of what was written.
TEST_F(DamageTest, AnEntryThatHoldsNoMembershipIsRefused) {
  PersistBatch batch = MembershipBatch(7, 3, 5);
  const std::string good(*batch.entries[0].payload);
  ASSERT_TRUE(t_.Open().ok());
  ASSERT_TRUE(t_.Write({batch}).ok());
  std::vector<const Entry*> entries = {&batch.entries[0]};
  batch.entries[0].payload = std::make_shared<const std::string>(good.size(), 'x');
  std::string frame;
  EncodeFrame({.sequence = 1, .offset = end_}, entries, &frame);
  t_.disk().SetContents(path_, good_.substr(0, end_) + frame);
  EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(path_), HasSubstr("entry 7: these bytes are no")));
}

// Whoever put an older one there: what this node voted since is unknown.
TEST_F(DamageTest, AVoteFileOfAnEarlierTermThanTheLogIsRefused) {
  const std::string vote = JoinPath(LogOnFaultyDisk::kDir, "vote");
  LogOnFaultyDisk earlier;
  ASSERT_TRUE(earlier.Open().ok());
  ASSERT_TRUE(earlier.Write({VoteBatch(2, 1)}).ok());
  const std::string good_vote = t_.disk().Contents(vote);
  const std::string old_vote = earlier.disk().Contents(vote);
  t_.disk().SetContents(vote, old_vote);
  const std::string torn = good_.substr(0, end_) + "torn";  // and nothing of it is repaired
  t_.disk().SetContents(path_, torn);
  EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(path_), HasSubstr("entry 6 is of term 3"),
                                  HasSubstr("the vote file of term 2")));
  EXPECT_EQ(t_.disk().Contents(path_), torn);

  t_.disk().SetContents(vote, good_vote);
  ASSERT_TRUE(t_.Open().ok());
  ASSERT_TRUE(t_.log().ResetTo({LogIndex(9), Term(3)}, "").ok());
  t_.disk().SetContents(vote, old_vote);
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("entry 9 is of term 3"));
}

TEST_F(DamageTest, ReadNoticesWhatRottedAfterOpen) {
  ASSERT_TRUE(t_.Open().ok());
  for (uint64_t i = begins_[1]; i < begins_[2]; ++i) {
    std::string bytes = good_;
    bytes[i] ^= 0x10;
    t_.disk().SetContents(path_, bytes);
    const absl::Status read = t_.log().Read(LogIndex(1), LogIndex(6), SIZE_MAX).status();
    EXPECT_EQ(read.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(read.message()),
                AllOf(HasSubstr(path_), HasSubstr(absl::StrCat("at byte ", begins_[1]))));
  }
}

TEST_F(DamageTest, OtherFilesInTheFolderAreLeftAlone) {
  const std::string other = JoinPath(LogOnFaultyDisk::kDir, "README.tmp");
  ASSERT_TRUE(t_.disk().CreateFile(other).ok());
  ASSERT_TRUE(t_.Open().ok());
  EXPECT_TRUE(*t_.disk().Exists(other));
}

// Damage in a log of several segments.
class SegmentsTest : public testing::Test {
 protected:
  SegmentsTest() : t_({.segment_bytes = 1024, .frame_bytes_max = 512}) {
    EXPECT_TRUE(t_.Open().ok());
    for (uint64_t i = 1; i <= 40; ++i) EXPECT_TRUE(t_.Write({AppendBatch(i, {1})}).ok());
    paths_ = t_.SegmentPaths();
    EXPECT_GE(paths_.size(), 4u);
  }

  LogOnFaultyDisk t_;
  std::vector<std::string> paths_;
};

TEST_F(SegmentsTest, AFlippedByteAnywhereInASealedSegmentIsRefused) {
  const std::string good = t_.disk().Contents(paths_[1]);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] ^= 0x10;
    t_.disk().SetContents(paths_[1], bytes);
    EXPECT_THAT(ErrorOf(&t_), HasSubstr(paths_[1])) << i;
  }
}

TEST_F(SegmentsTest, ASealedSegmentCutShortIsRefused) {
  const std::string good = t_.disk().Contents(paths_[1]);
  for (size_t size = 0; size < good.size(); ++size) {
    t_.disk().SetContents(paths_[1], good.substr(0, size));
    EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(paths_[1]), HasSubstr("at byte"))) << size;
  }
}

TEST_F(SegmentsTest, AMissingSegmentIsRefusedUnlessItWasTheNewest) {
  ASSERT_TRUE(t_.disk().Rename(paths_[0], "/log/kept").ok());
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("is missing"));
  ASSERT_TRUE(t_.disk().Rename("/log/kept", paths_[0]).ok());
  ASSERT_TRUE(t_.disk().Remove(paths_[2]).ok());
  EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(paths_[1]), HasSubstr("next segment continues")));
}

TEST_F(SegmentsTest, AnotherSegmentOfTheSameSequenceIsRefused) {
  const SegmentHeader header{.sequence = 2, .previous = {LogIndex(77), Term(1)}};
  const std::string path = JoinPath(LogOnFaultyDisk::kDir, SegmentFileName(header));
  ASSERT_TRUE(t_.disk().CreateFile(path).ok());
  t_.disk().SetContents(path, EncodeSegmentHeader(header));
  EXPECT_THAT(ErrorOf(&t_), HasSubstr("a second one of sequence 2"));
}

TEST_F(SegmentsTest, ARenamedSegmentIsRefused) {
  const std::string path = JoinPath(LogOnFaultyDisk::kDir, "00000000000000ff-0000000000000001.log");
  ASSERT_TRUE(t_.disk().Rename(paths_.back(), path).ok());
  EXPECT_THAT(ErrorOf(&t_), AllOf(HasSubstr(path), HasSubstr("its header is of")));
}

// Damage in a log of which a prefix was dropped.
class DroppedTest : public SegmentsTest {
 protected:
  DroppedTest() {
    EXPECT_TRUE(t_.log().DropPrefix(LogIndex(12)).ok());
    older_begin_ = t_.disk().Contents(kBegin);
    dropped_ = paths_[1];
    dropped_bytes_ = t_.disk().Contents(dropped_);
    EXPECT_TRUE(t_.log().DropPrefix(LogIndex(20)).ok());
    begin_ = t_.disk().Contents(kBegin);
    EXPECT_NE(begin_, older_begin_);
    EXPECT_FALSE(*t_.disk().Exists(dropped_));
    paths_ = t_.SegmentPaths();
    EXPECT_GE(paths_.size(), 2u);
    base_ = t_.log().base();
  }

  // What Open says, which must have changed nothing.
  std::string Refusal() {
    const std::vector<std::string> before = t_.SegmentPaths();
    std::string error = ErrorOf(&t_);
    EXPECT_EQ(t_.SegmentPaths(), before);
    return error;
  }

  static constexpr const char* kBegin = "/log/begin";

  std::string begin_;
  std::string older_begin_;  // of the first of two drops
  std::string dropped_;      // the last of the segments that the second one removed
  std::string dropped_bytes_;
  LogPosition base_;
};

TEST_F(DroppedTest, TheUndamagedLogOpens) {
  ASSERT_TRUE(t_.Open().ok());
  EXPECT_EQ(t_.log().base(), base_);
  EXPECT_EQ(t_.State().last(), LogIndex(40));
}

TEST_F(DroppedTest, ADamagedBeginFileIsRefused) {
  for (size_t i = 0; i < begin_.size(); ++i) {
    std::string bytes = begin_;
    bytes[i] ^= 0x10;
    t_.disk().SetContents(kBegin, bytes);
    EXPECT_THAT(Refusal(), HasSubstr("begin file /log/begin: checksum mismatch")) << i;
  }
  t_.disk().SetContents(kBegin, "");
  EXPECT_THAT(Refusal(), HasSubstr("begin file /log/begin: has 0 bytes"));
}

TEST_F(DroppedTest, AMissingBeginFileIsRefused) {
  ASSERT_TRUE(t_.disk().Remove(kBegin).ok());
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(paths_[0]), HasSubstr("continues is missing")));
}

TEST_F(DroppedTest, AnOlderBeginFileIsRefused) {
  t_.disk().SetContents(kBegin, older_begin_);
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(paths_[0]), HasSubstr("continues is missing")));
}

// Otherwise whole segments could be thrown away because of it.
TEST_F(DroppedTest, TheBeginFileOfAnotherLogIsRefused) {
  BeginFile other(&t_.disk(), LogOnFaultyDisk::kDir);
  const LogBegin good = **other.Load();
  for (const LogBegin& begin :
       {LogBegin{good.sequence + 1, good.previous},
        LogBegin{good.sequence, {good.previous.index.Next(), good.previous.term}},
        LogBegin{good.sequence, {good.previous.index, good.previous.term.Next()}}}) {
    ASSERT_TRUE(other.Save(begin).ok());
    EXPECT_THAT(Refusal(), HasSubstr("continues is missing"));
  }
  ASSERT_TRUE(other.Save({good.sequence + 100, good.previous}).ok());
  EXPECT_THAT(Refusal(), HasSubstr("log /log: the segment that it begins with is missing"));
}

TEST_F(DroppedTest, AMissingFirstSegmentIsRefused) {
  ASSERT_TRUE(t_.disk().Remove(paths_[0]).ok());
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(paths_[1]), HasSubstr("continues is missing")));
}

// Of the dropped segments a crash may leave any. They do not stand in for the first one.
TEST_F(DroppedTest, DroppedSegmentsAreNoLog) {
  for (const std::string& path : paths_) ASSERT_TRUE(t_.disk().Remove(path).ok());
  EXPECT_THAT(Refusal(), HasSubstr("log /log: missing beside a vote file"));
  ASSERT_TRUE(t_.disk().CreateFile(dropped_).ok());
  t_.disk().SetContents(dropped_, dropped_bytes_);
  EXPECT_THAT(Refusal(), HasSubstr("log /log: the segment that it begins with is missing"));
}

TEST_F(DroppedTest, ABeginFileAloneIsRefused) {
  for (const std::string& path : paths_) ASSERT_TRUE(t_.disk().Remove(path).ok());
  ASSERT_TRUE(t_.disk().Remove("/log/vote").ok());
  EXPECT_THAT(Refusal(), HasSubstr("vote file /log/vote: missing beside a log"));
  EXPECT_FALSE(*t_.disk().Exists("/log/vote"));
}

TEST_F(DroppedTest, AMissingMarkedSegmentIsRefused) {
  ASSERT_TRUE(t_.log().ResetTo({LogIndex(60), Term(1)}, "").ok());
  const std::string marked = t_.NewestSegment();
  for (uint64_t i = 61; i <= 100; ++i) ASSERT_TRUE(t_.Write({AppendBatch(i, {1})}).ok());
  ASSERT_TRUE(t_.disk().Remove(marked).ok());
  EXPECT_THAT(Refusal(), HasSubstr("continues is missing"));
}

}  // namespace
}  // namespace pontoon::raft
