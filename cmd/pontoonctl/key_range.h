// KeyRange: which keys a request is about, as etcd's v3 API writes it; and keys as text.

#ifndef PONTOON_CMD_PONTOONCTL_KEY_RANGE_H_
#define PONTOON_CMD_PONTOONCTL_KEY_RANGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace pontoon::ctl {

// The keys of [key, end). An empty `end` means the one key; "\0" means that there is no upper end.
struct KeyRange {
  std::string key;
  std::string end = {};

  // The keys that begin with `prefix`; with the empty prefix, all.
  static KeyRange Prefix(absl::string_view prefix);

  // `key` and all that follow it in byte order; from the empty key, all.
  static KeyRange From(absl::string_view key);
};

// Each byte as \xNN: how etcdctl shows binary keys under --hex.
std::string HexEscape(absl::string_view bytes);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_KEY_RANGE_H_
