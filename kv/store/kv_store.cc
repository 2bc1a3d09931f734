#include "kv/store/kv_store.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kv/store/command_runner.h"
#include "kv/store/kv_reader.h"
#include "kv/store/kv_snapshot.h"
#include "kv/store/layout.h"
#include "kv/store/member_records.h"
#include "kv/store/slice.h"
#include "kv/store/write_overlay.h"
#include "leveldb/write_batch.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

// What the scrubber has removed is worth a merge of the tables if it is so much, and such a part of
// all that there is.
constexpr uint64_t kReclaimBytesMin = 16 << 20;
constexpr uint64_t kReclaimPart = 8;

void PutRecord(const MetaRecord& record, WriteOverlay* overlay) {
  overlay->Put(record.first, record.second);
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvStore>> KvStore::Open(const std::string& dir,
                                                       const StoreOptions& options) {
  auto folder = std::make_shared<StateFolder>(dir, options);
  absl::StatusOr<Generation> generation = folder->OpenNewest();
  if (!generation.ok()) return generation.status();
  return std::unique_ptr<KvStore>(new KvStore(options, std::move(folder), *generation));
}

KvStore::KvStore(const StoreOptions& options, std::shared_ptr<StateFolder> folder,
                 const Generation& generation)
    : scrub_executor_(options.scrub_executor),
      folder_(std::move(folder)),
      meta_(generation.meta),
      began_as_(generation.began_as),
      present_records_(options.record_cache_bytes),
      database_(generation.database),
      view_(std::make_shared<ReadView>(generation.database, generation.meta)) {
  if (!scrub_executor_) return;
  reclaimer_ = std::make_unique<Reclaimer>(scrub_executor_, [this] {
    RenewView();
    return Present().first;
  });
  scrubber_ = std::make_unique<Scrubber>(
      Scrubber::Parts{.database = generation.database,
                      .executor = scrub_executor_,
                      .on_removed = [this](uint64_t bytes) { OnScrubbed(bytes); }},
      generation.scrubbed, meta_.compacted);
}

// A failure to bring the state to the disk is no loss here: the log has it all.
KvStore::~KvStore() {
  scrubber_.reset();
  reclaimer_.reset();
  if (database_->HasUnsynced()) Sync().IgnoreError();
}

absl::Status KvStore::Apply(std::span<ApplyItem> items) {
  if (items.empty()) return absl::OkStatus();
  std::shared_ptr<const ReadView> before = View();
  CachedReader records(&before->records(), &present_records_);
  WriteOverlay overlay(&records, meta_.digest);
  KvReader reader(&overlay, meta_.revision, meta_.compacted);
  CommandRunner runner(&reader, &overlay, meta_.alarms, &instruments_);

  Batch batch;
  LogPosition applied = meta_.applied;
  for (ApplyItem& item : items) {
    const Entry& entry = item.entry;
    CHECK_EQ(entry.index, applied.index.Next()) << "entries must follow each other";
    applied = LogPosition{entry.index, entry.term};
    if (absl::Status s = ApplyItemTo(&item, &runner, &overlay); !s.ok()) return s;
    overlay.MixIntoDigest(entry.index.value());
    overlay.MixIntoDigest(entry.term.value());
    if (entry.index.value() % kDigestStep == 0) {
      batch.digests.emplace_back(entry.index, overlay.digest());
    }
  }
  batch.after = StoreMeta{.applied = applied,
                          .revision = reader.revision(),
                          .compacted = reader.compacted(),
                          .alarms = runner.alarms(),
                          .digest = overlay.digest()};
  batch.leases = runner.TakeLeaseChanges();
  return Commit(std::move(batch), &overlay);
}

absl::Status KvStore::ApplyItemTo(ApplyItem* item, CommandRunner* runner, WriteOverlay* overlay) {
  const Entry& entry = item->entry;
  if (entry.kind == EntryKind::kNoOp) return absl::OkStatus();
  CHECK(entry.payload != nullptr) << "at index " << entry.index;
  if (entry.kind == EntryKind::kMembership) return ApplyMembership(*entry.payload, overlay);
  auto result = item->wants_result ? std::make_unique<KvResult>() : nullptr;
  if (absl::Status s = runner->Run(*entry.payload, entry.term, result.get()); !s.ok()) return s;
  item->result = std::move(result);
  return absl::OkStatus();
}

absl::StatusOr<std::string> KvStore::Membership() const {
  return ReadMembership(View()->records());
}

absl::Status KvStore::Commit(Batch batch, WriteOverlay* overlay) {
  PutRecord(AppliedRecord(batch.after.applied), overlay);
  PutRecord(DigestRecord(batch.after.digest), overlay);
  PutRecord(RevisionRecord(batch.after.revision), overlay);
  leveldb::WriteBatch records;
  overlay->ForEach([&](std::string_view key, std::optional<std::string_view> value) {
    if (value.has_value()) {
      records.Put(ToSlice(key), ToSlice(*value));
    } else {
      records.Delete(ToSlice(key));
    }
    if (IsCached(key)) present_records_.Note(key, value);
  });
  absl::Status written = database_->Write(&records);
  if (!written.ok()) return written;  // final: nobody will apply, and so look into the cache, again

  const bool compacted = batch.after.compacted != meta_.compacted;
  meta_ = std::move(batch.after);
  auto view = std::make_shared<const ReadView>(database_, meta_);
  Publish(view, std::move(batch.digests));
  // Before the scrubber hears of a compaction, so that the view still has what was compacted.
  Tell({StoreStep::Kind::kApplied, std::move(view), std::move(batch.leases)});
  if (compacted && scrubber_) scrubber_->CompactTo(meta_.compacted);
  return absl::OkStatus();
}

void KvStore::Publish(std::shared_ptr<const ReadView> view, std::vector<IndexedDigest> digests) {
  {
    std::lock_guard lock(mutex_);
    view_.swap(view);
    digests_.insert(digests_.end(), digests.begin(), digests.end());
    while (digests_.size() > kDigestsKept) digests_.pop_front();
  }
  // The view before, if this was its last use, goes away here, outside of the lock.
}

// A state that is installed meanwhile holds what was applied before, and is durable.
absl::Status KvStore::Sync() { return Present().first->Sync(); }

absl::StatusOr<std::unique_ptr<SnapshotSource>> KvStore::OpenSnapshot() {
  return std::make_unique<KvSnapshotSource>(View());
}

absl::StatusOr<std::unique_ptr<SnapshotSink>> KvStore::BeginSnapshot(LogPosition position) {
  if (LogIndex applied = View()->applied().index; position.index <= applied) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state is at entry ", applied.value(), " already"));
  }
  return KvSnapshotSink::Begin(folder_, position);
}

