#include "kv/store/database.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kv/store/folders.h"
#include "kv/store/layout.h"
#include "kv/store/slice.h"
#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/env.h"
#include "leveldb/filter_policy.h"
#include "leveldb/iterator.h"
#include "leveldb/options.h"
#include "leveldb/write_batch.h"

namespace pontoon::kv {
namespace {

// About one lookup in a hundred of a key that does not exist reads a block.
constexpr int kBloomBitsPerKey = 10;

// LiveBytes is measured anew after so many bytes of batches.
constexpr uint64_t kMeasureStepBytes = 1 << 20;

// What CompactStep merges at once: with what lies below it in LevelDB's levels, a fraction of a
// second.
constexpr uint64_t kCompactStepBytes = 32 << 20;

constexpr char kPastAllRecords[] = "\xff";

absl::Status ToAbsl(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError(status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(status.ToString());
  return absl::UnavailableError(status.ToString());
}

// LevelDB's notes on its own work are for its authors, and their file grows without a bound.
class SilentLogger : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

// LevelDB's own iterator steps over a damaged block and stands at the next good one, with no more
// than a status to say so. Here it ends.
class SnapshotIterator : public RecordIterator {
 public:
  explicit SnapshotIterator(leveldb::Iterator* iterator) : iterator_(iterator) {}

  bool Valid() const override { return valid_; }
  void Seek(std::string_view target) override {
    iterator_->Seek(ToSlice(target));
    Settle();
  }
  void Next() override {
    iterator_->Next();
    Settle();
  }
  std::string_view key() const override { return ToView(iterator_->key()); }
  std::string_view value() const override { return ToView(iterator_->value()); }
  absl::Status status() const override { return ToAbsl(iterator_->status()); }

 private:
  void Settle() { valid_ = iterator_->Valid() && iterator_->status().ok(); }

  const std::unique_ptr<leveldb::Iterator> iterator_;
  bool valid_ = false;
};

leveldb::ReadOptions ReadOptionsFor(const leveldb::Snapshot* snapshot) {
  leveldb::ReadOptions options;
  options.snapshot = snapshot;
  // Costs little, as it is done once for each block that comes from the disk; and nothing that was
  // read may spread from this node if the disk returned other bytes than it was given.
  options.verify_checksums = true;
  return options;
}

// Without CURRENT LevelDB takes a folder for an empty one, and starts anew beside what is left.
bool LostCurrent(const std::string& dir, leveldb::Env* env) {
  std::vector<std::string> names;
  if (!env->GetChildren(dir, &names).ok()) return false;
  bool has_data = false;
  for (const std::string& name : names) {
    if (name == "CURRENT") return false;
    if (absl::EndsWith(name, ".ldb") || absl::EndsWith(name, ".log")) has_data = true;
  }
  return has_data;
}

// Of the tables that hold records from `begin` to `end`.
uint64_t ApproximateBytes(leveldb::DB* db, std::string_view begin, std::string_view end) {
  const leveldb::Range range(ToSlice(begin), ToSlice(end));
  uint64_t bytes = 0;
  db->GetApproximateSizes(&range, 1, &bytes);
  return bytes;
}

// The eight bytes of `key` from `offset` on, as if zeros followed it, as a number.
uint64_t NumberAt(std::string_view key, size_t offset) {
  uint64_t number = 0;
  for (size_t i = offset; i < offset + sizeof(number); ++i) {
    number = number << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0);
  }
  return number;
}

// A key between two, about half way. One of the two itself, or beyond, if they are too close.
std::string MiddleOf(std::string_view begin, std::string_view end) {
  const size_t shared =
      std::mismatch(begin.begin(), begin.begin() + std::min(begin.size(), end.size()), end.begin())
          .first -
      begin.begin();
  const uint64_t low = NumberAt(begin, shared), high = NumberAt(end, shared);
  std::string middle(end.substr(0, shared));
  AppendFixed64(low + (high - low) / 2, &middle);
  return middle;
}

}  // namespace

absl::Status UnusableState(absl::StatusCode code, const std::string& dir, absl::string_view why) {
  return absl::Status(
      code, absl::StrCat("The state in ", dir, " cannot be used: ", why,
                         ". Nothing is lost with it: stop the server, remove this folder and start "
                         "again; the state is rebuilt from the log and from the other members."));
}

std::unique_ptr<StrictEnv> NewStrictEnv(const StoreOptions& options) {
  return std::make_unique<StrictEnv>(options.env ? options.env : leveldb::Env::Default(),
                                     options.sync_directory, options.on_disk_failure);
}

Database::Database(std::string dir, const StoreOptions& options)
    : dir_(std::move(dir)),
      env_(NewStrictEnv(options)),
      logger_(std::make_unique<SilentLogger>()),
      block_cache_(leveldb::NewLRUCache(options.block_cache_bytes)),
      filter_(leveldb::NewBloomFilterPolicy(kBloomBitsPerKey)) {}

Database::~Database() {
  db_.reset();
  if (retired_) RetireFolder(env_.get(), dir_);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& dir,
                                                         const StoreOptions& options) {
  std::unique_ptr<Database> database(new Database(dir, options));
  if (LostCurrent(dir, database->env_.get())) {
    return UnusableState(absl::StatusCode::kDataLoss, dir, "its file CURRENT is missing");
  }

  leveldb::Options settings;
  settings.create_if_missing = true;
  settings.paranoid_checks = true;
  settings.env = database->env_.get();
  settings.info_log = database->logger_.get();
  settings.block_cache = database->block_cache_.get();
  settings.filter_policy = database->filter_.get();
  // A tenth of the CPU that a put costs here, and tables that are read as they lie in the page
  // cache.
  settings.compression = leveldb::kNoCompression;
  settings.write_buffer_size = options.write_buffer_bytes;

  leveldb::DB* db = nullptr;
  leveldb::Status status = leveldb::DB::Open(settings, dir, &db);
  if (status.IsCorruption()) {
    return UnusableState(absl::StatusCode::kDataLoss, dir, status.ToString());
  }
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat("Cannot open the state in ", dir, ": ", status.ToString()));
  }
  database->db_.reset(db);
  return database;
}

