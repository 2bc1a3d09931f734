#include "raft/base/membership_history.h"

#include <iterator>
#include <utility>

#include "raft/base/check.h"

namespace pontoon {

const MembershipHistory::Item& MembershipHistory::At(LogIndex index) const {
  auto item = std::prev(items_.end());
  while (item != items_.begin() && item->index > index) --item;
  return *item;
}

void MembershipHistory::Append(Item item) {
  CHECK(item.index > latest().index) << item.index << " after " << latest().index;
  items_.push_back(std::move(item));
}

bool MembershipHistory::TruncateFrom(LogIndex from) {
  const size_t before = items_.size();
  while (items_.size() > 1 && items_.back().index >= from) items_.pop_back();
  CHECK_LT(items_.front().index, from) << "a configuration that was committed is taken back";
  return items_.size() < before;
}

void MembershipHistory::DropUpTo(LogIndex base) {
  while (items_.size() > 1 && items_[1].index <= base) items_.erase(items_.begin());
}

}  // namespace pontoon
