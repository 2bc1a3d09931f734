#include "kv/errors.h"

namespace pontoon::kv {
namespace {

#define PONTOON_KV_LIST_ERROR(name, code, text) name,
constexpr ApiError kAllErrors[] = {PONTOON_KV_ERRORS(PONTOON_KV_LIST_ERROR)};
#undef PONTOON_KV_LIST_ERROR

}  // namespace

bool Is(const absl::Status& status, const ApiError& error) {
  return status.code() == error.code && status.message() == error.text;
}

std::span<const ApiError> AllApiErrors() { return kAllErrors; }

}  // namespace pontoon::kv
