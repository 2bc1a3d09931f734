#include "kv/watch/event_walk.h"

#include "absl/strings/str_cat.h"
#include "kv/store/kv_reader.h"

namespace pontoon::kv {

EventWalk::EventWalk(const ReadView& view, Revision from)
    : view_(view), records_(view.records().NewIterator()) {
  records_->Seek(EventKey(EventId{from, 0}));
  Settle();
}

void EventWalk::Next() {
  records_->Next();
  Settle();
}

void EventWalk::Settle() {
  event_.reset();
  if (!records_->Valid()) {
    status_ = records_->status();
    return;
  }
  if (records_->key().front() != kEventPrefix) return;
  const std::optional<EventId> id = ParseEventKey(records_->key());
  if (id.has_value()) event_ = DecodeEvent(*id, records_->value());
  if (!event_.has_value()) {
    status_ = absl::DataLossError("damaged record of an event");
    return;
  }
  id_ = *id;
  event_->state.mod_revision = id_.main;
}

std::optional<KeyContent> EventWalk::Previous() {
  const Revision before(revision().value() - 1);
  if (before < kFirstRevision || before < view_.compacted()) return std::nullopt;
  KvReader reader(&view_.records(), view_.revision(), view_.compacted());
  const auto cursor = reader.Scan(KeyRange::Single(event_->key), before);
  std::optional<KeyContent> previous;
  if (cursor->Valid()) {
    KeyState state = cursor->Load();
    previous_key_ = std::string(event_->key);
    previous_value_ = std::string(state.value);
    state.value = previous_value_;
    previous = KeyContent{previous_key_, state};
  }
  if (!reader.status().ok()) status_ = reader.status();
  return previous;
}

}  // namespace pontoon::kv
