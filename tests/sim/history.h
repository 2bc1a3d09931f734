// History: every operation of a run's clients, and what they were told.

#ifndef PONTOON_TESTS_SIM_HISTORY_H_
#define PONTOON_TESTS_SIM_HISTORY_H_

#include <cstdint>
#include <vector>

#include "raft/base/check.h"
#include "raft/base/types.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/operation.h"

namespace pontoon::sim {

enum class Told : uint8_t {
  kNothing,     // yet
  kApplied,     // of a write
  kNotApplied,  // of a write: it never will be
  kUnknown,     // of a write
  kRead,
  kReadFailed,
};

struct OperationRecord {
  Operation operation;
  uint64_t command_digest = 0;  // of a write, as it was given to the node
  SimTime begin;
  SimTime end;
  LogIndex committed_before;  // the last index that had been applied anywhere when it began
  Told told = Told::kNothing;

  // What the log says.
  LogIndex applied_at;    // 0: not applied (yet)
  SimTime applied_first;  // when the first node applied it
  uint64_t attempts = 0;  // that got into a log: 2 if the first was lost with its leader

  // What a read returned.
  Value value;
};

// Thread safety: none.
class History {
 public:
  OperationId NextId() const { return OperationId(records_.size() + 1); }
  OperationRecord& Add(OperationRecord record) {
    CHECK_EQ(record.operation.id, NextId());
    records_.push_back(record);
    return records_.back();
  }
  bool Contains(OperationId id) const { return id.value() >= 1 && id.value() <= records_.size(); }
  OperationRecord& At(OperationId id) {
    CHECK(Contains(id)) << id;
    return records_[id.value() - 1];
  }
  const std::vector<OperationRecord>& records() const { return records_; }

 private:
  std::vector<OperationRecord> records_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_HISTORY_H_
