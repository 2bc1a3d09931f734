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

// Opens what is in `folder`, which must outlive the result, as `fs` must. An error is for the
// operator: the data are damaged, or do not belong together, and the member must not start.
absl::StatusOr<Storage> OpenStorage(FileSystem* fs, const DataFolder& folder,
                                    const kv::StoreOptions& options);

// Whether the log in `log_path` and a state that went up to `applied` fit together. For the
// operator, if they do not: DATA_LOSS if the log ends before what was applied, FAILED_PRECONDITION
// if the two never belonged together.
//
// An entry is applied only once this member's own log has it, synced. So a log that ends before
// that has lost its end, and the member no longer knows what it acknowledged beyond the state. To
// go on from there, voting and acknowledging, could undo what the cluster has committed.
absl::Status CheckFit(const raft::RecoveredLog& log, const std::string& log_path,
                      LogPosition applied);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_STORAGE_H_