absl::Status Database::Write(leveldb::WriteBatch* batch) {
  unsynced_ = true;
  written_bytes_ += batch->ApproximateSize();
  return ToAbsl(db_->Write(leveldb::WriteOptions(), batch));
}

// A compaction by hand begins with writing what is in memory to a table, and waits for that;
// nothing lies in the range itself. It returns no error, but after one LevelDB refuses every write.
absl::Status Database::Sync() {
  const leveldb::Slice past_all_records(kPastAllRecords);
  unsynced_ = false;
  db_->CompactRange(&past_all_records, &past_all_records);
  leveldb::WriteBatch nothing;
  return ToAbsl(db_->Write(leveldb::WriteOptions(), &nothing));
}

uint64_t Database::DiskBytes() const {
  std::vector<std::string> names;
  if (!env_->GetChildren(dir_, &names).ok()) return 0;
  uint64_t total = 0;
  for (const std::string& name : names) {
    uint64_t bytes = 0;
    // A file may be gone by now; then it does not count.
    if (env_->GetFileSize(absl::StrCat(dir_, "/", name), &bytes).ok()) total += bytes;
  }
  return total;
}

std::string Database::CompactStep(std::string_view begin, std::string_view end) {
  std::string step_end(end);
  uint64_t bytes = ApproximateBytes(db_.get(), begin, step_end);
  while (bytes > kCompactStepBytes) {
    std::string middle = MiddleOf(begin, step_end);
    if (middle <= begin || middle >= step_end) break;
    step_end = std::move(middle);
    bytes = ApproximateBytes(db_.get(), begin, step_end);
  }
  if (bytes > 0) {
    const leveldb::Slice first = ToSlice(begin), last = ToSlice(step_end);
    db_->CompactRange(&first, &last);
  }
  return step_end;
}

uint64_t Database::LiveBytes() const {
  std::lock_guard lock(measurement_mutex_);
  if (!measurement_.is_made || written_bytes_ - measurement_.written_bytes >= kMeasureStepBytes) {
    Measure();
  }
  return measurement_.live_bytes + (written_bytes_ - measurement_.written_bytes);
}

uint64_t Database::MeasureLiveBytes() const {
  std::lock_guard lock(measurement_mutex_);
  Measure();
  return measurement_.live_bytes;
}

void Database::Measure() const {
  measurement_.is_made = true;
  measurement_.written_bytes = written_bytes_;
  const uint64_t table_bytes = ApproximateBytes(db_.get(), "", kPastAllRecords);
  // What LevelDB says of its memory has the block cache in it, which holds copies.
  std::string text;
  uint64_t memory_bytes = 0;
  if (db_->GetProperty("leveldb.approximate-memory-usage", &text) &&
      absl::SimpleAtoi(text, &memory_bytes)) {
    memory_bytes -= std::min<uint64_t>(memory_bytes, block_cache_->TotalCharge());
  }
  measurement_.live_bytes = table_bytes + memory_bytes;
}

SnapshotReader::SnapshotReader(std::shared_ptr<const Database> database)
    : database_(std::move(database)), snapshot_(database_->db_->GetSnapshot()) {}

SnapshotReader::~SnapshotReader() { database_->db_->ReleaseSnapshot(snapshot_); }

absl::StatusOr<bool> SnapshotReader::Get(std::string_view key, std::string* value) const {
  leveldb::Status status = database_->db_->Get(ReadOptionsFor(snapshot_), ToSlice(key), value);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return ToAbsl(status);
}

std::unique_ptr<RecordIterator> SnapshotReader::NewIterator() const {
  return std::make_unique<SnapshotIterator>(database_->db_->NewIterator(ReadOptionsFor(snapshot_)));
}

}  // namespace pontoon::kv
