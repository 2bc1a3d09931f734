#include "raft/storage/log_store.h"

namespace pontoon::raft {

MembershipHistory RecoveredLog::HistoryFrom(const Membership& founding) const {
  MembershipHistory history({.index = LogIndex(), .request = {}, .membership = founding});
  for (const MembershipHistory::Item& item : memberships) {
    if (item.index <= base.index) {
      history.ResetTo(item);
    } else {
      history.Append(item);
    }
  }
  return history;
}

}  // namespace pontoon::raft
