// OnceLedger: which writes of a session are not answered yet.

#ifndef PONTOON_KV_CLIENT_ONCE_LEDGER_H_
#define PONTOON_KV_CLIENT_ONCE_LEDGER_H_

#include <cstdint>
#include <optional>
#include <set>

namespace pontoon {

// Gives sequences to writes, and tells the servers below which of them they may forget what they
// answered. They remember a bounded number for each session, from the lowest that is not answered
// on, so there is a bound on how far ahead the others may be.
//
// Pure.
class OnceLedger {
 public:
  // Less than servers remember.
  static constexpr uint64_t kAheadMax = 512;

  // Nothing if too many are ahead of one that is not answered.
  std::optional<uint64_t> Begin() {
    if (next_ - answered_below() >= kAheadMax) return std::nullopt;
    unanswered_.insert(next_);
    return next_++;
  }

  // It was answered, or will not be sent again.
  void End(uint64_t sequence) { unanswered_.erase(sequence); }

  uint64_t answered_below() const { return unanswered_.empty() ? next_ : *unanswered_.begin(); }

 private:
  uint64_t next_ = 1;
  std::set<uint64_t> unanswered_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_ONCE_LEDGER_H_
