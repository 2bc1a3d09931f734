// The state machine of most runs. Its state on the disk is that of the last Sync, as LevelDB's is
// that of the last table: so applied entries are applied again after a crash.

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "raft/base/check.h"
#include "tests/sim/store.h"

namespace pontoon::sim {
namespace {

// A command: this, padding, and the number of the operation.
struct Head {
  uint64_t kind;
  uint64_t key;
  uint64_t value;
  uint64_t expected;
};

struct ModelResult final : ApplyResult {
  Effect effect;
};

struct State {
  LogPosition applied;
  KeyModel model;
};

class ModelMachine final : public StateMachine {
 public:
  explicit ModelMachine(const State& state) : state_(state) {}

  LogPosition Applied() const override { return state_.applied; }

  absl::Status Apply(std::span<ApplyItem> items) override {
    for (ApplyItem& item : items) {
      CHECK_EQ(item.entry.index, state_.applied.index.Next());
      state_.applied = {item.entry.index, item.entry.term};
      if (item.entry.kind != EntryKind::kCommand) continue;
      const Effect effect = state_.model.Apply(Decode(*item.entry.payload));
      if (!item.wants_result) continue;
      auto result = std::make_unique<ModelResult>();
      result->effect = effect;
      item.result = std::move(result);
    }
    return absl::OkStatus();
  }

  const State& state() const { return state_; }

 private:
  static Operation Decode(const std::string& command) {
    Head head;
    CHECK_GE(command.size(), sizeof(head));
    std::memcpy(&head, command.data(), sizeof(head));
    Operation operation;
    operation.kind = static_cast<OperationKind>(head.kind);
    operation.key = KeyId(static_cast<uint32_t>(head.key));
    operation.value = Value(head.value);
    operation.expected = Value(head.expected);
    return operation;
  }

  State state_;
};

class ModelStore final : public SimStore {
 public:
  Payload Encode(const Operation& operation) const override {
    const Head head{.kind = static_cast<uint64_t>(operation.kind),
                    .key = operation.key.value(),
                    .value = operation.value.value(),
                    .expected = operation.expected.value()};
    auto command = std::make_shared<std::string>(sizeof(head) + operation.padding_bytes, 'x');
    std::memcpy(command->data(), &head, sizeof(head));
    const uint64_t id = operation.id.value();
    command->append(reinterpret_cast<const char*>(&id), sizeof(id));
    return command;
  }

  Effect EffectOf(const ApplyResult& result) const override {
    return static_cast<const ModelResult&>(result).effect;
  }

  StateMachine* Open() override {
    machine_ = std::make_unique<ModelMachine>(synced_);
    return machine_.get();
  }
  void Sync() override { synced_ = machine_->state(); }
  void Close() override {
    Sync();
    machine_.reset();
  }
  void Crash() override { machine_.reset(); }

  ReadResult Read(KeyId key) const override {
    const State& state = machine_->state();
    return {state.applied.index, state.model.At(key).value};
  }
  KeyModel Contents() const override { return machine_->state().model; }

 private:
  State synced_;
  std::unique_ptr<ModelMachine> machine_;
};

}  // namespace

std::unique_ptr<SimStore> NewModelStore() { return std::make_unique<ModelStore>(); }

}  // namespace pontoon::sim
