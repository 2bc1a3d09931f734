#include "kv/store/record_cache.h"

#include <utility>

#include "kv/store/layout.h"
#include "kv/store/slice.h"
#include "leveldb/cache.h"

namespace pontoon::kv {
namespace {

// What an entry takes beside its bytes: LevelDB's handle, a string, and the heap's own.
constexpr size_t kEntryBytes = 160;

using Record = std::optional<std::string>;

void DeleteRecord(const leveldb::Slice&, void* record) { delete static_cast<Record*>(record); }

}  // namespace

RecordCache::RecordCache(size_t capacity_bytes) : records_(leveldb::NewLRUCache(capacity_bytes)) {}
RecordCache::~RecordCache() = default;

std::optional<bool> RecordCache::Find(std::string_view key, std::string* value) {
  leveldb::Cache::Handle* handle = records_->Lookup(ToSlice(key));
  if (handle == nullptr) return std::nullopt;
  const Record& record = *static_cast<Record*>(records_->Value(handle));
  if (record.has_value()) *value = *record;
  bool exists = record.has_value();
  records_->Release(handle);
  return exists;
}

void RecordCache::Note(std::string_view key, std::optional<std::string_view> value) {
  size_t bytes = kEntryBytes + key.size() + (value.has_value() ? value->size() : 0);
  records_->Release(
      records_->Insert(ToSlice(key), new Record(std::move(value)), bytes, DeleteRecord));
}

// No record is held between calls, so none is spared.
void RecordCache::ForgetAll() { records_->Prune(); }

absl::StatusOr<bool> CachedReader::Get(std::string_view key, std::string* value) const {
  if (!IsCached(key)) return base_->Get(key, value);
  if (std::optional<bool> known = cache_->Find(key, value)) return *known;
  absl::StatusOr<bool> exists = base_->Get(key, value);
  if (exists.ok()) {
    cache_->Note(key, *exists ? std::optional<std::string_view>(*value) : std::nullopt);
  }
  return exists;
}

bool IsCached(std::string_view key) { return key.starts_with(kCurrentPrefix); }

}  // namespace pontoon::kv
