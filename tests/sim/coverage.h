// Coverage: counts of the rare paths that a run went, and of the faults that it met.

#ifndef PONTOON_TESTS_SIM_COVERAGE_H_
#define PONTOON_TESTS_SIM_COVERAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace pontoon::sim {

// A simulation that never gets to the interesting places finds nothing there. Each of these must be
// reached by a campaign, or the campaign fails.
enum class Path : size_t {
  kLogConflictTruncated,
  kLeaderDeposedWithUncommitted,
  kTornTailRepaired,
  kVoteWithheldByCrash,
  kForwardedDuplicateDropped,
  kReadOnFollower,
  kReadOnLeader,
  kCatchUpFromDisk,
  kApplyFromDisk,
  kReplayAfterRestart,
  kRestartDuringRecovery,
  kDiedOfDiskError,
  kPowerCutWithinWrite,
  kSegmentRolled,
  kUnknownWasApplied,
  kUnknownWasNotApplied,
  kSecondAttemptApplied,
  kNotApplied,
  kLeadershipTransferred,
  kOldTermEntryCommitted,
  kPausedLeaderCameBack,
  kLogCompacted,
  kSnapshotInstalled,
  kInstallCutByCrash,
  kStartWithoutState,
  kChangeMade,
  kChangeUnknown,
  kChangeTakenBack,
  kJointConfiguration,
  kJointLeftByAnother,
  kNodeRemoved,
  kLeaderRemoved,
  kReadAtReplacedLeader,
  kRivalReturned,
  kDiedOfFullDisk,
  kDamageFound,
  kCompacted,
  kReadOfPast,
  kReadOfCompacted,
  kWatcherCompacted,
  kLeaseRenewed,
  kLeaseRenewedByAnother,
  kLeaseFoundGone,
  kLeaseExpired,
  kLeaseTookKeysAlong,
  kLeaseCheckpointed,
  kLeaderOutOfDate,
  kBoundProvenBefore,
  kBoundRefused,
  kRevisionAwaited,
  kOnceRepeated,
  kOnceForgotten,
  kOnceWithoutSession,
  kFencedOff,
  kCount,
};

enum class Fault : size_t {
  kMessageLost,
  kMessageDoubled,
  kMessageOvertaken,
  kMessageReplayed,
  kMessageBlocked,
  kPartition,
  kProcessCrash,
  kPowerLoss,
  kPowerCutWithinWrite,
  kAllPowerLost,
  kFailedSync,
  kFailedWrite,
  kPause,
  kDiskStall,
  kSlowApply,
  kCleanStop,
  kTransfer,
  kStateLost,
  kChangeAsked,
  kUsurpation,
  kStrangers,
  kHandover,
  kFigureEight,
  kDiskFull,
  kBitRot,
  kStandstill,
  kCount,
};

const char* NameOf(Path path);
const char* NameOf(Fault fault);

struct Coverage {
  std::array<uint64_t, static_cast<size_t>(Path::kCount)> paths{};
  std::array<uint64_t, static_cast<size_t>(Fault::kCount)> faults{};

  void Reached(Path path) { ++paths[static_cast<size_t>(path)]; }
  void Met(Fault fault) { ++faults[static_cast<size_t>(fault)]; }

  void Add(const Coverage& other);
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_COVERAGE_H_
