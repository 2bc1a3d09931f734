#include "kv/lease/lease_table.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "raft/base/check.h"

namespace pontoon::kv {

static_assert(sizeof(TimedLease) == 40, "there may be millions");

size_t LeaseTable::HashOfId::operator()(LeaseId id) const { return absl::Hash<LeaseId>()(id); }

LeaseTable::LeaseTable() : index_(0, HashOfId{&slots_}, SameId{&slots_}) {}

TimedLease* LeaseTable::Find(LeaseId id) {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : &slots_[*found];
}

TimedLease* LeaseTable::Insert(LeaseId id, Instant due) {
  CHECK(!index_.contains(id)) << "lease " << id;
  Slot slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<Slot>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot] = TimedLease{.id = id, .expiry = due, .due = due};
  index_.insert(slot);
  heap_.push_back(slot);
  MoveUp(heap_.size() - 1);
  return &slots_[slot];
}

void LeaseTable::Erase(TimedLease* lease) {
  const size_t place = lease->place;
  const Slot slot = heap_[place];
  index_.erase(slot);
  free_slots_.push_back(slot);
  const Slot last = heap_.back();
  heap_.pop_back();
  if (last == slot) return;
  PutAt(place, last);
  MoveUp(place);
  MoveDown(slots_[last].place);
}

void LeaseTable::Clear() {
  index_ = absl::flat_hash_set<Slot, HashOfId, SameId>(0, HashOfId{&slots_}, SameId{&slots_});
  heap_ = {};
  free_slots_ = {};
  slots_ = {};
}

TimedLease* LeaseTable::First() { return heap_.empty() ? nullptr : &slots_[heap_.front()]; }

void LeaseTable::SetDue(TimedLease* lease, Instant due) {
  lease->due = due;
  MoveUp(lease->place);
  MoveDown(lease->place);
}

size_t LeaseTable::AllocatedBytes() const {
  return slots_.size() * sizeof(TimedLease) + free_slots_.capacity() * sizeof(Slot) +
         heap_.capacity() * sizeof(Slot) + index_.capacity() * (sizeof(Slot) + 1);
}

void LeaseTable::PutAt(size_t place, Slot slot) {
  heap_[place] = slot;
  slots_[slot].place = static_cast<uint32_t>(place);
}

void LeaseTable::MoveUp(size_t place) {
  const Slot slot = heap_[place];
  while (place > 0 && IsDueBefore(slot, heap_[(place - 1) / 2])) {
    PutAt(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  PutAt(place, slot);
}

void LeaseTable::MoveDown(size_t place) {
  const Slot slot = heap_[place];
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && IsDueBefore(heap_[child + 1], heap_[child])) ++child;
    if (!IsDueBefore(heap_[child], slot)) break;
    PutAt(place, heap_[child]);
    place = child;
  }
  PutAt(place, slot);
}

}  // namespace pontoon::kv
