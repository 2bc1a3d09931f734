// Recovery: from the files that a node left behind to a log that can be written on.

#ifndef PONTOON_RAFT_STORAGE_LOG_RECOVERY_H_
#define PONTOON_RAFT_STORAGE_LOG_RECOVERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "raft/base/membership_history.h"
#include "raft/env/file_system.h"
#include "raft/storage/begin_file.h"
#include "raft/storage/segment.h"
#include "raft/storage/term_runs.h"

namespace pontoon::raft {

struct RecoveredSegments {
  std::vector<Segment> segments;  // by sequence; none if the folder had none
  TermRuns terms{LogPosition{}};
  std::vector<MembershipHistory::Item> memberships;  // of the log's entries
  uint64_t sequence_max = 0;                         // of any segment that was found
};

// Verifies all segments in `dir`, repairs a torn tail, and removes what later segments replaced and
// what was dropped before `begin`, which is what the begin file says. The last segment is made
// `segment_bytes` long, if it is shorter. On return everything that was found is durable.
// DATA_LOSS, with file and byte, if there is damage that no crash explains; see segmented_log.h for
// the rule. `vote_term` is the term that the vote file knows: entries of a later one are damage
// too, of that file.
absl::StatusOr<RecoveredSegments> RecoverSegments(FileSystem* fs, const std::string& dir,
                                                  uint64_t segment_bytes,
                                                  const std::optional<LogBegin>& begin,
                                                  Term vote_term);

// Removes the files of `segments`, in this order, durably.
absl::Status RemoveSegments(FileSystem* fs, const std::string& dir,
                            const std::vector<Segment>& segments);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_LOG_RECOVERY_H_
