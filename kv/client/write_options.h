// WriteOptions: what the effect of a write hangs on besides the write itself.

#ifndef PONTOON_KV_CLIENT_WRITE_OPTIONS_H_
#define PONTOON_KV_CLIENT_WRITE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace pontoon {

// Lets a write have an effect only while a lock is held: while its key exists as it was created.
// Lock::fence gives it.
struct Fence {
  std::string key;
  int64_t create_revision = 0;
};

struct WriteOptions {
  // If the lock is lost: kErrFenced of kv/errors.h, and nothing was written.
  std::optional<Fence> fence = {};
  // Of the call, with all its attempts. Zero: that of ClientOptions.
  absl::Duration timeout = absl::ZeroDuration();
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_WRITE_OPTIONS_H_
