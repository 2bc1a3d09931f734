// StateModel: what the whole store should do, in the simplest words.

#ifndef PONTOON_TESTS_SIM_STATE_MODEL_H_
#define PONTOON_TESTS_SIM_STATE_MODEL_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "raft/base/types.h"
#include "tests/sim/key_model.h"
#include "tests/sim/operation.h"

namespace pontoon::sim {

// Keys, the leases that they hang on, and how far the history is compacted.
class StateModel {
 public:
  struct Lease {
    int64_t ttl_seconds = 0;
    int64_t remaining_seconds = 0;  // at the last checkpoint; 0: there is none

    // How long the lease lives when a new leader begins to keep its time.
    int64_t LeftSeconds() const { return remaining_seconds != 0 ? remaining_seconds : ttl_seconds; }
    friend bool operator==(const Lease&, const Lease&) = default;
  };

  // An empty store.
  StateModel() = default;
  explicit StateModel(const KeyModel& keys) : keys_(keys) {}

  struct Applied {
    Effect effect;
    std::vector<KeyId> keys;  // that it changed, in the order of the events; all in one revision
  };
  // Of an entry of `term`.
  Applied Apply(const Operation& operation, Term term);

  // Whether there is no fence, or its lock is held.
  bool Holds(const Fence& fence) const;

  const KeyModel::Key& At(KeyId key) const { return keys_.At(key); }
  LeaseId LeaseOf(KeyId key) const { return lease_of_key_[key.value()]; }
  int64_t revision() const { return keys_.revision(); }
  int64_t compacted() const { return compacted_; }
  const std::map<LeaseId, Lease>& leases() const { return leases_; }

  // For who reads a state out of a store.
  KeyModel* mutable_keys() { return &keys_; }
  void Attach(KeyId key, LeaseId lease) { lease_of_key_[key.value()] = lease; }
  void SetLease(LeaseId lease, const Lease& state) { leases_[lease] = state; }
  void SetCompacted(int64_t compacted) { compacted_ = compacted; }

  // Everything, for people.
  std::string Describe() const;

  friend bool operator==(const StateModel&, const StateModel&) = default;

 private:
  Applied ApplyToKey(const Operation& operation);
  Applied Compact(int64_t revision);
  Applied Grant(const Operation& operation);
  Applied Revoke(LeaseId lease);
  void Checkpoint(const LeaseCheckpoint& checkpoint);

  KeyModel keys_;
  std::array<LeaseId, kKeysMax> lease_of_key_;
  std::map<LeaseId, Lease> leases_;
  int64_t compacted_ = kv::kNeverCompacted.value();
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_STATE_MODEL_H_
