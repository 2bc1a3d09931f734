#include "kv/store/state_folder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kv/store/folders.h"
#include "leveldb/write_batch.h"

namespace pontoon::kv {
namespace {

constexpr char kIncomingSuffix[] = ".incoming";
constexpr size_t kNameBytes = 16;

std::optional<LogIndex> ParseGenerationName(const std::string& name) {
  uint64_t index = 0;
  if (name.size() != kNameBytes || !absl::SimpleHexAtoi(name, &index)) return std::nullopt;
  return LogIndex(index);
}

// Begins a new state.
absl::StatusOr<StoreMeta> Initialize(Database* database) {
  StoreMeta meta;
  leveldb::WriteBatch batch;
  for (const auto& [key, value] : {FormatRecord(), AppliedRecord(meta.applied),
                                   DigestRecord(meta.digest), RevisionRecord(meta.revision)}) {
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

std::string GenerationName(LogIndex index) {
  return absl::StrCat(absl::Hex(index.value(), absl::kZeroPad16));
}

StateFolder::StateFolder(std::string dir, const StoreOptions& options)
    : dir_(std::move(dir)), options_(options), env_(NewStrictEnv(options)) {}

absl::StatusOr<Generation> StateFolder::OpenNewest() {
  absl::StatusOr<std::vector<std::string>> names = ListNames();
  if (!names.ok()) return names.status();
  std::vector<LogIndex> indexes;
  for (const std::string& name : *names) {
    if (name == "CURRENT") {
      return UnusableState(absl::StatusCode::kFailedPrecondition, dir_,
                           "it was made by an earlier version");
    }
    if (std::optional<LogIndex> index = ParseGenerationName(name)) indexes.push_back(*index);
  }
  if (indexes.empty()) indexes.push_back(LogIndex(0));
  std::sort(indexes.begin(), indexes.end());

  Generation newest;
  std::vector<std::shared_ptr<Database>> others;
  for (LogIndex index : indexes) {
    absl::StatusOr<Generation> generation = OpenGeneration(index);
    if (!generation.ok()) return generation.status();
    if (newest.database == nullptr || generation->meta.applied.index >= newest.meta.applied.index) {
      std::swap(newest, *generation);
    }
    if (generation->database != nullptr) others.push_back(std::move(generation->database));
  }
  // Only now: whoever has the newest one open alone may say what is not needed.
  for (const std::shared_ptr<Database>& database : others) database->RetireWhenClosed();
  for (const std::string& name : *names) {
    if (absl::EndsWith(name, kIncomingSuffix) || absl::EndsWith(name, kRetiredSuffix)) {
      RemoveFolder(env_.get(), absl::StrCat(dir_, "/", name));
    }
  }
  return newest;
}

absl::StatusOr<std::unique_ptr<Database>> StateFolder::BeginIncoming(LogIndex index) {
  for (const std::string& path : {PathOf(index), IncomingPathOf(index)}) {
    if (env_->FileExists(absl::StrCat(path, "/CURRENT"))) {
      return absl::AlreadyExistsError(absl::StrCat("there is a state in ", path));
    }
  }
  return Database::Open(IncomingPathOf(index), options_);
}

absl::StatusOr<Generation> StateFolder::Commit(LogIndex index) {
  leveldb::Status renamed = env_->RenameFile(IncomingPathOf(index), PathOf(index));
  if (!renamed.ok()) return absl::UnavailableError(renamed.ToString());
  absl::StatusOr<Generation> generation = OpenGeneration(index);
  if (!generation.ok()) RetireFolder(env_.get(), PathOf(index));
  return generation;
}

void StateFolder::RemoveIncoming(LogIndex index) {
  RemoveFolder(env_.get(), IncomingPathOf(index));
}

std::string StateFolder::PathOf(LogIndex index) const {
  return absl::StrCat(dir_, "/", GenerationName(index));
}

std::string StateFolder::IncomingPathOf(LogIndex index) const {
  return absl::StrCat(PathOf(index), kIncomingSuffix);
}

absl::StatusOr<std::vector<std::string>> StateFolder::ListNames() {
  (void)env_->CreateDir(
      dir_);  // fails where there is one; if it is not there then, the next says so
  std::vector<std::string> names;
  leveldb::Status listed = env_->GetChildren(dir_, &names);
  if (!listed.ok()) {
    return absl::UnavailableError(
        absl::StrCat("Cannot open the state in ", dir_, ": ", listed.ToString()));
  }
  return names;
}

absl::StatusOr<Generation> StateFolder::OpenGeneration(LogIndex index) const {
  absl::StatusOr<std::unique_ptr<Database>> opened = Database::Open(PathOf(index), options_);
  if (!opened.ok()) return opened.status();
  std::shared_ptr<Database> database = *std::move(opened);
  absl::StatusOr<StoreMeta> meta = ReadOrInitialize(database);
  if (!meta.ok()) return meta.status();
  absl::StatusOr<EventId> scrubbed = ReadScrubbed(SnapshotReader(database));
  if (!scrubbed.ok()) {
    return UnusableState(scrubbed.status().code(), database->dir(), scrubbed.status().message());
  }
  if (meta->applied.index < index) {
    return UnusableState(absl::StatusCode::kDataLoss, database->dir(),
                         "it holds less than its name says");
  }
  return Generation{std::move(database), *meta, *scrubbed, index};
}

}  // namespace pontoon::kv
