// LeaseLookup: what the store asks about leases.

#ifndef PONTOON_KV_STORE_LEASE_LOOKUP_H_
#define PONTOON_KV_STORE_LEASE_LOOKUP_H_

#include "kv/store/revision.h"

namespace pontoon::kv {

// Asked while commands are applied, so the answer must follow from the commands before and from
// nothing else; in particular not from a clock.
class LeaseLookup {
 public:
  virtual ~LeaseLookup() = default;
  virtual bool Exists(LeaseId lease) const = 0;
};

// Before there are leases.
class NoLeases : public LeaseLookup {
 public:
  bool Exists(LeaseId) const override { return false; }
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_LEASE_LOOKUP_H_
