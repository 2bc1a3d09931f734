#include "kv/client/key_prefix.h"

namespace pontoon {

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');
  ++end.back();
  return end;
}

}  // namespace pontoon
