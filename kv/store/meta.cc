#include "kv/store/meta.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/store/layout.h"

namespace pontoon::kv {
namespace {

constexpr char kAlarms[] = "alarms";
constexpr char kApplied[] = "applied";
constexpr char kCompacted[] = "compacted";
constexpr char kDigest[] = "digest";
constexpr char kFormat[] = "format";
constexpr char kRevision[] = "revision";
constexpr char kScrubbed[] = "scrubbed";

std::string MetaKey(const char* name) { return absl::StrCat(std::string(1, kMetaPrefix), name); }

MetaRecord MakeRecord(const char* name, std::initializer_list<uint64_t> numbers) {
  std::string value;
  for (uint64_t number : numbers) AppendFixed64(number, &value);
  return {MetaKey(name), std::move(value)};
}

MetaRecord MakeRecord(const char* name, Revision revision) {
  return MakeRecord(name, {static_cast<uint64_t>(revision.value())});
}

Revision ToRevision(uint64_t number) { return Revision(static_cast<int64_t>(number)); }

absl::Status Damaged(const char* name) {
  return absl::DataLossError(absl::StrCat("damaged or missing record \"", name, "\""));
}

// The `count` numbers of the record `name`; nothing if there is no such record.
absl::StatusOr<std::optional<std::vector<uint64_t>>> ReadNumbers(const RecordReader& records,
                                                                 const char* name, size_t count) {
  std::string value;
  absl::StatusOr<bool> found = records.Get(MetaKey(name), &value);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  std::vector<uint64_t> numbers;
  std::string_view rest = value;
  while (std::optional<uint64_t> number = TakeFixed64(&rest)) numbers.push_back(*number);
  if (!rest.empty() || numbers.size() != count) return Damaged(name);
  return numbers;
}

// The same for a record that must be there.
absl::StatusOr<std::vector<uint64_t>> RequireNumbers(const RecordReader& records, const char* name,
                                                     size_t count) {
  auto numbers = ReadNumbers(records, name, count);
  if (!numbers.ok()) return numbers.status();
  if (!numbers->has_value()) return Damaged(name);
  return **numbers;
}

absl::StatusOr<AlarmSet> ReadAlarms(const RecordReader& records) {
  std::string value;
  absl::StatusOr<bool> found = records.Get(MetaKey(kAlarms), &value);
  if (!found.ok()) return found.status();
  if (!*found) return AlarmSet();
  std::optional<AlarmSet> alarms = AlarmSet::Decode(value);
  if (!alarms.has_value()) return Damaged(kAlarms);
  return *std::move(alarms);
}

// Whether there are no records of any kind.
absl::StatusOr<bool> IsEmpty(const RecordReader& records) {
  std::unique_ptr<RecordIterator> any = records.NewIterator();
  any->Seek("");
  if (!any->status().ok()) return any->status();
  return !any->Valid();
}

// Nothing else means anything where the format is not the one we know.
absl::Status CheckFormat(const RecordReader& records) {
  auto format = ReadNumbers(records, kFormat, 1);
  if (!format.ok()) return format.status();
  if (!format->has_value()) {
    absl::StatusOr<bool> empty = IsEmpty(records);
    if (!empty.ok()) return empty.status();
    return *empty ? absl::NotFoundError("there are no records") : Damaged(kFormat);
  }
  uint64_t version = (*format)->front();
  if (version == kFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "its format is version ", version, ", and this program reads version ", kFormatVersion));
}

}  // namespace

MetaRecord AlarmsRecord(const AlarmSet& alarms) { return {MetaKey(kAlarms), alarms.Encode()}; }
MetaRecord AppliedRecord(LogPosition applied) {
  return MakeRecord(kApplied, {applied.index.value(), applied.term.value()});
}
MetaRecord CompactedRecord(Revision compacted) { return MakeRecord(kCompacted, compacted); }
MetaRecord DigestRecord(StateDigest digest) { return MakeRecord(kDigest, {digest.value()}); }
MetaRecord FormatRecord() { return MakeRecord(kFormat, {kFormatVersion}); }
MetaRecord RevisionRecord(Revision revision) { return MakeRecord(kRevision, revision); }
MetaRecord ScrubbedRecord(EventId scrubbed) {
  return MakeRecord(kScrubbed, {static_cast<uint64_t>(scrubbed.main.value()), scrubbed.sub});
}

absl::StatusOr<StoreMeta> ReadMeta(const RecordReader& records) {
  if (absl::Status status = CheckFormat(records); !status.ok()) return status;
  auto applied = RequireNumbers(records, kApplied, 2);
  if (!applied.ok()) return applied.status();
  auto revision = RequireNumbers(records, kRevision, 1);
  if (!revision.ok()) return revision.status();
  auto compacted = ReadNumbers(records, kCompacted, 1);
  if (!compacted.ok()) return compacted.status();
  auto digest = RequireNumbers(records, kDigest, 1);
  if (!digest.ok()) return digest.status();
  absl::StatusOr<AlarmSet> alarms = ReadAlarms(records);
  if (!alarms.ok()) return alarms.status();

  StoreMeta meta;
  meta.applied = LogPosition{LogIndex((*applied)[0]), Term((*applied)[1])};
  meta.revision = ToRevision(revision->front());
  if (compacted->has_value()) meta.compacted = ToRevision((*compacted)->front());
  meta.digest = StateDigest(digest->front());
  meta.alarms = *std::move(alarms);
  if (meta.revision < kFirstRevision) return Damaged(kRevision);
  if (meta.compacted > meta.revision) return Damaged(kCompacted);
  return meta;
}

absl::StatusOr<EventId> ReadScrubbed(const RecordReader& records) {
  auto numbers = ReadNumbers(records, kScrubbed, 2);
  if (!numbers.ok()) return numbers.status();
  if (!numbers->has_value()) return EventId();
  uint64_t sub = (**numbers)[1];
  if (sub > kLastSub) return Damaged(kScrubbed);
  return EventId{ToRevision((**numbers)[0]), static_cast<uint32_t>(sub)};
}

}  // namespace pontoon::kv
