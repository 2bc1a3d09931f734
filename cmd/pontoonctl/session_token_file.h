// A session token (kv/client/session_token.h) in a file: what the commands with --session FILE have
// seen. Not to be taken for Session (session.h), which is a command's way to the servers.

#ifndef PONTOON_CMD_PONTOONCTL_SESSION_TOKEN_FILE_H_
#define PONTOON_CMD_PONTOONCTL_SESSION_TOKEN_FILE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/pontoonctl/deadline.h"
#include "kv/client/session_token.h"
#include "raft/env/file_system.h"

namespace pontoon::ctl {

// Nothing if there is no such file; DATA_LOSS if it holds anything else than a token.
absl::StatusOr<std::optional<SessionToken>> LoadSessionToken(FileSystem* fs,
                                                             const std::string& path);

// Has the file hold `seen`, unless it holds a higher revision already; makes it if it is missing.
// The file is replaced durably and in one step, and the revision in it never becomes lower, however
// many do this at once: the one is kept waiting by the other, by a lock on `path`.lock, which
// stays.
//
// FAILED_PRECONDITION if the token in the file is of another cluster; UNAVAILABLE if the lock is
// not free by the deadline.
absl::Status AdvanceSessionToken(FileSystem* fs, const std::string& path, const SessionToken& seen,
                                 Deadline deadline);

// OK if `token`, which is from the file at `path`, is of the cluster `cluster_id`; else
// FAILED_PRECONDITION, which says what to do.
absl::Status CheckCluster(const SessionToken& token, uint64_t cluster_id, const std::string& path);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SESSION_TOKEN_FILE_H_
