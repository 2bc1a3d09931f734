// What import and export have in common: patience with servers, and few words on stderr.

#ifndef PONTOON_CMD_PONTOONCTL_LONG_JOB_H_
#define PONTOON_CMD_PONTOONCTL_LONG_JOB_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {

// What went wrong or is worth a note, on stderr. Of a hundred thousand files that fail alike only
// the first few are named; the end says how many there were.
//
// Thread safe. The Progress must outlive it.
class JobLog {
 public:
  explicit JobLog(Progress& progress) : progress_(progress) {}
  // Says how many lines were left out.
  ~JobLog();

  JobLog(const JobLog&) = delete;
  JobLog& operator=(const JobLog&) = delete;

  // Something was left out on purpose.
  void Note(absl::string_view line);

  // An item failed.
  void Problem(absl::string_view line);

  // A request failed and is sent again; said every few seconds at most.
  void Retry(absl::string_view why);

 private:
  // Prints the line, or counts it in `left_out` if there were enough of its kind.
  void SayBounded(absl::string_view line, uint64_t& said, uint64_t& left_out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Progress& progress_;
  absl::Mutex mutex_;
  uint64_t notes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t notes_left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t problems_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t problems_left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point retry_said_at_ ABSL_GUARDED_BY(mutex_) = {};
};

// How long a long job waits.
struct Patience {
  // For one answer.
  absl::Duration timeout;
  // For any server to answer at all.
  absl::Duration retry_for;
};

// Reads pages through `session`. Session and log must outlive what is returned.
RangePager::Fetch PageFetcher(Session& session, Patience patience, JobLog& log);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_LONG_JOB_H_
