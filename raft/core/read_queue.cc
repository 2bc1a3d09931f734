#include "raft/core/read_queue.h"

#include "raft/base/check.h"

namespace pontoon::raft {

void ReadQueue::OnRoundStarted(RoundId round, LogIndex commit) {
  if (!in_round_.empty()) CHECK_LT(in_round_.back().round, round);
  for (Read& read : waiting_) {
    read.index = commit;
    read.round = round;
    in_round_.push_back(read);
  }
  waiting_.clear();
}

std::vector<ReadQueue::Read> ReadQueue::TakeConfirmed(RoundId round) {
  std::vector<Read> confirmed;
  while (!in_round_.empty() && in_round_.front().round <= round) {
    confirmed.push_back(in_round_.front());
    in_round_.pop_front();
  }
  return confirmed;
}

std::vector<ReadQueue::Read> ReadQueue::TakeAll() {
  std::vector<Read> all(in_round_.begin(), in_round_.end());
  all.insert(all.end(), waiting_.begin(), waiting_.end());
  in_round_.clear();
  waiting_.clear();
  return all;
}

}  // namespace pontoon::raft
