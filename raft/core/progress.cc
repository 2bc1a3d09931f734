#include "raft/core/progress.h"

#include <algorithm>

#include "raft/base/check.h"

namespace pontoon::raft {

bool Progress::CanSend() const {
  if (log_read_pending || state_ == State::kSnapshot) return false;
  return state_ == State::kProbe ? !probe_sent_ : !inflights_.full();
}

void Progress::OnSent(LogIndex last, size_t bytes, Instant now) {
  CHECK(CanSend());
  CHECK_GE(last.Next(), next_);
  if (state_ == State::kProbe) {
    probe_sent_ = true;
    return;
  }
  if (last < next_) return;  // carried no entries
  inflights_.Add(last, bytes, now);
  next_ = last.Next();
}

bool Progress::OnAccepted(LogIndex match) {
  const bool news = match > match_;
  if (state_ == State::kSnapshot) {  // late news of the log does not end a transfer
    match_ = std::max(match_, match);
    return news;
  }
  if (match < match_ && next_ <= match_) {
    // It has got part of what it lost.
    next_ = std::max(next_, match.Next());
    probe_sent_ = false;
    return false;
  }
  match_ = std::max(match_, match);
  next_ = std::max(next_, match_.Next());
  if (state_ == State::kProbe) {
    // An answer from before the probe proves agreement all the same.
    state_ = State::kReplicate;
    probe_sent_ = false;
    inflights_.Clear();
    next_ = match_.Next();
  }
  inflights_.Acknowledge(match_);
  return news;
}

bool Progress::OnRejected(LogIndex rejected, LogIndex hint) {
  if (state_ == State::kSnapshot) return false;
  const bool known_to_agree = rejected <= match_;
  // What was sent ahead begins behind the match: an old answer.
  if (state_ == State::kReplicate && known_to_agree) return false;
  if (state_ == State::kProbe && rejected != next_.Prev()) return false;  // not of this probe
  const LogIndex next = std::min(rejected, hint.Next());
  OnLoss();
  // The probe asked for what the follower once had, and it has that no more. If this is an old
  // answer nevertheless, some entries are sent twice.
  next_ = std::max(next, known_to_agree ? LogIndex(1) : match_.Next());
  return true;
}

void Progress::OnSnapshotNeeded() {
  state_ = State::kSnapshot;
  probe_sent_ = false;
  inflights_.Clear();
}

void Progress::OnSnapshotSent(LogIndex last) {
  if (state_ != State::kSnapshot) return;
  state_ = State::kProbe;
  next_ = std::max(match_, last).Next();
}

void Progress::OnLoss() {
  if (state_ == State::kSnapshot) return;  // whoever sends it finds out
  if (state_ == State::kReplicate) next_ = match_.Next();
  state_ = State::kProbe;
  probe_sent_ = false;
  inflights_.Clear();
}

}  // namespace pontoon::raft
