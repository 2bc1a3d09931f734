// Whether bytes that a client sent are text.

#ifndef PONTOON_KV_SERVICE_UTF8_H_
#define PONTOON_KV_SERVICE_UTF8_H_

#include "absl/strings/string_view.h"

namespace pontoon::kv {

// True if `bytes` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates,
// nothing beyond U+10FFFF.
bool IsUtf8(absl::string_view bytes);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_UTF8_H_
