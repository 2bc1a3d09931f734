#include "raft/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace pontoon::check_internal {

Failure::Failure(const char* file, int line, const char* expression) {
  message_ << file << ":" << line << ": check failed: " << expression << " ";
}

Failure::~Failure() {
  std::fprintf(stderr, "%s\n", message_.str().c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace pontoon::check_internal
