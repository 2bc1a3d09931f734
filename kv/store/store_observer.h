// StoreObserver: hears of every step of a store.

#ifndef PONTOON_KV_STORE_STORE_OBSERVER_H_
#define PONTOON_KV_STORE_STORE_OBSERVER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "kv/store/lease_records.h"
#include "kv/store/read_view.h"

namespace pontoon::kv {

// One step of a store: a batch of entries was applied, or another state was installed.
struct StoreStep {
  enum class Kind : uint8_t { kApplied, kInstalled };

  Kind kind = Kind::kApplied;
  // The store after the step. Every event of a batch that was applied can be read from it, even
  // where the batch itself compacted it away; after an installation those between the view before
  // and this one can be missing.
  std::shared_ptr<const ReadView> view;
  // What a batch did to leases, in order. After an installation: nothing, whatever changed.
  std::vector<LeaseChange> leases;
};

class StoreObserver {
 public:
  virtual ~StoreObserver() = default;

  // Called on the applying thread, which waits for it: ring a bell, and do the work elsewhere.
  // Steps come in order, none is left out. A view is held no longer than its reader takes.
  virtual void OnStep(const StoreStep& step) = 0;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STORE_OBSERVER_H_
