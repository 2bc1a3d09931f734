// Power cuts at every step of everything, over and over: what was acknowledged stays, and what was
// dropped does not come back.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "raft/storage/segmented_log.h"
#include "raft/storage/testing/log_model.h"

namespace pontoon::raft {
namespace {

using Unsynced = FaultyFileSystem::Unsynced;

// So small that most writes of the script begin a segment, and some need several frames.
constexpr SegmentedLogOptions kSmall{.segment_bytes = 640, .frame_bytes_max = 256};
// So large that a frame has several sectors, which a crash tears apart.
constexpr SegmentedLogOptions kLarge{.segment_bytes = 8192, .frame_bytes_max = 4096};

struct Reset {
  LogPosition base;
  std::string membership{};
};

// One call: a Write, a ResetTo, or a DropPrefix.
using Operation = std::variant<std::vector<PersistBatch>, Reset, LogIndex>;

const std::vector<Operation>& Script() {
  using Batches = std::vector<PersistBatch>;
  static const auto* const script = new std::vector<Operation>{
      Batches{VoteBatch(1, 2)},
      Batches{AppendBatch(1, {1, 1}), AppendBatch(3, {1})},
      Batches{AppendBatch(4, {1, 1, 1, 1, 1, 1, 1, 1})},  // several frames, a new segment
      Batches{AppendBatch(12, {1}), VoteBatch(2, 1)},
      Batches{VoteBatch(3, 0), ReplaceBatch(10, {3})},  // within the newest segments
      Batches{AppendBatch(11, {3, 3, 3, 3}), AppendBatch(15, {3})},
      Batches{VoteBatch(4, 3), ReplaceBatch(3, {4, 4})},  // over several segments
      Batches{ReplaceBatch(5, {4}), ReplaceBatch(4, {}), AppendBatch(4, {4, 4, 4, 4, 4})},
      Batches{ReplaceBatch(6, {})},
      Batches{VoteBatch(5, 0), ReplaceBatch(1, {5, 5})},  // all of it
      Batches{VoteBatch(6, 0)},
      Reset{{LogIndex(20), Term(6)}},
      Batches{AppendBatch(21, {6, 6, 6, 6, 6, 6, 6})},
      Batches{VoteBatch(7, 0)},
      Reset{{LogIndex(30), Term(7)}},
      Batches{VoteBatch(8, 1), AppendBatch(31, {8}), ReplaceBatch(31, {8})},
      // Each drop goes up to the begin of a segment that a truncation began.
      Batches{AppendBatch(32, {8, 8, 8, 8, 8, 8})},
      Batches{ReplaceBatch(36, {8, 8})},
      LogIndex(35),
      Batches{AppendBatch(38, {8, 8, 8, 8, 8, 8})},
      Batches{VoteBatch(9, 1), ReplaceBatch(41, {9, 9})},
      LogIndex(40),
      Batches{VoteBatch(10, 0), ReplaceBatch(41, {10})},  // all that a drop left
      Batches{AppendBatch(42, {10, 10, 10, 10})},
      Batches{ReplaceBatch(44, {10})},
      LogIndex(43),
      Batches{AppendBatch(45, {10, 10}), VoteBatch(11, 2),
              ResetBatch({LogIndex(60), Term(10)}, {11, 11}), AppendBatch(63, {11})},
      Batches{AppendBatch(64, {11, 11, 11, 11, 11, 11})},
      Batches{ReplaceBatch(66, {11})},
      LogIndex(65),
      Batches{VoteBatch(12, 0), ReplaceBatch(66, {12}), ResetBatch({LogIndex(63), Term(11)}, {}),
              AppendBatch(64, {12, 12, 12, 12, 12, 12, 12, 12})},  // back, and several frames
      // Configurations: taken back, dropped with their entries, and in place of all.
      Batches{MembershipBatch(72, 12, 101), AppendBatch(73, {12}), MembershipBatch(74, 12, 102)},
      Batches{VoteBatch(13, 0), ReplaceBatch(74, {13}), MembershipBatch(75, 13, 103)},
      Batches{AppendBatch(76, {13, 13, 13, 13, 13, 13})},
      Batches{ReplaceBatch(80, {13})},
      LogIndex(73),
      LogIndex(79),
      Batches{MembershipBatch(81, 13, 104)},
      Batches{AppendBatch(82, {13, 13, 13, 13, 13, 13})},
      Batches{MembershipBatch(88, 13, 105), AppendBatch(89, {13, 13, 13, 13, 13})},
      Batches{ReplaceBatch(92, {13})},
      LogIndex(91),
      Batches{VoteBatch(14, 0)},
      Reset{{LogIndex(100), Term(14)}},  // the one that was in effect stays
      Batches{MembershipBatch(101, 14, 106)},
      Reset{{LogIndex(110), Term(14)}},
      Batches{VoteBatch(15, 0),
              ResetBatch({LogIndex(120), Term(15)}, {15, 15}, MembershipBytes(107))},
      Batches{MembershipBatch(123, 15, 108), AppendBatch(124, {15})},
      Reset{{LogIndex(130), Term(15)}, MembershipBytes(109)},
      Batches{AppendBatch(131, {15}), MembershipBatch(132, 15, 110)},
      Batches{ReplaceBatch(132, {15, 15})},
  };
  return *script;
}

absl::Status Perform(const Operation& operation, LogStore* log) {
  if (const auto* reset = std::get_if<Reset>(&operation)) {
    return log->ResetTo(reset->base, reset->membership);
  }
  if (const auto* upto = std::get_if<LogIndex>(&operation)) return log->DropPrefix(*upto);
  return log->Write(std::get<std::vector<PersistBatch>>(operation));
}

void Perform(const Operation& operation, LogState* state) {
  if (const auto* reset = std::get_if<Reset>(&operation)) {
    return state->ResetTo(reset->base, reset->membership);
  }
  if (const auto* upto = std::get_if<LogIndex>(&operation)) return state->DropPrefix(*upto);
  for (const auto& batch : std::get<std::vector<PersistBatch>>(operation)) state->Apply(batch);
}

// The first index that `batches` drop from a log that ends at `last`, or from the one that they
// reset it to.
LogIndex FirstDropped(const std::vector<PersistBatch>& batches, LogIndex last) {
  LogIndex first = last.Next();
  for (const auto& batch : batches) {
    if (batch.reset_to.has_value()) first = batch.reset_to->index.Next();
    if (batch.truncate_from.has_value()) first = std::min(first, *batch.truncate_from);
  }
  return first;
}

// What a run acknowledged before its power was cut, and what was under way then.
struct Progress {
  LogState acknowledged;
  std::optional<Operation> under_way;
};

// Whether `found` is `before` or has, apart from that, the configuration at its base that `done`
// has: the members file is saved first.
bool IsBefore(const LogState& before, const LogState& done, const LogState& found) {
  if (found == before) return true;
  const auto in_effect = done.memberships.begin();
  if (in_effect == done.memberships.end() || in_effect->first > done.base.index) return false;
  LogState members_saved = before;
  members_saved.ReplaceOldestMembership(in_effect->second);
  return found == members_saved;
}

// Whether a log that was recovered after `progress` may hold `found`: what was acknowledged, or
// some of what was under way as well. Votes come first, then the members file, then the reset or
// the truncation, then entries from the front.
bool IsAllowed(const Progress& progress, const LogState& found) {
  if (found == progress.acknowledged) return true;
  if (!progress.under_way.has_value()) return false;
  LogState done = progress.acknowledged;
  Perform(*progress.under_way, &done);
  LogState only_voted = progress.acknowledged;
  only_voted.hard_state = done.hard_state;
  if (IsBefore(only_voted, done, found) || found == done) return true;
  const auto* batches = std::get_if<std::vector<PersistBatch>>(&*progress.under_way);
  if (batches == nullptr || found.hard_state != done.hard_state || found.base != done.base) {
    return false;
  }
  const LogIndex dropped = FirstDropped(*batches, progress.acknowledged.last());
  if (found.last() < dropped.Prev() || found.terms.size() > done.terms.size()) return false;
  done.terms.resize(found.terms.size());
  done.memberships.erase(done.memberships.upper_bound(found.last()), done.memberships.end());
  return found == done;
}

// Opens the log and runs the script, until the power is cut.
Progress RunUntilCut(LogOnFaultyDisk* t) {
  Progress progress;
  if (!t->Open().ok()) return progress;
  for (const Operation& operation : Script()) {
    progress.under_way = operation;
    if (!Perform(operation, &t->log()).ok()) return progress;
    Perform(operation, &progress.acknowledged);
    progress.under_way.reset();
  }
  return progress;
}

uint64_t StepsOfScript(const SegmentedLogOptions& options) {
  LogOnFaultyDisk t(options);
  const Progress progress = RunUntilCut(&t);
  EXPECT_EQ(progress.under_way, std::nullopt);
  EXPECT_EQ(t.Open(), absl::OkStatus());
  EXPECT_EQ(t.State().ToString(), progress.acknowledged.ToString());
  return t.disk().steps();
}

struct Crash {
  Unsynced unsynced;
  uint64_t seed = 0;
};

std::vector<Crash> Crashes() {
  std::vector<Crash> crashes = {{Unsynced::kLost}, {Unsynced::kKept}};
  for (uint64_t seed = 0; seed < 12; ++seed) crashes.push_back({Unsynced::kScattered, seed});
  return crashes;
}

// Opens the log, expects an allowed state, writes on, and expects that to stay.
void ExpectRecovers(LogOnFaultyDisk* t, const Progress& progress) {
  const absl::Status opened = t->Open();
  ASSERT_TRUE(opened.ok()) << opened;
  LogState state = t->State();
  ASSERT_TRUE(IsAllowed(progress, state))
      << "found " << state.ToString() << "\nacknowledged " << progress.acknowledged.ToString();
  PersistBatch more = AppendBatch(state.last().value() + 1, {20, 20});
  more.hard_state = HardState{Term(20), kNoNode};
  ASSERT_TRUE(t->Write({more}).ok());
  state.Apply(more);
  t->disk().Crash(Unsynced::kLost);
  ASSERT_TRUE(t->Open().ok());
  ASSERT_EQ(t->State().ToString(), state.ToString());
}

// Opens the log after the death of the process, and expects that a power cut takes nothing away of
// what that found: a node answers from it.
void ExpectWhatOpenReturnsIsDurable(LogOnFaultyDisk* t, const Progress& progress) {
  t->disk().RestartProcess();
  ASSERT_TRUE(t->Open().ok());
  const LogState state = t->State();
  ASSERT_TRUE(IsAllowed(progress, state)) << state.ToString();
  t->disk().Crash(Unsynced::kLost);
  ASSERT_TRUE(t->Open().ok());
  ASSERT_EQ(t->State().ToString(), state.ToString());
}

class CrashTest : public testing::Test {
 protected:
  CrashTest() { testing::internal::CaptureStderr(); }  // the warnings about torn writes
  ~CrashTest() override { testing::internal::GetCapturedStderr(); }
};

// Runs the script once for each step and each way to crash.
void CutEverywhere(const SegmentedLogOptions& options) {
  const uint64_t steps = StepsOfScript(options);
  for (uint64_t cut = 0; cut <= steps; ++cut) {
    for (const Crash& crash : Crashes()) {
      SCOPED_TRACE(absl::StrCat("cut after ", cut, ", crash ", static_cast<int>(crash.unsynced),
                                " seed ", crash.seed));
      LogOnFaultyDisk t(options);
      t.disk().CutPowerAfter(cut);
      const Progress progress = RunUntilCut(&t);
      t.disk().Crash(crash.unsynced, crash.seed);
      ASSERT_NO_FATAL_FAILURE(ExpectRecovers(&t, progress));
    }
  }
}

// Runs the script up to each step, has `end` end that life, and cuts the power once more at each
// step of the recovery.
void CutTwice(const std::function<void(FaultyFileSystem* disk, uint64_t seed)>& end) {
  const uint64_t steps = StepsOfScript(kSmall);
  for (uint64_t cut = 0; cut <= steps; ++cut) {
    for (const uint64_t seed : {1, 2, 3}) {
      bool opened = false;
      for (uint64_t second_cut = 0; !opened; ++second_cut) {
        SCOPED_TRACE(absl::StrCat("cuts after ", cut, " and ", second_cut, ", seed ", seed));
        LogOnFaultyDisk t(kSmall);
        t.disk().CutPowerAfter(cut);
        const Progress progress = RunUntilCut(&t);
        end(&t.disk(), seed);
        t.disk().CutPowerAfter(second_cut);
        opened = t.Open().ok();
        ASSERT_TRUE(opened || t.disk().power_is_off());
        t.disk().Crash(Unsynced::kScattered, seed + 100);
        ASSERT_NO_FATAL_FAILURE(ExpectRecovers(&t, progress));
      }
    }
  }
}

TEST_F(CrashTest, NothingAcknowledgedIsLostWhereverThePowerIsCut) { CutEverywhere(kSmall); }

TEST_F(CrashTest, NorAreFramesOfSeveralSectors) { CutEverywhere(kLarge); }

TEST_F(CrashTest, NorIfThePowerIsCutAgainDuringRecovery) {
  CutTwice([](FaultyFileSystem* disk, uint64_t seed) { disk->Crash(Unsynced::kScattered, seed); });
}

// What the dead process renamed and removed is not durable yet, in whatever order the disk likes.
TEST_F(CrashTest, NorIfThePowerIsCutDuringRecoveryFromADeadProcess) {
  CutTwice([](FaultyFileSystem* disk, uint64_t) { disk->RestartProcess(); });
}

// It was only in the system's cache when the process before died.
TEST_F(CrashTest, WhatOpenReturnedIsDurable) {
  const uint64_t steps = StepsOfScript(kSmall);
  for (uint64_t cut = 0; cut <= steps; ++cut) {
    SCOPED_TRACE(cut);
    LogOnFaultyDisk t(kSmall);
    t.disk().CutPowerAfter(cut);
    const Progress progress = RunUntilCut(&t);
    ASSERT_NO_FATAL_FAILURE(ExpectWhatOpenReturnsIsDurable(&t, progress));
  }
}

// After a failed sync the cache holds what the disk does not, and takes it for clean.
TEST_F(CrashTest, WhatOpenReturnedIsDurableAlsoAfterAFailedSync) {
  LogOnFaultyDisk counting(kSmall);
  RunUntilCut(&counting);
  for (uint64_t sync = 0; sync < counting.disk().syncs(); ++sync) {
    SCOPED_TRACE(sync);
    LogOnFaultyDisk t(kSmall);
    t.disk().FailSyncAfter(sync);
    const Progress progress = RunUntilCut(&t);
    ASSERT_NO_FATAL_FAILURE(ExpectWhatOpenReturnsIsDurable(&t, progress));
  }
}

TEST_F(CrashTest, AFailedWriteLosesNothingThatWasAcknowledged) {
  LogOnFaultyDisk counting(kSmall);
  RunUntilCut(&counting);
  for (uint64_t write = 0; write < counting.disk().writes(); ++write) {
    SCOPED_TRACE(write);
    LogOnFaultyDisk t(kSmall);
    t.disk().FailWriteAfter(write);
    const Progress progress = RunUntilCut(&t);
    t.disk().RestartProcess();
    ASSERT_NO_FATAL_FAILURE(ExpectRecovers(&t, progress));
  }
}

// Qdrant's write-ahead log brought back a suffix that had been replaced. Here the files that held
// it come back, all of them, as if the removal had never reached the disk.
TEST_F(CrashTest, AReplacedSuffixNeverComesBack) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  std::vector<std::pair<std::string, std::string>> old;
  for (const std::string& path : t.SegmentPaths()) {
    old.emplace_back(path, t.disk().Contents(path));
  }
  ASSERT_TRUE(t.Write({ReplaceBatch(2, {2})}).ok());
  for (const auto& [path, bytes] : old) {
    if (!*t.disk().Exists(path)) {
      ASSERT_TRUE(t.disk().CreateFile(path).ok());
    }
    t.disk().SetContents(path, bytes);
  }
  ASSERT_TRUE(t.Open().ok());
  EXPECT_EQ(t.State().terms, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(t.SegmentPaths().size(), 2u);
}

TEST_F(CrashTest, ADroppedPrefixNeverComesBack) {
  LogOnFaultyDisk t(kSmall);
  ASSERT_TRUE(t.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(t.Write({AppendBatch(i, {1})}).ok());
  std::vector<std::pair<std::string, std::string>> old;
  for (const std::string& path : t.SegmentPaths()) {
    old.emplace_back(path, t.disk().Contents(path));
  }
  ASSERT_TRUE(t.log().DropPrefix(LogIndex(20)).ok());
  const std::vector<std::string> left = t.SegmentPaths();
  const LogPosition base = t.log().base();
  ASSERT_LT(left.size(), old.size());
  for (uint64_t some = 0; some < 1u << (old.size() - left.size()); ++some) {
    SCOPED_TRACE(some);
    for (size_t i = 0; i < old.size() - left.size(); ++i) {
      if ((some >> i & 1) == 0) continue;
      ASSERT_TRUE(t.disk().CreateFile(old[i].first).ok());
      t.disk().SetContents(old[i].first, old[i].second);
    }
    ASSERT_TRUE(t.Open().ok());
    EXPECT_EQ(t.log().base(), base);
    EXPECT_EQ(t.SegmentPaths(), left);
  }
}

}  // namespace
}  // namespace pontoon::raft
