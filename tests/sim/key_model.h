// KeyModel: what the store should do, in the simplest words.

#ifndef PONTOON_TESTS_SIM_KEY_MODEL_H_
#define PONTOON_TESTS_SIM_KEY_MODEL_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "tests/sim/operation.h"

namespace pontoon::sim {

// A store of a few keys with etcd's numbers: revision, create revision, mod revision, version.
class KeyModel {
 public:
  struct Key {
    Value value;  // kAbsent: there is none, and the rest is 0
    int64_t create_revision = 0;
    int64_t mod_revision = 0;
    int64_t version = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };

  // An operation on one key.
  Effect Apply(const Operation& operation);
  // Deletes keys that exist, all in one revision.
  void DeleteTogether(std::span<const KeyId> keys);

  const Key& At(KeyId key) const { return keys_[key.value()]; }
  Key& At(KeyId key) { return keys_[key.value()]; }
  int64_t revision() const { return revision_; }
  void set_revision(int64_t revision) { revision_ = revision; }

  // Everything, for people.
  std::string Describe() const;

  friend bool operator==(const KeyModel&, const KeyModel&) = default;

 private:
  void Put(Key* key, Value value);

  int64_t revision_ = 1;  // of an empty store
  std::array<Key, kKeysMax> keys_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_KEY_MODEL_H_
