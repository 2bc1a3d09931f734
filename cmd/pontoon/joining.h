// How a member comes about: as one of those that make a cluster, or by joining one.

#ifndef PONTOON_CMD_PONTOON_JOINING_H_
#define PONTOON_CMD_PONTOON_JOINING_H_

#include "absl/status/statusor.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "raft/transport/introduction.h"

namespace pontoon {

// A founder of a new cluster; or, of an existing one, whoever the cluster says this node is. For
// that the others of --initial-cluster are asked in turn until one of them knows, with a growing
// delay, for as long as it takes: nodes may be started in any order. An error is one line for the
// operator: the cluster has answered, and has no such member.
absl::StatusOr<Newcomer> MakeNewcomer(const Config& config);

// The member that the cluster has introduced, which has drawn `incarnation`. FAILED_PRECONDITION,
// for the operator, if it does not fit the flags.
absl::StatusOr<Newcomer> NewcomerFrom(const Config& config, const raft::Introduction& introduction,
                                      uint64_t incarnation);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_JOINING_H_
