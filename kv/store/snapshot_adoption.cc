#include "kv/store/snapshot_adoption.h"

#include <limits>
#include <map>
#include <string>

#include "kv/store/alarms.h"
#include "kv/store/layout.h"
#include "kv/store/member_records.h"
#include "kv/store/meta.h"

namespace pontoon::kv {
namespace {

constexpr size_t kPassBytes = 1 << 20;

}  // namespace

SnapshotAdoption::SnapshotAdoption(LogPosition position, const AdoptionOptions& options,
                                   SnapshotSink* sink)
    : options_(options),
      sink_(sink),
      reader_(position, SnapshotStreamReader::AfterEnd::kZeros),
      writer_(position) {}

absl::Status SnapshotAdoption::Write(std::string_view bytes) {
  absl::Status passed;
  const absl::Status read = reader_.Read(bytes, [&](std::string_view key, std::string_view value) {
    if (!passed.ok() || meta_.Take(key, value)) return;
    // Records come in order: behind those of the store itself there are only others.
    if (!key.empty() && key.front() > kMetaPrefix) passed = PassMeta();
    writer_.Add(key, value);
  });
  if (!read.ok()) return read;
  if (!passed.ok()) return passed;
  return PassStream();
}

absl::Status SnapshotAdoption::Finish() {
  if (absl::Status whole = reader_.Finish(); !whole.ok()) return whole;
  if (absl::Status passed = PassMeta(); !passed.ok()) return passed;
  writer_.End();
  if (absl::Status passed = PassStream(); !passed.ok()) return passed;
  return sink_->Finish();
}

absl::Status SnapshotAdoption::PassMeta() {
  if (meta_passed_) return absl::OkStatus();
  meta_passed_ = true;
  const absl::StatusOr<StoreMeta> meta = ReadMeta(meta_);
  if (!meta.ok()) return meta.status();
  const int64_t revisions_left = std::numeric_limits<int64_t>::max() - meta->revision.value();
  if (options_.revisions_skipped < 0 || options_.revisions_skipped > revisions_left) {
    return absl::InvalidArgumentError("there are not so many revisions to skip");
  }
  const Revision revision(meta->revision.value() + options_.revisions_skipped);

  std::map<std::string, std::string>& records = meta_.records();
  std::erase_if(records, [](const auto& record) { return IsMemberRecord(record.first); });
  records.erase(AlarmsRecord(AlarmSet()).first);
  records[RevisionRecord(revision).first] = RevisionRecord(revision).second;
  if (options_.compacted) {
    records[CompactedRecord(revision).first] = CompactedRecord(revision).second;
  }
  for (const auto& [key, value] : records) writer_.Add(key, value);
  return absl::OkStatus();
}

absl::Status SnapshotAdoption::PassStream() {
  while (writer_.ready_bytes() > 0) {
    if (absl::Status s = sink_->Write(writer_.Take(kPassBytes)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace pontoon::kv
