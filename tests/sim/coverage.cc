#include "tests/sim/coverage.h"

namespace pontoon::sim {

const char* NameOf(Path path) {
  switch (path) {
    case Path::kLogConflictTruncated:
      return "a log truncated at a conflict";
    case Path::kLeaderDeposedWithUncommitted:
      return "a leader deposed with uncommitted entries";
    case Path::kTornTailRepaired:
      return "a torn end of a log cut off";
    case Path::kVoteWithheldByCrash:
      return "a crash before a term or vote was durable";
    case Path::kForwardedDuplicateDropped:
      return "a forwarded proposal that came twice";
    case Path::kReadOnFollower:
      return "a read confirmed on a follower";
    case Path::kReadOnLeader:
      return "a read confirmed on the leader";
    case Path::kCatchUpFromDisk:
      return "a follower caught up from the leader's disk";
    case Path::kApplyFromDisk:
      return "committed entries read back to be applied";
    case Path::kReplayAfterRestart:
      return "entries applied again after a restart";
    case Path::kRestartDuringRecovery:
      return "the power cut while a log was opened";
    case Path::kDiedOfDiskError:
      return "a process that died of a disk error";
    case Path::kPowerCutWithinWrite:
      return "the power cut within a write";
    case Path::kSegmentRolled:
      return "a log of several segments recovered";
    case Path::kUnknownWasApplied:
      return "an unknown outcome that was applied";
    case Path::kUnknownWasNotApplied:
      return "an unknown outcome that was not applied";
    case Path::kSecondAttemptApplied:
      return "a second attempt of a proposal applied";
    case Path::kNotApplied:
      return "a proposal given back as not applied";
    case Path::kLeadershipTransferred:
      return "leadership handed over";
    case Path::kOldTermEntryCommitted:
      return "an entry of an older term committed by a later leader";
    case Path::kPausedLeaderCameBack:
      return "a leader that was paused and came back deposed";
    case Path::kLogCompacted:
      return "the beginning of a log dropped";
    case Path::kSnapshotInstalled:
      return "a snapshot installed";
    case Path::kInstallCutByCrash:
      return "a crash between a snapshot and the log that begins with it";
    case Path::kStartWithoutState:
      return "a start with a log that begins after the state";
    case Path::kChangeMade:
      return "a change of membership made";
    case Path::kChangeUnknown:
      return "a change of membership with an unknown outcome";
    case Path::kChangeTakenBack:
      return "a configuration taken back with its entry";
    case Path::kJointConfiguration:
      return "a joint configuration committed";
    case Path::kJointLeftByAnother:
      return "a joint configuration left by a later leader";
    case Path::kNodeRemoved:
      return "a node that learnt of its removal";
    case Path::kLeaderRemoved:
      return "a leader that removed itself";
    case Path::kReadAtReplacedLeader:
      return "a read asked of a leader that has a successor and does not know";
    case Path::kRivalReturned:
      return "a rival elected after old entries of another were spread";
    case Path::kDiedOfFullDisk:
      return "a process that died of a full disk";
    case Path::kDamageFound:
      return "a start refused, for the log is damaged";
    case Path::kCompacted:
      return "a compaction";
    case Path::kReadOfPast:
      return "a read at an old revision";
    case Path::kReadOfCompacted:
      return "a read at a revision that is compacted";
    case Path::kWatcherCompacted:
      return "a watcher that needed what is compacted, and went on from there";
    case Path::kLeaseRenewed:
      return "a lease renewed";
    case Path::kLeaseRenewedByAnother:
      return "a lease renewed by another leader than before";
    case Path::kLeaseFoundGone:
      return "a lease that was asked for and was gone";
    case Path::kLeaseExpired:
      return "a lease that expired";
    case Path::kLeaseTookKeysAlong:
      return "a lease that took several keys along";
    case Path::kLeaseCheckpointed:
      return "checkpoints of leases, noted or cleared";
    case Path::kLeaderOutOfDate:
      return "an end or a checkpoint of leases that a former leader wanted";
    case Path::kBoundProvenBefore:
      return "a bounded read of a state that was proven before it";
    case Path::kBoundRefused:
      return "a bounded read refused";
    case Path::kRevisionAwaited:
      return "a read that waited for its revision";
    case Path::kOnceRepeated:
      return "a copy of a write that gets the first answer";
    case Path::kOnceForgotten:
      return "a late copy of a write whose answer is forgotten";
    case Path::kOnceWithoutSession:
      return "a copy of a write whose session is over";
    case Path::kFencedOff:
      return "a write of a holder who has lost the lock";
    case Path::kCount:
      break;
  }
  return "?";
}

const char* NameOf(Fault fault) {
  switch (fault) {
    case Fault::kMessageLost:
      return "messages lost";
    case Fault::kMessageDoubled:
      return "messages doubled";
    case Fault::kMessageOvertaken:
      return "messages delayed for long";
    case Fault::kMessageReplayed:
      return "old messages replayed";
    case Fault::kMessageBlocked:
      return "messages blocked by partitions";
    case Fault::kPartition:
      return "partitions";
    case Fault::kProcessCrash:
      return "crashes of a process";
    case Fault::kPowerLoss:
      return "power losses";
    case Fault::kPowerCutWithinWrite:
      return "power cuts within a write";
    case Fault::kAllPowerLost:
      return "power losses of all machines";
    case Fault::kFailedSync:
      return "failed syncs";
    case Fault::kFailedWrite:
      return "failed writes";
    case Fault::kPause:
      return "pauses of a process";
    case Fault::kDiskStall:
      return "stalls of a disk";
    case Fault::kSlowApply:
      return "periods of slow apply";
    case Fault::kCleanStop:
      return "clean stops";
    case Fault::kTransfer:
      return "transfers of leadership asked for";
    case Fault::kStateLost:
      return "states lost";
    case Fault::kChangeAsked:
      return "changes of membership asked for";
    case Fault::kUsurpation:
      return "leaders cut off while they are read from";
    case Fault::kStrangers:
      return "followers of a leader started anew while others miss it";
    case Fault::kHandover:
      return "leaders deaf while they hand over";
    case Fault::kFigureEight:
      return "figures 8 begun";
    case Fault::kDiskFull:
      return "disks filled up";
    case Fault::kBitRot:
      return "bits flipped in the log of a stopped node";
    case Fault::kStandstill:
      return "leaders that stood still before they answered about leases";
    case Fault::kCount:
      break;
  }
  return "?";
}

void Coverage::Add(const Coverage& other) {
  for (size_t i = 0; i < paths.size(); ++i) paths[i] += other.paths[i];
  for (size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
}

}  // namespace pontoon::sim
