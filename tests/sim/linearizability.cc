#include "tests/sim/linearizability.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "raft/base/check.h"

namespace pontoon::sim {
namespace {

// The begins and ends of the calls in their order, as a list from which a call can be taken out and
// put back. Place 0 is the head.
class Timeline {
 public:
  struct Event {
    size_t call = 0;
    bool is_end = false;
  };

  explicit Timeline(const std::vector<RegisterCall>& calls) : places_(calls.size()) {
    struct Moment {
      int64_t time;
      Event event;
    };
    std::vector<Moment> moments;
    for (size_t call = 0; call < calls.size(); ++call) {
      CHECK_LE(calls[call].begin, calls[call].end);
      moments.push_back({calls[call].begin, {call, false}});
      moments.push_back({calls[call].end, {call, true}});
    }
    // At the same time begins come first: then the calls overlap.
    std::stable_sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
      return a.time != b.time ? a.time < b.time : a.event.is_end < b.event.is_end;
    });
    events_.resize(moments.size() + 1);
    next_.resize(events_.size() + 1);
    previous_.resize(events_.size() + 1);
    for (size_t place = 1; place < events_.size(); ++place) {
      events_[place] = moments[place - 1].event;
      Places& of_call = places_[events_[place].call];
      (events_[place].is_end ? of_call.end : of_call.begin) = place;
    }
    for (size_t place = 0; place < events_.size(); ++place) {
      next_[place] = place + 1 < events_.size() ? place + 1 : kNone;
      previous_[place] = place == 0 ? 0 : place - 1;
    }
  }

  static constexpr size_t kNone = SIZE_MAX;

  size_t First() const { return next_[0]; }
  size_t Next(size_t place) const { return next_[place]; }
  const Event& At(size_t place) const { return events_[place]; }
  size_t BeginOf(size_t call) const { return places_[call].begin; }

  void TakeOut(size_t call) {
    Unlink(places_[call].begin);
    Unlink(places_[call].end);
  }
  void PutBack(size_t call) {
    Relink(places_[call].end);
    Relink(places_[call].begin);
  }

 private:
  struct Places {
    size_t begin = 0;
    size_t end = 0;
  };

  void Unlink(size_t place) {
    next_[previous_[place]] = next_[place];
    if (next_[place] != kNone) previous_[next_[place]] = previous_[place];
  }
  void Relink(size_t place) {
    next_[previous_[place]] = place;
    if (next_[place] != kNone) previous_[next_[place]] = place;
  }

  std::vector<Event> events_;
  std::vector<size_t> next_;
  std::vector<size_t> previous_;
  std::vector<Places> places_;
};

// The state after a call, if the call can take effect on `state`.
std::optional<Value> Step(const RegisterCall& call, Value state) {
  const auto told_fits = [&call](bool changed) {
    return call.changed.value_or(changed) == changed;
  };
  switch (call.kind) {
    case OperationKind::kRead:
      if (call.end == RegisterCall::kNever || call.value == state) return state;
      return std::nullopt;
    case OperationKind::kPut:
      return call.value;
    case OperationKind::kDelete:
      if (!told_fits(state != kAbsent)) return std::nullopt;
      return kAbsent;
    case OperationKind::kCompareAndSet: {
      const bool changed = state == call.expected;
      if (!told_fits(changed)) return std::nullopt;
      return changed ? call.value : state;
    }
    case OperationKind::kCompact:
    case OperationKind::kGrant:
    case OperationKind::kRevoke:
    case OperationKind::kCheckpoint:
      CHECK(false) << "not a call on a register";
  }
  return std::nullopt;
}

class Search {
 public:
  Search(const std::vector<RegisterCall>& calls, Value initial)
      : calls_(calls), timeline_(calls), state_(initial), taken_((calls.size() + 63) / 64) {}

  Verdict Run(uint64_t steps_max) {
    size_t place = timeline_.First();
    while (!OnlyUnansweredLeft()) {
      if (steps_max-- == 0) return Verdict::kGaveUp;
      if (place != Timeline::kNone && !timeline_.At(place).is_end) {
        place = TryCall(place) ? timeline_.First() : timeline_.Next(place);
        continue;
      }
      // A call ends here, and none that began before it can be the next one to take effect.
      if (path_.empty()) return Verdict::kNotLinearizable;
      place = timeline_.Next(StepBack());
    }
    return Verdict::kLinearizable;
  }

 private:
  // Calls that nobody was answered for need not have happened.
  bool OnlyUnansweredLeft() const { return answered_taken_ == AnsweredCount(); }
  size_t AnsweredCount() const {
    if (answered_count_ == SIZE_MAX) {
      answered_count_ = std::count_if(calls_.begin(), calls_.end(), [](const RegisterCall& call) {
        return call.end != RegisterCall::kNever;
      });
    }
    return answered_count_;
  }
  bool Answered(size_t call) const { return calls_[call].end != RegisterCall::kNever; }

  // Lets the call that begins at `place` take effect now. False if it cannot, or if that leads to
  // where the search has been.
  bool TryCall(size_t place) {
    const size_t call = timeline_.At(place).call;
    const std::optional<Value> after = Step(calls_[call], state_);
    if (!after.has_value()) return false;
    Flip(call);
    if (!seen_.emplace(taken_, after->value()).second) {
      Flip(call);
      return false;
    }
    path_.push_back({call, std::exchange(state_, *after)});
    timeline_.TakeOut(call);
    if (Answered(call)) ++answered_taken_;
    return true;
  }

  // Takes the last call back, and returns where it begins.
  size_t StepBack() {
    const auto [call, before] = path_.back();
    path_.pop_back();
    state_ = before;
    Flip(call);
    timeline_.PutBack(call);
    if (Answered(call)) --answered_taken_;
    return timeline_.BeginOf(call);
  }

  void Flip(size_t call) { taken_[call / 64] ^= uint64_t{1} << call % 64; }

  const std::vector<RegisterCall>& calls_;
  Timeline timeline_;
  Value state_;
  std::vector<uint64_t> taken_;  // a bit for each call that has taken effect
  std::vector<std::pair<size_t, Value>> path_;
  absl::flat_hash_set<std::pair<std::vector<uint64_t>, uint64_t>> seen_;
  size_t answered_taken_ = 0;
  mutable size_t answered_count_ = SIZE_MAX;
};

}  // namespace

Verdict CheckRegister(const std::vector<RegisterCall>& calls, const RegisterCheck& check) {
  return Search(calls, check.initial).Run(check.steps_max);
}

}  // namespace pontoon::sim
