#include "kv/store/database.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "kv/store/folders.h"
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
  return ToAbsl(db_->Write(leveldb::WriteOptions(), batch));
}

// A compaction by hand begins with writing what is in memory to a table, and waits for that;
// nothing lies in the range itself. It returns no error, but after one LevelDB refuses every write.
absl::Status Database::Sync() {
  const leveldb::Slice past_all_records("\xff");
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
