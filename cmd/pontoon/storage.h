// Storage: a member's log and state, opened and made to fit together.

#ifndef PONTOON_CMD_PONTOON_STORAGE_H_
#define PONTOON_CMD_PONTOON_STORAGE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cmd/pontoon/data_folder.h"
#include "kv/store/kv_store.h"
#include "kv/store/store_options.h"
#include "raft/base/types.h"
#include "raft/core/raft_core.h"
#include "raft/env/file_system.h"
#include "raft/storage/log_store.h"

namespace pontoon {

struct Storage {
  std::unique_ptr<raft::LogStore> log;
  std::unique_ptr<kv::KvStore> store;
  raft::RestoredState restored;
};

// What to do with the state that is there. The log and the vote stay in any case.
enum class StateChoice {
  kKeep,
  // Remove it, so that it is made again: from the log as far as that goes back, otherwise from a
  // snapshot of the leader.
  kDiscard,
};

// Opens what is in `folder`, which must outlive the result, as `fs` must. An error is for the
// operator: the data are damaged, or do not belong together, and the member must not start.
absl::StatusOr<Storage> OpenStorage(FileSystem* fs, const DataFolder& folder,
                                    const kv::StoreOptions& options,
                                    StateChoice choice = StateChoice::kKeep);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_STORAGE_H_
