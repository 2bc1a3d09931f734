// MembershipHistory: the configurations along a log.

#ifndef PONTOON_RAFT_BASE_MEMBERSHIP_HISTORY_H_
#define PONTOON_RAFT_BASE_MEMBERSHIP_HISTORY_H_

#include <vector>

#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon {

// A configuration is in effect from the entry on that brings it, committed or not (thesis 4.1), and
// is taken back with that entry. So what is in effect is always what the log says: its last
// membership entry, or what was before the log's beginning.
//
// A value; not thread safe.
class MembershipHistory {
 public:
  struct Item {
    LogIndex index;     // of the entry; of the oldest item, perhaps one that is gone from the log
    RequestId request;  // that brought it
    Membership membership;

    friend bool operator==(const Item&, const Item&) = default;
  };

  // `first` is in effect at the log's beginning.
  explicit MembershipHistory(Item first = {}) : items_{std::move(first)} {}

  // In effect after the log's last entry.
  const Item& latest() const { return items_.back(); }
  // In effect after the entry `index`, which is not before the log's beginning.
  const Item& At(LogIndex index) const;
  // The oldest first; never empty.
  const std::vector<Item>& items() const { return items_; }

  // `item.index` is later than all before.
  void Append(Item item);
  // The entries from `from` on are gone. True if the latest configuration was among them.
  bool TruncateFrom(LogIndex from);
  // The log begins after `base` now.
  void DropUpTo(LogIndex base);
  // The log begins anew after the entry `first.index` or a later one.
  void ResetTo(Item first) { items_.assign(1, std::move(first)); }

 private:
  std::vector<Item> items_;  // ascending by index
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_MEMBERSHIP_HISTORY_H_
