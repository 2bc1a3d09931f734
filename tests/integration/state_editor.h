// Changes what lies in the state of a node that does not run, as a fault of a program or of memory
// does: all checksums fit.

#ifndef PONTOON_TESTS_INTEGRATION_STATE_EDITOR_H_
#define PONTOON_TESTS_INTEGRATION_STATE_EDITOR_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"

namespace pontoon::testing {

// Has the state in `data_folder` say that `key`, which must exist, was put more often than it was.
absl::Status FalsifyVersion(const std::filesystem::path& data_folder, const std::string& key);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_STATE_EDITOR_H_
