#include "cmd/pontoonctl/relative_path.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pontoon::ctl {

absl::StatusOr<std::vector<std::string>> SplitRelativePath(absl::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("nothing is left as a file name");
  if (path.front() == '/') return absl::InvalidArgumentError("it would be an absolute path");
  if (path.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("there is a NUL byte in it");
  }
  std::vector<std::string> components = absl::StrSplit(path, '/');
  for (const std::string& component : components) {
    if (component.empty()) {
      return absl::InvalidArgumentError("a directory or file name in it is empty");
    }
    if (component == "." || component == "..") {
      return absl::InvalidArgumentError(absl::StrCat("\"", component, "\" could lead elsewhere"));
    }
    if (component == kPartialFileName) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", component, "\" is reserved for half-written files"));
    }
  }
  return components;
}

}  // namespace pontoon::ctl
