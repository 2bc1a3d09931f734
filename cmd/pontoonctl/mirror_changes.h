// MirrorChanges: changes of keys as transactions that a server takes.

#ifndef PONTOON_CMD_PONTOONCTL_MIRROR_CHANGES_H_
#define PONTOON_CMD_PONTOONCTL_MIRROR_CHANGES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// The bounds of one transaction: below those that servers have by default, 128 operations and
// 1.5 MiB. A single value may be larger than the second, and is then alone in its transaction.
inline constexpr size_t kMirrorOperationsMax = 100;
inline constexpr size_t kMirrorTxnBytes = 1 << 20;

// Collects changes. Of several of one key the last one counts, since a transaction may change a key
// only once.
class MirrorChanges {
 public:
  void Put(const std::string& key, const std::string& value) {
    changes_[key] = value;
    put_bytes_ += key.size() + value.size();
  }
  void Delete(const std::string& key) { changes_[key] = std::nullopt; }

  // Whether they fill a transaction, or more than one.
  bool AreMany() const {
    return changes_.size() >= kMirrorOperationsMax || put_bytes_ >= kMirrorTxnBytes;
  }

  // Hands them out as transactions without comparisons, in the order of the keys: one, unless there
  // are too many. Then there are no changes left.
  std::vector<etcdserverpb::TxnRequest> Take();

 private:
  std::map<std::string, std::optional<std::string>> changes_;  // nothing: deleted
  size_t put_bytes_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_MIRROR_CHANGES_H_
