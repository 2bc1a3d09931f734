#include "raft/base/types.h"

#include "absl/strings/str_cat.h"

namespace pontoon {

std::string FormatNodeId(NodeId node) {
  return node == kNoNode ? "none" : absl::StrCat(absl::Hex(node.value()));
}

}  // namespace pontoon
