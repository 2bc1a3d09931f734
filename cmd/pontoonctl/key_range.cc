#include "cmd/pontoonctl/key_range.h"

#include "absl/strings/str_cat.h"
#include "kv/client/key_prefix.h"

namespace pontoon::ctl {
namespace {

// etcd's lowest key and its "no upper end" are the same byte.
std::string Zero() { return std::string(1, '\0'); }

}  // namespace

KeyRange KeyRange::Prefix(absl::string_view prefix) {
  if (prefix.empty()) return {Zero(), Zero()};
  return {std::string(prefix), PrefixEnd(prefix)};
}

KeyRange KeyRange::From(absl::string_view key) {
  return {key.empty() ? Zero() : std::string(key), Zero()};
}

std::string HexEscape(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 4);
  for (unsigned char byte : bytes) absl::StrAppend(&text, "\\x", absl::Hex(byte, absl::kZeroPad2));
  return text;
}

}  // namespace pontoon::ctl
