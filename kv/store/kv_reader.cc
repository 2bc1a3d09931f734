#include "kv/store/kv_reader.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

// To skip the old versions of a key it is cheaper to step than to seek, if they are few.
constexpr int kStepsBeforeSeek = 8;

}  // namespace

// One key, latest state: a lookup, which uses the Bloom filter, where a scan could not.
class KvReader::PointCursor : public KvCursor {
 public:
  PointCursor(KvReader* reader, std::string_view key) : reader_(reader), key_(key) {
    std::string record_key = CurrentKey(key);
    absl::StatusOr<bool> found = reader->records_->Get(record_key, &bytes_);
    if (!found.ok()) {
      reader->Note(found.status());
    } else if (*found) {
      current_ = DecodeCurrent(bytes_);
      if (!current_) reader->NoteDamage(record_key);
    }
  }

  bool Valid() const override { return current_.has_value(); }
  void Next() override { current_.reset(); }
  std::string_view key() const override { return key_; }
  KeyState Describe() override { return current_->state; }
  KeyState Load() override { return reader_->LoadEvent(current_->event, key_, &bytes_); }

 private:
  KvReader* reader_;
  std::string_view key_;
  std::string bytes_;
  std::optional<CurrentRecord> current_;
};

// Many keys, latest state: a walk over the current records.
class KvReader::CurrentCursor : public KvCursor {
 public:
  CurrentCursor(KvReader* reader, const KeyRange& range)
      : reader_(reader), range_(range), records_(reader->records_->NewIterator()) {
    records_->Seek(CurrentKey(range.begin()));
    Settle();
  }

  bool Valid() const override { return valid_; }
  void Next() override {
    records_->Next();
    Settle();
  }
  std::string_view key() const override { return key_; }

  KeyState Describe() override {
    std::optional<CurrentRecord> current = Decode();
    return current ? current->state : KeyState();
  }
  KeyState Load() override {
    std::optional<CurrentRecord> current = Decode();
    return current ? reader_->LoadEvent(current->event, key_, &event_bytes_) : KeyState();
  }

 private:
  std::optional<CurrentRecord> Decode() {
    std::optional<CurrentRecord> current = DecodeCurrent(records_->value());
    if (!current) reader_->NoteDamage(records_->key());
    return current;
  }

  void Settle() {
    valid_ = false;
    if (!records_->Valid()) return reader_->Note(records_->status());
    std::optional<std::string_view> key = ParseCurrentKey(records_->key());
    if (!key || range_.IsPast(*key)) return;
    key_ = *key;
    valid_ = true;
  }

  KvReader* reader_;
  KeyRange range_;
  std::unique_ptr<RecordIterator> records_;
  bool valid_ = false;
  std::string_view key_;
  std::string event_bytes_;
};

// An older revision: a walk over the history, which picks from each key's versions the newest that
// is not newer than the revision.
class KvReader::HistoryCursor : public KvCursor {
 public:
  HistoryCursor(KvReader* reader, const KeyRange& range, Revision revision)
      : reader_(reader),
        range_(range),
        revision_(revision),
        records_(reader->records_->NewIterator()) {
    records_->Seek(HistoryKey(range.begin(), EventId{kNewest, kLastSub}));
    Settle();
  }

  bool Valid() const override { return valid_; }
  void Next() override {
    SkipTo(HistoryEnd(key_));
    Settle();
  }
  std::string_view key() const override { return key_; }

  KeyState Describe() override { return Load(); }
  KeyState Load() override { return reader_->LoadEvent(id_, key_, &event_bytes_); }

 private:
  static constexpr Revision kNewest{std::numeric_limits<int64_t>::max()};

  // From the newest version of some key, finds the next key that exists at the revision.
  void Settle() {
    valid_ = false;
    while (Parse() && !range_.IsPast(key_)) {
      if (id_.main > revision_) {
        SkipTo(HistoryKey(key_, EventId{revision_, kLastSub}));
        continue;  // at an older version, or at the next key
      }
      std::optional<EventKind> kind = DecodeHistory(records_->value());
      if (!kind) return reader_->NoteDamage(records_->key());
      if (*kind == EventKind::kPut) {
        valid_ = true;
        return;
      }
      SkipTo(HistoryEnd(key_));
    }
  }

  // Reads the key and the id of the version that the walk stands at; false at the end.
  bool Parse() {
    if (!records_->Valid()) {
      reader_->Note(records_->status());
      return false;
    }
    if (records_->key().front() != kHistoryPrefix) return false;
    if (ParseHistoryKey(records_->key(), &key_, &id_)) return true;
    reader_->NoteDamage(records_->key());
    return false;
  }

  void SkipTo(const std::string& target) {
    for (int i = 0; i < kStepsBeforeSeek; ++i) {
      if (!records_->Valid() || records_->key() >= target) return;
      records_->Next();
    }
    records_->Seek(target);
  }

  KvReader* reader_;
  KeyRange range_;
  Revision revision_;
  std::unique_ptr<RecordIterator> records_;
  bool valid_ = false;
  std::string key_;
  EventId id_;
  std::string event_bytes_;
};

void KvReader::AdvanceTo(Revision revision) {
  CHECK_GE(revision, revision_);
  revision_ = revision;
}

void KvReader::CompactTo(Revision compacted) {
  CHECK_GT(compacted, compacted_);
  CHECK_LE(compacted, revision_);
  compacted_ = compacted;
}

std::unique_ptr<KvCursor> KvReader::Scan(const KeyRange& range, Revision revision) {
  CHECK_LE(revision, revision_);
  CHECK_GE(revision, compacted_);
  if (revision < revision_) return std::make_unique<HistoryCursor>(this, range, revision);
  if (range.IsSingle()) return std::make_unique<PointCursor>(this, range.begin());
  return std::make_unique<CurrentCursor>(this, range);
}

bool KvReader::LeaseExists(LeaseId lease) {
  std::string bytes;
  const absl::StatusOr<bool> found = records_->Get(LeaseKey(lease), &bytes);
  if (!found.ok()) Note(found.status());
  return found.ok() && *found;
}

KeyState KvReader::LoadEvent(EventId id, std::string_view key, std::string* bytes) {
  std::string event_key = EventKey(id);
  absl::StatusOr<bool> found = records_->Get(event_key, bytes);
  if (!found.ok()) {
    Note(found.status());
    return KeyState();
  }
  std::optional<Event> event;
  if (*found) event = DecodeEvent(id, *bytes);
  if (event && event->kind == EventKind::kPut && event->key == key) return event->state;
  NoteDamage(event_key);
  return KeyState();
}

void KvReader::Charge(int64_t bytes) {
  result_bytes_ += bytes;
  if (result_bytes_ <= result_bytes_max_) return;
  Note(absl::ResourceExhaustedError(absl::StrCat(
      "the result needs more than the ", result_bytes_max_,
      " bytes of --max-range-bytes: read it in parts, with limit, or by RangeStream")));
}

void KvReader::Note(const absl::Status& status) { status_.Update(status); }

void KvReader::NoteDamage(std::string_view record_key) {
  Note(absl::DataLossError(
      absl::StrCat("damaged or missing record ",
                   absl::CHexEscape(absl::string_view(record_key.data(), record_key.size())))));
}

}  // namespace pontoon::kv
