// Importer: does the writes of an import plan, several at a time.

#ifndef PONTOON_CMD_PONTOONCTL_IMPORTER_H_
#define PONTOON_CMD_PONTOONCTL_IMPORTER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/guarded_write.h"
#include "cmd/pontoonctl/import_plan.h"
#include "cmd/pontoonctl/long_job.h"
#include "cmd/pontoonctl/progress.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {

struct ImportOptions {
  std::string directory;
  // What the keys begin with.
  std::string prefix;
  // Writes in flight.
  int concurrency = 16;
  Patience patience = {};
  GuardedWrite::OnConflict on_conflict = GuardedWrite::OnConflict::kReport;
};

// What an import did; each file and each key counts once.
struct ImportTotals {
  uint64_t written = 0;
  uint64_t written_bytes = 0;
  uint64_t equal = 0;
  uint64_t deleted = 0;
  uint64_t extra = 0;
  uint64_t conflicts = 0;
  uint64_t failed = 0;
};

// Reads the files and writes the keys. What fails is told to the log, and the others go on; but
// when a write gets no answer for as long as patience.retry_for, the whole import is given up.
// Every write is guarded (see guarded_write.h), so that neither this nor running it again writes
// anything twice.
//
// Used for one run. What it is given must outlive it.
class Importer {
 public:
  Importer(const ImportOptions& options, Session& session, JobLog& log, Progress& progress)
      : options_(options), session_(session), log_(log), progress_(progress) {}

  // Adds to `totals`. Returns why it was given up; empty if it was not.
  std::string Run(const std::vector<PlannedWrite>& writes, ImportTotals& totals);

  // The bytes of a file of the import, by its path below options.directory.
  static absl::StatusOr<std::string> ReadImportFile(const ImportOptions& options,
                                                    const std::string& relative_path);

 private:
  // One of the threads: takes writes until there are no more.
  void DoWrites(const std::vector<PlannedWrite>& writes);

  void DoOne(const PlannedWrite& planned);
  GuardedEnd Apply(const GuardedWrite& write);
  void Count(const PlannedWrite& planned, uint64_t size_bytes, const GuardedEnd& end);

  const ImportOptions& options_;
  Session& session_;
  JobLog& log_;
  Progress& progress_;
  // The place of the next write to be taken.
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> given_up_ = false;
  absl::Mutex mutex_;
  ImportTotals totals_ ABSL_GUARDED_BY(mutex_);
  std::string why_given_up_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_IMPORTER_H_
