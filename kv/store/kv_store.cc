#include "kv/store/kv_store.h"

#include <optional>
#include <string_view>
#include <utility>

#include "kv/store/command_runner.h"
#include "kv/store/kv_reader.h"
#include "kv/store/write_overlay.h"
#include "leveldb/write_batch.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

leveldb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

void PutRecord(const MetaRecord& record, WriteOverlay* overlay) {
  overlay->Put(record.first, record.second);
}

// Begins a new state.
absl::StatusOr<StoreMeta> Initialize(Database* database) {
  StoreMeta meta;
  leveldb::WriteBatch batch;
  for (const auto& [key, value] :
       {FormatRecord(), AppliedRecord(meta.applied), RevisionRecord(meta.revision)}) {
    batch.Put(key, value);
  }
  absl::Status written = database->Write(&batch);
  if (!written.ok()) return written;
  return meta;
}

// Reads what a database says of itself; its errors are for the operator.
absl::StatusOr<StoreMeta> ReadOrInitialize(const std::shared_ptr<Database>& database) {
  absl::StatusOr<StoreMeta> meta = ReadMeta(SnapshotReader(database));
  switch (meta.status().code()) {
    case absl::StatusCode::kNotFound:
      return Initialize(database.get());
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
      return UnusableState(meta.status().code(), database->dir(), meta.status().message());
    default:
      return meta;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvStore>> KvStore::Open(const std::string& dir,
                                                       const StoreOptions& options) {
  absl::StatusOr<std::unique_ptr<Database>> opened = Database::Open(dir, options);
  if (!opened.ok()) return opened.status();
  std::shared_ptr<Database> database = *std::move(opened);

  absl::StatusOr<StoreMeta> meta = ReadOrInitialize(database);
  if (!meta.ok()) return meta.status();
  absl::StatusOr<EventId> scrubbed = ReadScrubbed(SnapshotReader(database));
  if (!scrubbed.ok()) {
    return UnusableState(scrubbed.status().code(), dir, scrubbed.status().message());
  }

  std::unique_ptr<KvStore> store(new KvStore(options, database, *meta));
  if (options.scrub_executor) {
    store->scrubber_ =
        std::make_unique<Scrubber>(database, options.scrub_executor, *scrubbed, meta->compacted);
  }
  return store;
}

KvStore::KvStore(const StoreOptions& options, std::shared_ptr<Database> database,
                 const StoreMeta& meta)
    : leases_(options.leases ? options.leases : &no_leases_),
      database_(std::move(database)),
      meta_(meta),
      present_records_(options.record_cache_bytes),
      view_(std::make_shared<ReadView>(database_, meta)) {}

// A failure to bring the state to the disk is no loss here: the log has it all.
KvStore::~KvStore() {
  scrubber_.reset();
  if (database_->HasUnsynced()) Sync().IgnoreError();
}

absl::Status KvStore::Apply(std::span<ApplyItem> items) {
  if (items.empty()) return absl::OkStatus();
  std::shared_ptr<const ReadView> before = View();
  CachedReader records(&before->records(), &present_records_);
  WriteOverlay overlay(&records);
  KvReader reader(&overlay, meta_.revision, meta_.compacted);
  CommandRunner runner(leases_, &reader, &overlay);

  StoreMeta after = meta_;
  for (ApplyItem& item : items) {
    const Entry& entry = item.entry;
    CHECK_EQ(entry.index, after.applied.index.Next()) << "entries must follow each other";
    after.applied = LogPosition{entry.index, entry.term};
    if (entry.kind != EntryKind::kCommand) continue;
    CHECK(entry.payload != nullptr) << "at index " << entry.index;
    auto result = item.wants_result ? std::make_unique<KvResult>() : nullptr;
    runner.Run(*entry.payload, result.get());
    if (!reader.status().ok()) return reader.status();
    item.result = std::move(result);
  }
  after.revision = reader.revision();
  after.compacted = reader.compacted();
  return Commit(after, &overlay);
}

absl::Status KvStore::Commit(const StoreMeta& after, WriteOverlay* overlay) {
  PutRecord(AppliedRecord(after.applied), overlay);
  PutRecord(RevisionRecord(after.revision), overlay);
  leveldb::WriteBatch batch;
  overlay->ForEach([&](std::string_view key, std::optional<std::string_view> value) {
    if (value.has_value()) {
      batch.Put(ToSlice(key), ToSlice(*value));
    } else {
      batch.Delete(ToSlice(key));
    }
    if (IsCached(key)) present_records_.Note(key, value);
  });
  absl::Status written = database_->Write(&batch);
  if (!written.ok()) return written;  // final: nobody will apply, and so look into the cache, again

  bool compacted = after.compacted != meta_.compacted;
  meta_ = after;
  Publish(std::make_shared<ReadView>(database_, meta_));
  if (compacted && scrubber_) scrubber_->CompactTo(meta_.compacted);
  return absl::OkStatus();
}

void KvStore::Publish(std::shared_ptr<const ReadView> view) {
  {
    std::lock_guard lock(mutex_);
    view_.swap(view);
  }
  // The view before, if this was its last use, goes away here, outside of the lock.
}

absl::Status KvStore::Sync() { return database_->Sync(); }

std::shared_ptr<const ReadView> KvStore::View() const {
  std::lock_guard lock(mutex_);
  return view_;
}

void KvStore::WhenScrubbed(Revision revision, ScrubCallback done) {
  if (scrubber_) {
    scrubber_->WhenScrubbed(revision, std::move(done));
  } else {
    std::move(done)(absl::FailedPreconditionError("this store removes no old versions"));
  }
}

KvStore::Statistics KvStore::Stats() const {
  std::shared_ptr<const ReadView> view = View();
  return Statistics{database_->DiskBytes(), view->revision(), view->compacted()};
}

}  // namespace pontoon::kv
