// WatchedStateMachine: tells a Referee what is applied, and what comes of it.

#ifndef PONTOON_TESTS_SIM_WATCHED_STATE_MACHINE_H_
#define PONTOON_TESTS_SIM_WATCHED_STATE_MACHINE_H_

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "raft/base/state_machine.h"
#include "tests/sim/referee.h"
#include "tests/sim/store.h"

namespace pontoon::sim {

// Borrows the state machine, which is that of the present life of `store`.
//
// Thread safety: as StateMachine.
class WatchedStateMachine final : public StateMachine {
 public:
  WatchedStateMachine(NodeId node, StateMachine* state_machine, const SimStore* store,
                      Referee* referee)
      : node_(node), state_machine_(state_machine), store_(store), referee_(referee) {
    ShowState();
  }

  LogPosition Applied() const override { return state_machine_->Applied(); }

  absl::Status Apply(std::span<ApplyItem> items) override {
    referee_->OnApply(node_, items);
    absl::Status applied = state_machine_->Apply(items);
    if (applied.ok()) ShowState();
    return applied;
  }

  absl::StatusOr<std::string> Membership() const override { return state_machine_->Membership(); }

  absl::Status Sync() override { return state_machine_->Sync(); }

  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override {
    return state_machine_->OpenSnapshot();
  }

  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) override {
    return state_machine_->BeginSnapshot(position);
  }

  absl::Status Install(std::unique_ptr<SnapshotSink> sink) override {
    absl::Status installed = state_machine_->Install(std::move(sink));
    if (installed.ok()) {
      referee_->OnInstall(node_, state_machine_->Applied());
      ShowState();
    }
    return installed;
  }

 private:
  void ShowState() {
    const std::optional<StateMark> mark = store_->Mark();
    if (mark.has_value()) referee_->OnState(node_, state_machine_->Applied().index, *mark);
  }

  const NodeId node_;
  StateMachine* const state_machine_;
  const SimStore* const store_;
  Referee* const referee_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_WATCHED_STATE_MACHINE_H_
