// The numbers that the store counts by.

#ifndef PONTOON_KV_STORE_REVISION_H_
#define PONTOON_KV_STORE_REVISION_H_

#include <compare>
#include <cstdint>
#include <limits>

#include "raft/base/strong_int.h"

namespace pontoon::kv {

// Counts the changes of the whole store: each command that changes anything makes one revision. A
// fresh store is at revision 1, so the first change makes revision 2.
using Revision = StrongInt<struct RevisionTag, int64_t>;

inline constexpr Revision kFirstRevision{1};

// The compacted revision of a store that was never compacted. Below 0, as in etcd, where a fresh
// store accepts a compaction to revision 0.
inline constexpr Revision kNeverCompacted{-1};

// Names a lease. 0 is "no lease".
using LeaseId = StrongInt<struct LeaseIdTag, int64_t>;

inline constexpr LeaseId kNoLease{0};

// Names one change of one key: the revision that it is part of, and its place in that revision.
struct EventId {
  Revision main;
  uint32_t sub = 0;

  friend auto operator<=>(const EventId&, const EventId&) = default;
};

inline constexpr uint32_t kLastSub = std::numeric_limits<uint32_t>::max();

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_REVISION_H_
