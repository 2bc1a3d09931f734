// The state machine of most runs. Its state on the disk is that of the last Sync, as LevelDB's is
// that of the last table: so applied entries are applied again after a crash.

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "raft/base/check.h"
#include "raft/env/testing/memory_snapshot.h"
#include "tests/sim/key_model.h"
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

static_assert(std::has_unique_object_representations_v<State>, "it is its own snapshot");

struct Whole {
  State state;
  std::string membership;
};

struct Disk {
  Whole synced;
  LogIndex began_as;  // of `synced`
  // Of each sink that lives; empty until it is finished, and then durable.
  std::map<LogIndex, std::optional<Whole>> incoming;
  bool cut_off = false;

  // What a process finds when it starts.
  void Recover() {
    for (const auto& [index, whole] : incoming) {
      if (!whole.has_value() || index <= synced.state.applied.index) continue;
      synced = *whole;
      began_as = index;
    }
    incoming.clear();
    cut_off = false;
  }
};

class ModelSink final : public MemorySnapshotSink {
 public:
  ModelSink(LogPosition position, Disk* disk) : MemorySnapshotSink(position), disk_(disk) {
    disk_->incoming.emplace(position.index, std::nullopt);
  }
  ~ModelSink() override {
    if (!disk_->cut_off) disk_->incoming.erase(position().index);
  }

  absl::Status Finish() override {
    if (absl::Status finished = MemorySnapshotSink::Finish(); !finished.ok()) return finished;
    State state;
    if (content().size() != sizeof(state)) return absl::DataLossError("this is no model");
    std::memcpy(&state, content().data(), sizeof(state));
    if (!(state.applied == position())) return absl::DataLossError("of another position");
    disk_->incoming[position().index] = Whole{state, Membership().value()};
    return absl::OkStatus();
  }

 private:
  Disk* const disk_;
};

class ModelMachine final : public StateMachine {
 public:
  explicit ModelMachine(Disk* disk)
      : state_(disk->synced.state), membership_(disk->synced.membership), disk_(disk) {}

  LogPosition Applied() const override { return state_.applied; }

  absl::Status Apply(std::span<ApplyItem> items) override {
    for (ApplyItem& item : items) {
      CHECK_EQ(item.entry.index, state_.applied.index.Next());
      state_.applied = {item.entry.index, item.entry.term};
      if (item.entry.kind == EntryKind::kMembership) membership_ = *item.entry.payload;
      if (item.entry.kind != EntryKind::kCommand) continue;
      const Effect effect = state_.model.Apply(Decode(*item.entry.payload));
      if (!item.wants_result) continue;
      auto result = std::make_unique<ModelResult>();
      result->effect = effect;
      item.result = std::move(result);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Membership() const override { return membership_; }

  absl::Status Sync() override {
    disk_->synced = Whole{state_, membership_};
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override {
    return std::make_unique<MemorySnapshotSource>(
        state_.applied, std::string_view(reinterpret_cast<const char*>(&state_), sizeof(state_)),
        membership_);
  }

  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) override {
    if (position.index <= state_.applied.index) {
      return absl::FailedPreconditionError("not a later state");
    }
    if (disk_->incoming.contains(position.index)) {
      return absl::AlreadyExistsError("there is a sink for it");
    }
    return std::make_unique<ModelSink>(position, disk_);
  }

  absl::Status Install(std::unique_ptr<SnapshotSink> sink) override {
    const LogPosition position = dynamic_cast<const ModelSink&>(*sink).position();
    CHECK_GT(position.index, state_.applied.index) << "a state never goes back";
    const Whole& next = disk_->incoming.at(position.index).value();
    state_ = next.state;
    membership_ = next.membership;
    disk_->began_as = position.index;
    return Sync();
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
  std::string membership_;
  Disk* const disk_;
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

  StateMachine* Open(std::unique_ptr<Executor>) override {
    disk_.Recover();
    machine_ = std::make_unique<ModelMachine>(&disk_);
    return machine_.get();
  }
  LogIndex BeganAs() const override { return disk_.began_as; }
  void Wipe() override { disk_ = Disk(); }
  void Sync() override { CHECK(machine_->Sync().ok()); }
  void Close() override {
    Sync();
    machine_.reset();
  }
  void CutOff() override { disk_.cut_off = true; }
  void Crash() override {
    CutOff();
    machine_.reset();
  }

  ReadResult Read(KeyId key) const override {
    const State& state = machine_->state();
    return {state.applied.index, state.model.At(key).value};
  }
  StateModel Contents() const override { return StateModel(machine_->state().model); }

 private:
  Disk disk_;
  std::unique_ptr<ModelMachine> machine_;
};

}  // namespace

std::unique_ptr<SimStore> NewModelStore() { return std::make_unique<ModelStore>(); }

}  // namespace pontoon::sim
