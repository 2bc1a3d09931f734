// Mirror: keeps the keys of one cluster equal to those of another.

#ifndef PONTOON_CMD_PONTOONCTL_MIRROR_H_
#define PONTOON_CMD_PONTOONCTL_MIRROR_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/pontoonctl/long_job.h"
#include "cmd/pontoonctl/mirror_changes.h"
#include "cmd/pontoonctl/mirror_checkpoint.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/session.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Writes to the target what the source has under a prefix, under a prefix of the target. That one
// is the mirror's: what anybody else writes there may be overwritten or deleted. Leases are not
// mirrored.
//
// All writes say what a key is from now on; so they may be sent twice, and a pass or a revision
// that was cut short is done again from its start.
//
// For one thread, but Cancel.
class Mirror {
 public:
  struct Totals {
    uint64_t puts = 0;
    uint64_t deletes = 0;
    uint64_t equal = 0;  // were so already
  };

  // What a pass does with keys of the target that the source does not have.
  enum class Extra { kDelete, kRefuse };

  struct Options {
    std::string prefix;
    std::string target_prefix;
    Patience patience;
  };

  // Sessions and log must outlive it.
  Mirror(Session& source, Session& target, Options options, JobLog& log)
      : source_(source), target_(target), options_(std::move(options)), log_(log) {}

  // Which clusters and keys it is about; `revision` is 0. An error if the target's keys would be
  // the source's own.
  absl::StatusOr<MirrorCheckpoint> Identify();

  // Makes the target equal to the source at one revision, which is returned. CANCELLED after
  // Cancel; FAILED_PRECONDITION if there are keys that are to be refused.
  absl::StatusOr<int64_t> Copy(Extra extra, Progress& progress);

  // Does what happened in the source: a transaction for each revision (more only if it changed more
  // keys than one can).
  absl::Status Apply(const etcdserverpb::WatchResponse& response);

  // Has Copy return at its next page.
  void Cancel() { cancelled_ = true; }

  const Totals& totals() const { return totals_; }

 private:
  // The key of the target for one of the source.
  std::string TargetKey(const std::string& source_key) const;
  absl::StatusOr<uint64_t> ClusterOf(Session& session);
  absl::Status Send(MirrorChanges& changes);

  Session& source_;
  Session& target_;
  const Options options_;
  JobLog& log_;
  std::atomic<bool> cancelled_ = false;
  Totals totals_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_MIRROR_H_
