#include "raft/core/duplicate_filter.h"

namespace pontoon::raft {

bool DuplicateFilter::Insert(const RequestId& request) {
  const auto origin = std::make_pair(request.origin, request.sequence >> 32);
  auto found = windows_.find(origin);
  if (found == windows_.end()) {
    // So many processes within one term: take no more from new ones rather than forget an old one.
    if (windows_.size() >= kOriginsMax) return false;
    found = windows_.emplace(origin, std::make_unique<Window>()).first;
    found->second->newest = request.sequence;
    found->second->seen.set(request.sequence % kWindow);
    return true;
  }
  Window& window = *found->second;
  if (request.sequence > window.newest) {
    if (request.sequence - window.newest >= kWindow) {
      window.seen.reset();
    } else {
      for (uint64_t s = window.newest + 1; s < request.sequence; ++s)
        window.seen.reset(s % kWindow);
    }
    window.newest = request.sequence;
    window.seen.set(request.sequence % kWindow);
    return true;
  }
  if (window.newest - request.sequence >= kWindow) return false;
  if (window.seen.test(request.sequence % kWindow)) return false;
  window.seen.set(request.sequence % kWindow);
  return true;
}

}  // namespace pontoon::raft
