#include "raft/core/duplicate_filter.h"

#include <algorithm>
#include <iterator>

namespace pontoon::raft {

bool DuplicateFilter::Insert(const RequestId& request) {
  const auto origin = std::make_pair(request.origin, request.sequence >> 32);
  auto found = windows_.find(origin);
  if (found == windows_.end()) {
    // So many processes within one term: what one that is gone sent long ago comes no more. Of
    // those that may be at work none is forgotten; rather no more is taken from new ones.
    if (windows_.size() >= kOriginsMax && !ForgetAnEarlierLife()) return false;
    shown_.push_back(origin);
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

bool DuplicateFilter::ForgetAnEarlierLife() {
  for (auto life = shown_.begin(); life != shown_.end(); ++life) {
    const bool has_later = std::any_of(std::next(life), shown_.end(), [&](const auto& other) {
      return other.first == life->first;
    });
    if (!has_later) continue;
    windows_.erase(*life);
    shown_.erase(life);
    return true;
  }
  return false;
}

}  // namespace pontoon::raft
