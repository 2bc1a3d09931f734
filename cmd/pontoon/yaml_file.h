// Reads a flat YAML file: one `key: value` for each setting.

#ifndef PONTOON_CMD_PONTOON_YAML_FILE_H_
#define PONTOON_CMD_PONTOON_YAML_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pontoon {

struct YamlEntry {
  std::string key;
  std::string value;  // of a list: its items, joined by commas
  size_t line = 0;    // from 1
};

// The entries of the file at `path`, in order. An error is one line that names the file and, where
// it can, the line: NOT_FOUND or PERMISSION_DENIED if the file cannot be read, INVALID_ARGUMENT if
// it is not a flat YAML mapping.
absl::StatusOr<std::vector<YamlEntry>> ReadYamlFile(const std::string& path);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_YAML_FILE_H_
