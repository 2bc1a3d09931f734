// The error for what a node finds damaged in its own memory of what it promised.

#ifndef PONTOON_RAFT_STORAGE_DAMAGE_H_
#define PONTOON_RAFT_STORAGE_DAMAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pontoon::raft {

// DATA_LOSS: "`what` `path`: `details`" and what is to be done. For damage that no crash explains:
// the node may have voted, or acknowledged entries, and does not know it any more. To go on with
// what is left would let the cluster lose committed entries ("Protocol-Aware Recovery for
// Consensus-Based Storage", FAST 2018).
inline absl::Status DamageError(absl::string_view what, absl::string_view path,
                                absl::string_view details) {
  return absl::DataLossError(absl::StrCat(
      what, " ", path, ": ", details,
      "; this node must not vote or acknowledge again with this folder: remove the member from the "
      "cluster, move the folder away, and let it join anew with an empty one"));
}

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_DAMAGE_H_
