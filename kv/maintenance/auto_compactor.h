// AutoCompactor: compacts the store from time to time.

#ifndef PONTOON_KV_MAINTENANCE_AUTO_COMPACTOR_H_
#define PONTOON_KV_MAINTENANCE_AUTO_COMPACTOR_H_

#include <memory>

#include "kv/maintenance/compaction_policy.h"
#include "kv/store/kv_store.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Every member asks its policy, so that a new leader knows at once how old revisions are; only the
// leader proposes what it says. What comes to nothing is wanted again by the next look.
//
// Thread safety: Start is called once; the rest happens on the executor, which must be gone before
// the compactor. The replica may answer later still.
class AutoCompactor {
 public:
  struct Parts {  // all borrowed
    raft::Replica* replica;
    const KvStore* store;
    const Clock* clock;
    Executor* executor;
  };

  AutoCompactor(const Parts& parts, std::unique_ptr<CompactionPolicy> policy);

  void Start();

 private:
  void Look();
  void Propose(Revision revision);

  const Parts parts_;
  const std::unique_ptr<CompactionPolicy> policy_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_AUTO_COMPACTOR_H_
