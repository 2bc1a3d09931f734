#include "kv/store/history_hash.h"

#include <memory>
#include <optional>
#include <string>

#include "kv/errors.h"
#include "kv/store/layout.h"
#include "kv/store/range.h"
#include "raft/env/crc32c.h"

namespace pontoon::kv {
namespace {

// Whoever waits gives up so many records too late.
constexpr uint64_t kRecordsBetweenLooks = 256;

absl::Status Damaged() { return absl::DataLossError("damaged record in the history"); }

uint32_t Extend(uint32_t crc, const RecordIterator& record) {
  for (const std::string_view part : {record.key(), record.value()}) {
    crc = ExtendCrc32c(crc, {part.data(), part.size()});
  }
  return crc;
}

// Tells which events before the compacted revision can still be seen.
class CompactedHistory {
 public:
  explicit CompactedHistory(const ReadView& view)
      : compacted_(view.compacted()), history_(view.records().NewIterator()) {}

  // Whether a read at the compacted revision shows what `event`, the one of `id`, has put.
  absl::StatusOr<bool> Shows(EventId id, const Event& event) {
    if (event.kind == EventKind::kDelete) return false;
    history_->Seek(HistoryKey(event.key, EventId{compacted_, kLastSub}));
    if (!history_->status().ok()) return history_->status();
    EventId newest;
    if (!history_->Valid() || !ParseHistoryKey(history_->key(), &found_key_, &newest)) {
      return Damaged();
    }
    return newest == id && found_key_ == event.key;
  }

 private:
  const Revision compacted_;
  const std::unique_ptr<RecordIterator> history_;
  std::string found_key_;
};

}  // namespace

absl::StatusOr<HistoryHash> HashHistory(const ReadView& view, int64_t revision, GiveUp give_up) {
  const absl::StatusOr<Revision> last =
      ResolveRevision(Revision(revision), view.revision(), view.compacted());
  if (!last.ok()) return last.status();
  HistoryHash hash{.crc = 0, .revision = *last, .compacted = view.compacted()};
  CompactedHistory compacted(view);
  const std::unique_ptr<RecordIterator> events = view.records().NewIterator();
  events->Seek(EventKey(EventId{kFirstRevision, 0}));
  for (uint64_t i = 1; events->Valid() && events->key().front() == kEventPrefix; ++i) {
    if (i % kRecordsBetweenLooks == 0 && give_up()) return absl::Status(kErrCanceled);
    const std::optional<EventId> id = ParseEventKey(events->key());
    if (!id.has_value()) return Damaged();
    if (id->main > *last) break;
    bool is_seen = id->main >= view.compacted();
    if (!is_seen) {
      const std::optional<Event> event = DecodeEvent(*id, events->value());
      if (!event.has_value()) return Damaged();
      const absl::StatusOr<bool> shown = compacted.Shows(*id, *event);
      if (!shown.ok()) return shown.status();
      is_seen = *shown;
    }
    if (is_seen) hash.crc = Extend(hash.crc, *events);
    events->Next();
  }
  if (!events->status().ok()) return events->status();
  return hash;
}

absl::StatusOr<uint32_t> HashRecords(const ReadView& view, GiveUp give_up) {
  uint32_t crc = 0;
  const std::unique_ptr<RecordIterator> records = view.records().NewIterator();
  records->Seek("");
  for (uint64_t i = 1; records->Valid(); ++i, records->Next()) {
    if (i % kRecordsBetweenLooks == 0 && give_up()) return absl::Status(kErrCanceled);
    crc = Extend(crc, *records);
  }
  if (!records->status().ok()) return records->status();
  return crc;
}

}  // namespace pontoon::kv
