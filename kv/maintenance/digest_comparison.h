// Comparing the states of members by their digests.

#ifndef PONTOON_KV_MAINTENANCE_DIGEST_COMPARISON_H_
#define PONTOON_KV_MAINTENANCE_DIGEST_COMPARISON_H_

#include <map>
#include <vector>

#include "kv/store/kv_store.h"
#include "kv/store/state_digest.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// The digests of one member's state, by the entry after which it had them.
using DigestReport = std::map<LogIndex, StateDigest>;

// What a member tells of its state: the digest after the last entry that it has applied, for when
// nobody writes, and some older ones that others have too while they write.
DigestReport ReportOf(const KvStore& store);

struct Comparison {
  // By ascending id: these differ from a majority of the voters after some entry.
  std::vector<NodeId> corrupt;
  // Somebody differs from somebody, and there is no such majority.
  bool is_undecided = false;
};

// Members that are not among `reports` have not answered. What was applied is committed, so one
// difference is proof enough that somebody is wrong.
Comparison CompareDigests(const std::map<NodeId, DigestReport>& reports,
                          const std::vector<NodeId>& voters);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_DIGEST_COMPARISON_H_
