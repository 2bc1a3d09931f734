// Progress: what the leader knows of one follower, and what it may send to it next.

#ifndef PONTOON_RAFT_CORE_PROGRESS_H_
#define PONTOON_RAFT_CORE_PROGRESS_H_

#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/core/inflights.h"

namespace pontoon::raft {

// Three states. In kProbe the leader does not know where the logs agree: it sends one append and
// waits for the answer (or the next heartbeat's, if that was lost). In kReplicate it does, and
// sends ahead without waiting, within the bounds of Inflights. In kSnapshot the follower gets a
// snapshot, and no appends.
//
// A follower whose disk lost the end of its log, damage though it is, refuses what it acknowledged.
// It then gets that again, one append after the other, from where the logs agree.
//
// Invariants: the match never falls; match < next, but while a follower gets again what it lost; in
// kReplicate, [match + 1, next) is in flight.
class Progress {
 public:
  enum class State { kProbe, kReplicate, kSnapshot };

  Progress(LogIndex next, size_t inflight_messages_max, size_t inflight_bytes_max)
      : next_(next), inflights_(inflight_messages_max, inflight_bytes_max) {}

  State state() const { return state_; }
  LogIndex match() const { return match_; }
  LogIndex next() const { return next_; }
  const Inflights& inflights() const { return inflights_; }

  // Whether an append may be sent now.
  bool CanSend() const;
  // An append was sent that ends with `last` and counts `bytes`.
  void OnSent(LogIndex last, size_t bytes, Instant now);
  // The follower has the log up to `match`. True if that is news.
  bool OnAccepted(LogIndex match);
  // The follower refused an append after `rejected`; the logs may agree at `hint` at best. False if
  // the answer is out of date and was ignored.
  bool OnRejected(LogIndex rejected, LogIndex hint);
  // Sent messages may be lost: start again from what is known.
  void OnLoss();
  // The follower is to get a snapshot.
  void OnSnapshotNeeded();
  // The follower has been sent a snapshot of the entries up to `last`.
  void OnSnapshotSent(LogIndex last);
  // A heartbeat that was sent after the last probe was answered: if the probe is still unanswered,
  // it is lost.
  void OnLaterHeartbeatAck() { probe_sent_ = false; }

  // Whether it can apply nothing before it gets a snapshot.
  bool NeedsState() const { return needs_snapshot_of > LogIndex(); }

  // ---- facts that the leader keeps per follower

  Instant last_contact = Instant::InfinitePast();
  RoundId acked_round;      // the newest heartbeat round that it answered
  uint32_t priority = 0;    // as it told last
  LogIndex told_commit;     // the newest commit index that was sent to it
  LogIndex forwarded_last;  // the newest entry that it forwarded: it waits for this one's commit
  Instant gather_until = Instant::InfiniteFuture();  // when gathered entries leave at the latest
  RoundId probed_round;           // the newest round when the last probe was sent
  bool log_read_failed = false;   // and is not tried again before the next heartbeat
  bool log_read_pending = false;  // its next entries are being read from the disk
  LogIndex needs_snapshot_of;     // its log begins after its state, which ends before this; or 0
  bool state_under_way = false;   // a snapshot for that; appends go on meanwhile
  bool snapshot_failed = false;   // and is not tried again before the next heartbeat

 private:
  State state_ = State::kProbe;
  LogIndex match_;
  LogIndex next_;
  bool probe_sent_ = false;
  Inflights inflights_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_PROGRESS_H_
