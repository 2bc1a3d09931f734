#include "kv/call_metadata.h"

#include <iterator>

namespace pontoon::kv {

std::optional<absl::string_view> FindMetadata(const CallMetadata& metadata, const char* key) {
  const auto end = metadata.upper_bound(key);
  if (end == metadata.begin()) return std::nullopt;
  const auto& [found, value] = *std::prev(end);
  if (found != key) return std::nullopt;
  return absl::string_view(value.data(), value.size());
}

}  // namespace pontoon::kv
