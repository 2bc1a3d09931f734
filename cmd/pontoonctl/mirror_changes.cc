#include "cmd/pontoonctl/mirror_changes.h"

#include <utility>

namespace pontoon::ctl {

std::vector<etcdserverpb::TxnRequest> MirrorChanges::Take() {
  std::vector<etcdserverpb::TxnRequest> requests;
  size_t bytes = 0;
  put_bytes_ = 0;
  for (auto& [key, value] : std::exchange(changes_, {})) {
    const size_t own_bytes = key.size() + (value.has_value() ? value->size() : 0);
    if (requests.empty() || bytes + own_bytes > kMirrorTxnBytes ||
        requests.back().success_size() == static_cast<int>(kMirrorOperationsMax)) {
      requests.emplace_back();
      bytes = 0;
    }
    bytes += own_bytes;
    etcdserverpb::RequestOp* const operation = requests.back().add_success();
    if (value.has_value()) {
      operation->mutable_request_put()->set_key(key);
      operation->mutable_request_put()->set_value(*value);
    } else {
      operation->mutable_request_delete_range()->set_key(key);
    }
  }
  return requests;
}

}  // namespace pontoon::ctl
