#include "tests/integration/state_editor.h"

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "kv/store/layout.h"
#include "leveldb/db.h"
#include "leveldb/options.h"

namespace pontoon::testing {
namespace {

constexpr int64_t kFalsePuts = 1000;

absl::Status ToAbsl(const leveldb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

// The folder of the only generation; see kv/store/state_folder.h.
absl::StatusOr<std::string> OnlyGeneration(const std::filesystem::path& data_folder) {
  std::string only;
  for (const auto& entry : std::filesystem::directory_iterator(data_folder / "state")) {
    if (!only.empty()) return absl::InternalError("several generations of the state");
    only = entry.path();
  }
  return only;
}

}  // namespace

absl::Status FalsifyVersion(const std::filesystem::path& data_folder, const std::string& key) {
  const absl::StatusOr<std::string> folder = OnlyGeneration(data_folder);
  if (!folder.ok()) return folder.status();
  leveldb::Options options;
  options.compression = leveldb::kNoCompression;
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, *folder, &opened);
  if (!status.ok()) return ToAbsl(status);
  const std::unique_ptr<leveldb::DB> db(opened);

  const std::string record_key = kv::CurrentKey(key);
  std::string bytes;
  if (const leveldb::Status found = db->Get({}, record_key, &bytes); !found.ok()) {
    return ToAbsl(found);
  }
  std::optional<kv::CurrentRecord> record = kv::DecodeCurrent(bytes);
  if (!record.has_value()) return absl::InternalError("the record cannot be decoded");
  record->state.version += kFalsePuts;
  const leveldb::Status written =
      db->Put({}, record_key, kv::EncodeCurrent(record->event, record->state));
  // Into a table: the server keeps no log of LevelDB's.
  db->CompactRange(nullptr, nullptr);
  return ToAbsl(written);
}

}  // namespace pontoon::testing
