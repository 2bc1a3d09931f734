// CompactionPolicy: which old revisions nobody will want any more.

#ifndef PONTOON_KV_MAINTENANCE_COMPACTION_POLICY_H_
#define PONTOON_KV_MAINTENANCE_COMPACTION_POLICY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "kv/store/revision.h"
#include "raft/base/instant.h"

namespace pontoon::kv {

// What an operator wants to be kept, in etcd's terms: revisions of some time, or a number of them.
struct Retention {
  enum class Mode { kPeriodic, kRevision };

  Mode mode = Mode::kPeriodic;
  absl::Duration period = absl::ZeroDuration();  // for kPeriodic; zero: all are kept
  int64_t revisions = 0;                         // for kRevision; 0: all are kept

  bool KeepsAll() const;
  friend bool operator==(const Retention&, const Retention&) = default;
};

// Reads a retention as etcd writes it: for kPeriodic "72h", "30m", or a number of hours; for
// kRevision a number. INVALID_ARGUMENT with the rest of a sentence that begins with the flag.
absl::StatusOr<Retention> ParseRetention(Retention::Mode mode, absl::string_view text);

// Thread safety: none.
class CompactionPolicy {
 public:
  virtual ~CompactionPolicy() = default;

  // How often to call Look.
  virtual absl::Duration look_interval() const = 0;
  // The revision to compact to, of a store at `present` that is compacted to `compacted`; nothing
  // if it is not time yet. Time never goes back.
  virtual std::optional<Revision> Look(Instant now, Revision present, Revision compacted) = 0;
};

// Keeps what was the present at any time of the last `period`. Knows nothing of the time before its
// first look, so a period must pass first; then it compacts once in each period, or each hour if
// that is shorter.
class PeriodicPolicy final : public CompactionPolicy {
 public:
  explicit PeriodicPolicy(absl::Duration period);

  absl::Duration look_interval() const override;
  std::optional<Revision> Look(Instant now, Revision present, Revision compacted) override;

 private:
  struct Sample {
    Instant time;
    Revision revision;
  };

  const absl::Duration period_;
  const absl::Duration compact_interval_;
  std::deque<Sample> samples_;  // by time; all but the first are younger than the period
  std::optional<Instant> last_compaction_;
};

// Keeps the last `revisions`; compacts every five minutes.
class RevisionPolicy final : public CompactionPolicy {
 public:
  explicit RevisionPolicy(int64_t revisions) : revisions_(revisions) {}

  absl::Duration look_interval() const override { return absl::Minutes(5); }
  std::optional<Revision> Look(Instant now, Revision present, Revision compacted) override;

 private:
  const int64_t revisions_;
};

// Null if all is kept.
std::unique_ptr<CompactionPolicy> MakeCompactionPolicy(const Retention& retention);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_COMPACTION_POLICY_H_
