// Which keys may become files: the guard between names from a store and a file system.

#ifndef PONTOON_CMD_PONTOONCTL_RELATIVE_PATH_H_
#define PONTOON_CMD_PONTOONCTL_RELATIVE_PATH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon::ctl {

// The name that an export gives a file while it writes it; see export_tree.h.
inline constexpr char kPartialFileName[] = ".pontoonctl-partial";

// The components of `path`, which was cut from a key. An error for whatever is not the plain name
// of a file below a directory: an empty path, a leading or trailing or double slash, "." and "..",
// a NUL byte, and kPartialFileName.
absl::StatusOr<std::vector<std::string>> SplitRelativePath(absl::string_view path);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_RELATIVE_PATH_H_
