// ClusterId: which cluster a member belongs to.

#ifndef PONTOON_KV_SERVICE_CLUSTER_ID_H_
#define PONTOON_KV_SERVICE_CLUSTER_ID_H_

#include <cstdint>

#include "raft/base/strong_int.h"

namespace pontoon {

// The same on all members, and for ever.
using ClusterId = StrongInt<struct ClusterIdTag, uint64_t>;

}  // namespace pontoon

#endif  // PONTOON_KV_SERVICE_CLUSTER_ID_H_
