#include "kv/store/kv_transaction.h"

#include "raft/base/check.h"

namespace pontoon::kv {

void KvTransaction::Put(std::string_view key, const Content& content, const KeyState* previous) {
  KeyState state;
  state.mod_revision = change_;
  state.create_revision = previous ? previous->create_revision : change_;
  state.version = previous ? previous->version + 1 : 1;
  state.lease = content.lease;
  state.value = content.value;
  overlay_->Put(CurrentKey(key), EncodeCurrent(Record(Event{EventKind::kPut, key, state}), state));
  Rehang(key, previous ? previous->lease : kNoLease, content.lease);
}

void KvTransaction::Delete(std::string_view key, LeaseId lease) {
  overlay_->Delete(CurrentKey(key));
  Record(Event{EventKind::kDelete, key, KeyState()});
  Rehang(key, lease, kNoLease);
}

void KvTransaction::Rehang(std::string_view key, LeaseId before, LeaseId after) {
  if (before == after) return;
  if (before != kNoLease) overlay_->Delete(AttachmentKey(before, key));
  if (after != kNoLease) overlay_->Put(AttachmentKey(after, key), "");
}

EventId KvTransaction::Record(const Event& event) {
  CHECK_LT(next_sub_, kLastSub);
  EventId id{change_, next_sub_++};
  overlay_->Put(EventKey(id), EncodeEvent(event));
  overlay_->Put(HistoryKey(event.key, id), EncodeHistory(event.kind));
  reader_->AdvanceTo(change_);
  return id;
}

}  // namespace pontoon::kv
