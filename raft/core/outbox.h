// Outbox: messages on their way out, and those that must wait for the disk first.

#ifndef PONTOON_RAFT_CORE_OUTBOX_H_
#define PONTOON_RAFT_CORE_OUTBOX_H_

#include <deque>
#include <utility>
#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

// A promise (a vote, an acknowledgement) must not be heard by anybody before the disk keeps what it
// says.
class Outbox {
 public:
  void Send(Message message) { ready_.push_back(std::move(message)); }
  // Sends `message` once the batch `after` is durable.
  void SendAfter(PersistSeq after, Message message) {
    withheld_.push_back({after, std::move(message)});
  }
  // The batch `seq` and all before it are durable. Messages stay in order among those that waited
  // for the same batch; one that waits for an earlier batch overtakes.
  void Release(PersistSeq seq) {
    std::deque<Withheld> still;
    for (Withheld& withheld : withheld_) {
      if (withheld.after <= seq) {
        ready_.push_back(std::move(withheld.message));
      } else {
        still.push_back(std::move(withheld));
      }
    }
    withheld_.swap(still);
  }
  // Promises made in an older term would be broken by what this node does in the new one: an
  // acknowledged entry may be overwritten before the acknowledgement leaves.
  void DropWithheld() { withheld_.clear(); }

  bool empty() const { return ready_.empty(); }
  std::vector<Message> Take() { return std::exchange(ready_, {}); }

 private:
  struct Withheld {
    PersistSeq after;
    Message message;
  };

  std::vector<Message> ready_;
  std::deque<Withheld> withheld_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_OUTBOX_H_
