#include "kv/service/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace pontoon::kv {
namespace {

struct ByteRange {
  uint8_t first;
  uint8_t last;

  bool Has(char byte) const {
    const auto value = static_cast<uint8_t>(byte);
    return first <= value && value <= last;
  }
};

constexpr ByteRange kContinuation{0x80, 0xbf};

// Of characters that begin alike. Only the second byte may be further restricted.
struct Form {
  ByteRange first;
  ByteRange second;
  size_t length;
};

constexpr Form kForms[] = {
    {{0x00, 0x7f}, {0x00, 0x00}, 1}, {{0xc2, 0xdf}, kContinuation, 2},
    {{0xe0, 0xe0}, {0xa0, 0xbf}, 3}, {{0xe1, 0xec}, kContinuation, 3},
    {{0xed, 0xed}, {0x80, 0x9f}, 3}, {{0xee, 0xef}, kContinuation, 3},
    {{0xf0, 0xf0}, {0x90, 0xbf}, 4}, {{0xf1, 0xf3}, kContinuation, 4},
    {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
};

// Of the character that `bytes`, which are not empty, begin with; 0 if they begin with none.
size_t FirstLength(absl::string_view bytes) {
  const Form* const form = std::find_if(std::begin(kForms), std::end(kForms),
                                        [&](const Form& f) { return f.first.Has(bytes[0]); });
  if (form == std::end(kForms) || bytes.size() < form->length) return 0;
  for (size_t i = 1; i < form->length; ++i) {
    if (!(i == 1 ? form->second : kContinuation).Has(bytes[i])) return 0;
  }
  return form->length;
}

}  // namespace

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = FirstLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace pontoon::kv
