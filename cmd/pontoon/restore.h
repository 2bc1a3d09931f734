// A member of a new cluster that begins with a snapshot.

#ifndef PONTOON_CMD_PONTOON_RESTORE_H_
#define PONTOON_CMD_PONTOON_RESTORE_H_

#include "absl/status/status.h"
#include "cmd/pontoon/settings.h"
#include "kv/store/meta.h"
#include "kv/store/snapshot_adoption.h"
#include "raft/base/snapshot.h"
#include "raft/env/file_system.h"

namespace pontoon {

// Makes the data folder of the member that `settings` describe as they would a server that founds a
// cluster: with the keys, their history and the leases of `snapshot`, whose own records are `meta`.
// The server is started afterwards with the same settings. Each member of the cluster needs a
// folder that was made of the same snapshot, in the same way.
//
// The folder becomes a member's last of all: after a crash on the way it is refused by the server,
// and here. An error is one line for the operator: settings that are wrong, a folder that is not
// empty, a snapshot that is damaged, a disk that fails.
absl::Status RestoreMember(FileSystem* fs, const Settings& settings, const kv::StoreMeta& meta,
                           const kv::AdoptionOptions& options, SnapshotSource* snapshot);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_RESTORE_H_