absl::Status KvStore::Install(std::unique_ptr<SnapshotSink> sink) {
  auto* const finished = dynamic_cast<KvSnapshotSink*>(sink.get());
  CHECK(finished != nullptr) << "a sink of another state machine";
  Generation next = finished->TakeGeneration();
  CHECK_GT(next.meta.applied.index, meta_.applied.index) << "a state never goes back";

  meta_ = next.meta;
  began_as_ = next.began_as;
  present_records_.ForgetAll();
  if (scrubber_) scrubber_->MoveTo(next.database, next.scrubbed, meta_.compacted);
  auto view = std::make_shared<const ReadView>(next.database, meta_);
  std::shared_ptr<Database> database = std::move(next.database);
  {
    std::lock_guard lock(mutex_);
    database_.swap(database);
    view_.swap(view);
    digests_.clear();
  }
  Tell({StoreStep::Kind::kInstalled, view_, {}});
  database->RetireWhenClosed();
  // To close a large database and to remove its files takes longer than the applier should wait.
  if (scrub_executor_) {
    scrub_executor_->Post([database = std::move(database), view = std::move(view)] {});
  }
  return absl::OkStatus();
}

std::pair<std::shared_ptr<Database>, std::shared_ptr<const ReadView>> KvStore::Present() const {
  std::lock_guard lock(mutex_);
  return {database_, view_};
}

std::shared_ptr<const ReadView> KvStore::View() const { return Present().second; }

std::shared_ptr<const ReadView> KvStore::Subscribe(StoreObserver* observer) {
  std::lock_guard lock(observers_mutex_);
  observers_.push_back(observer);
  return View();
}

void KvStore::Unsubscribe(StoreObserver* observer) {
  std::lock_guard lock(observers_mutex_);
  std::erase(observers_, observer);
}

void KvStore::Tell(const StoreStep& step) {
  std::lock_guard lock(observers_mutex_);
  for (StoreObserver* observer : observers_) observer->OnStep(step);
}

std::optional<StateDigest> KvStore::DigestAt(LogIndex index) const {
  std::lock_guard lock(mutex_);
  if (view_->applied().index == index) return view_->digest();
  const auto found =
      std::find_if(digests_.begin(), digests_.end(),
                   [index](const IndexedDigest& digest) { return digest.first == index; });
  if (found == digests_.end()) return std::nullopt;
  return found->second;
}

void KvStore::WhenScrubbed(Revision revision, ScrubCallback done) {
  if (scrubber_) {
    scrubber_->WhenScrubbed(revision, std::move(done));
  } else {
    std::move(done)(absl::FailedPreconditionError("this store removes no old versions"));
  }
}

void KvStore::OnScrubbed(uint64_t removed_bytes) {
  scrubbed_bytes_ += removed_bytes;
  const uint64_t worth_it = std::max(kReclaimBytesMin, Present().first->LiveBytes() / kReclaimPart);
  if (scrubbed_bytes_ < worth_it) return;
  scrubbed_bytes_ = 0;
  for (const char prefix : {kHistoryPrefix, kEventPrefix}) {
    reclaimer_->Reclaim(std::string(1, prefix), std::string(1, prefix + 1), [](absl::Status) {});
  }
}

void KvStore::Defragment(ReclaimCallback done) {
  if (reclaimer_) {
    reclaimer_->Reclaim("", "\xff", std::move(done));
  } else {
    std::move(done)(absl::FailedPreconditionError("this store has no executor for that"));
  }
}

// Between the writing of a batch and its view the database is ahead of the present view: then the
// next one comes in a moment, and this one would not be right.
void KvStore::RenewView() {
  auto [database, before] = Present();
  auto renewed = std::make_shared<const ReadView>(database, before->meta());
  const absl::StatusOr<StoreMeta> stored = ReadMeta(renewed->records());
  if (!stored.ok() || !(*stored == before->meta())) return;
  std::lock_guard lock(mutex_);
  if (view_ == before) view_.swap(renewed);
}

KvStore::Statistics KvStore::Stats() const {
  auto [database, view] = Present();
  return Statistics{.disk_bytes = database->DiskBytes(),
                    .live_bytes = database->MeasureLiveBytes(),
                    .revision = view->revision(),
                    .compacted = view->compacted()};
}

}  // namespace pontoon::kv
