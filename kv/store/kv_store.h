// KvStore: the replicated state, a store of keys with their history.

#ifndef PONTOON_KV_STORE_KV_STORE_H_
#define PONTOON_KV_STORE_KV_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/database.h"
#include "kv/store/kv_result.h"
#include "kv/store/lease_lookup.h"
#include "kv/store/meta.h"
#include "kv/store/read_view.h"
#include "kv/store/record_cache.h"
#include "kv/store/scrubber.h"
#include "kv/store/store_options.h"
#include "raft/base/state_machine.h"

namespace pontoon::kv {

class WriteOverlay;

// A multi-version key-value store with the semantics of etcd's v3 API, on LevelDB (layout.h). The
// payload of a command entry is a serialized Command (proto/command.proto), and its result a
// KvResult.
//
// The replicated log is the write-ahead log, and there is no other: what Apply did lies in memory
// until some megabytes of it go to the disk together. After a crash the state is that after some
// earlier Apply: the log goes on from Applied(). Before the log forgets entries, Sync must have
// returned.
//
// Thread safety: Apply and Applied as in StateMachine; everything else from any thread, also during
// Apply.
class KvStore : public StateMachine {
 public:
  // Opens the state in the folder `dir`, whose parent exists; begins a new one if there is none.
  // DATA_LOSS if it is damaged, FAILED_PRECONDITION if it is of another version, UNAVAILABLE if it
  // cannot be opened now; the text is for the operator.
  static absl::StatusOr<std::unique_ptr<KvStore>> Open(const std::string& dir,
                                                       const StoreOptions& options);

  // Syncs, so that the next start has nothing to do again. Views may outlive
  // the store, but until they are gone its folder cannot be opened again.
  ~KvStore() override;

  LogPosition Applied() const override { return meta_.applied; }
  absl::Status Apply(std::span<ApplyItem> items) override;

  // Returns when what Apply did before survives a power failure: writes out what is in memory. An
  // error is final: the process should stop.
  absl::Status Sync();

  // The store after the latest Apply that has returned. Cheap.
  std::shared_ptr<const ReadView> View() const;

  // Calls `done` once the versions that a compaction to `revision` made worthless are removed from
  // the database (Scrubber::WhenScrubbed); FAILED_PRECONDITION at once if StoreOptions has no
  // executor for that.
  void WhenScrubbed(Revision revision, ScrubCallback done);

  struct Statistics {
    uint64_t disk_bytes = 0;  // of all files, with what LevelDB has not cleaned up yet
    Revision revision;
    Revision compacted;
  };
  Statistics Stats() const;

 private:
  KvStore(const StoreOptions& options, std::shared_ptr<Database> database, const StoreMeta& meta);

  // Writes what `overlay` holds together with `after`, and shows it to readers.
  absl::Status Commit(const StoreMeta& after, WriteOverlay* overlay);
  void Publish(std::shared_ptr<const ReadView> view);

  const NoLeases no_leases_;
  const LeaseLookup* const leases_;
  const std::shared_ptr<Database> database_;
  // Of the applying thread, after the latest Apply.
  StoreMeta meta_;
  RecordCache present_records_;

  mutable std::mutex mutex_;
  std::shared_ptr<const ReadView> view_;  // guarded by mutex_

  std::unique_ptr<Scrubber> scrubber_;  // null if there is no executor for it
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_STORE_H_
