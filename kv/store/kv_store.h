// KvStore: the replicated state, a store of keys with their history.

#ifndef PONTOON_KV_STORE_KV_STORE_H_
#define PONTOON_KV_STORE_KV_STORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/database.h"
#include "kv/store/kv_result.h"
#include "kv/store/meta.h"
#include "kv/store/read_view.h"
#include "kv/store/reclaimer.h"
#include "kv/store/record_cache.h"
#include "kv/store/scrubber.h"
#include "kv/store/state_digest.h"
#include "kv/store/state_folder.h"
#include "kv/store/store_instruments.h"
#include "kv/store/store_observer.h"
#include "kv/store/store_options.h"
#include "raft/base/state_machine.h"

namespace pontoon::kv {

class CommandRunner;
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
// Another state can take the place of the present one (Install): it lies beside it in the folder
// (state_folder.h), and what reads the one before goes on reading it.
//
// Thread safety: as in StateMachine; what KvStore adds to that may be called from any thread, also
// during Apply and Install.
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
  // The last entry of the snapshot that the state began as; 0 if it began as nothing. Of the
  // applying thread, as Applied.
  LogIndex began_as() const { return began_as_; }
  absl::Status Apply(std::span<ApplyItem> items) override;
  absl::StatusOr<std::string> Membership() const override;
  // Writes out what is in memory, some megabytes.
  absl::Status Sync() override;

  // Both may outlive the store, as views.
  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override;
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) override;
  // The state before is closed and removed by the scrub executor, or by whoever uses it last.
  absl::Status Install(std::unique_ptr<SnapshotSink> sink) override;

  // The store after the latest Apply or Install that has returned. Cheap.
  std::shared_ptr<const ReadView> View() const;

  // `observer`, which is borrowed, hears of every step after the view that is returned. Waits for
  // the step that runs, if any, as does Unsubscribe; so neither may be called by an observer.
  std::shared_ptr<const ReadView> Subscribe(StoreObserver* observer);
  // Returns when the observer is not used any more.
  void Unsubscribe(StoreObserver* observer);

  // The digest of the state after entry `index`, if that is the last one that was applied, or a
  // multiple of kDigestStep and one of the last kDigestsKept of these since the store was opened or
  // a state installed.
  static constexpr uint64_t kDigestStep = 1024;
  static constexpr size_t kDigestsKept = 256;
  std::optional<StateDigest> DigestAt(LogIndex index) const;

  // Calls `done` once the versions that a compaction to `revision` made worthless are removed from
  // the database (Scrubber::WhenScrubbed); FAILED_PRECONDITION at once if StoreOptions has no
  // executor for that.
  void WhenScrubbed(Revision revision, ScrubCallback done);

  // Rewrites all of the database in small steps, while it is used, so that nothing of what was
  // overwritten or removed takes room, and then calls `done` (Reclaimer::Reclaim);
  // FAILED_PRECONDITION at once if StoreOptions has no executor for that.
  void Defragment(ReclaimCallback done);

  // About the bytes that the present state needs; see Database::LiveBytes and MeasureLiveBytes.
  uint64_t LiveBytes() const { return Present().first->LiveBytes(); }
  uint64_t MeasureLiveBytes() const { return Present().first->MeasureLiveBytes(); }

  struct Statistics {
    uint64_t disk_bytes = 0;  // of the present state, with what LevelDB has not cleaned up yet
    uint64_t live_bytes = 0;  // without that
    Revision revision;
    Revision compacted;
  };
  Statistics Stats() const;

  // Since the store was opened. Lives as long as the store.
  const StoreInstruments& instruments() const { return instruments_; }

 private:
  KvStore(const StoreOptions& options, std::shared_ptr<StateFolder> folder,
          const Generation& generation);

  // A state digest, and after which entry it was that.
  using IndexedDigest = std::pair<LogIndex, StateDigest>;

  // What a batch brings beside its records.
  struct Batch {
    StoreMeta after;
    std::vector<LeaseChange> leases;
    std::vector<IndexedDigest> digests;
  };
  // Executes one entry.
  absl::Status ApplyItemTo(ApplyItem* item, CommandRunner* runner, WriteOverlay* overlay);
  // Writes what `overlay` holds together with the rest of the batch, and shows it to readers.
  absl::Status Commit(Batch batch, WriteOverlay* overlay);
  void Tell(const StoreStep& step);
  void Publish(std::shared_ptr<const ReadView> view, std::vector<IndexedDigest> digests);
  // Has readers see the database as it is now, without what was removed behind the view's back.
  // From any thread.
  void RenewView();
  // The scrubber has removed about so many bytes since the last call.
  void OnScrubbed(uint64_t removed_bytes);
  // Two that belong together.
  std::pair<std::shared_ptr<Database>, std::shared_ptr<const ReadView>> Present() const;

  Executor* const scrub_executor_;  // may be null
  const std::shared_ptr<StateFolder> folder_;
  // Of the applying thread, after the latest Apply or Install.
  StoreMeta meta_;
  LogIndex began_as_;
  RecordCache present_records_;

  StoreInstruments instruments_;

  // Guards the three below; only the applying thread changes them, and may read them without it.
  mutable std::mutex mutex_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<const ReadView> view_;
  std::deque<IndexedDigest> digests_;  // guarded by mutex_, too; in order

  std::mutex observers_mutex_;
  std::vector<StoreObserver*> observers_;  // guarded by observers_mutex_, also while they are told

  // Both are null if there is no executor for them. The first is used by the second.
  std::unique_ptr<Reclaimer> reclaimer_;
  std::unique_ptr<Scrubber> scrubber_;
  uint64_t scrubbed_bytes_ = 0;  // that were not reclaimed; of the scrubber's steps
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_STORE_H_
