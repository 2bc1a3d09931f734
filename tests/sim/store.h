// SimStore: the state machine of a node in a simulation, and the disk under it.

#ifndef PONTOON_TESTS_SIM_STORE_H_
#define PONTOON_TESTS_SIM_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/env/executor.h"
#include "tests/sim/operation.h"
#include "tests/sim/state_model.h"

namespace pontoon::kv {
class KvStore;
}

namespace pontoon::sim {

// What tells states apart that should be the same.
struct StateMark {
  int64_t revision = 0;
  int64_t compacted = 0;
  uint64_t digest = 0;
};

// A state machine that comes and goes with its process, on a disk that stays.
//
// Thread safety: none.
class SimStore {
 public:
  virtual ~SimStore() = default;

  // What a client writes for `operation`. Ends with the operation's number in 8 bytes.
  virtual Payload Encode(const Operation& operation) const = 0;
  // What Apply returned for a command.
  virtual Effect EffectOf(const ApplyResult& result) const = 0;

  // Begins a life on what the disk holds. Lives until the next Close or Crash. What was compacted
  // is removed on `scrubber`; null: nowhere.
  virtual StateMachine* Open(std::unique_ptr<Executor> scrubber) = 0;
  // The last entry of the snapshot that the state of this life began as; 0: from nothing.
  virtual LogIndex BeganAs() const = 0;
  // Between two lives: somebody removes what the disk holds.
  virtual void Wipe() = 0;
  // The disk holds what was applied up to now.
  virtual void Sync() = 0;
  // A clean stop.
  virtual void Close() = 0;
  // The process is dead from now on, and changes nothing on the disk any more, though the objects
  // of its life are still there.
  virtual void CutOff() = 0;
  // The life ends as by CutOff, and what was not synced is lost: process and machine are the same
  // here, since a store keeps in its own memory what it has not synced.
  virtual void Crash() = 0;

  // The store itself, if it is the real one. Needs a life.
  virtual kv::KvStore* kv_store() { return nullptr; }

  // These need a life. A read of what was applied last.
  struct ReadResult {
    LogIndex applied;
    Value value;
  };
  virtual ReadResult Read(KeyId key) const = 0;
  // Everything.
  virtual StateModel Contents() const = 0;
  // Nothing: it has no such numbers.
  virtual std::optional<StateMark> Mark() const { return std::nullopt; }
};

// A store in memory that behaves as KvStore does towards a node, and costs next to nothing.
std::unique_ptr<SimStore> NewModelStore();
// The real KvStore, on LevelDB with files in memory.
std::unique_ptr<SimStore> NewLevelDbStore();

// How keys and values are called in the real store.
std::string NameOf(KeyId key);
KeyId KeyOf(const std::string& name);
Value ValueOf(const std::string& text);
// A command for the real store, with the number of its operation at the end.
Payload WithOperation(std::string command, OperationId id);

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_STORE_H_
