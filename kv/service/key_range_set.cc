#include "kv/service/key_range_set.h"

#include <iterator>
#include <string_view>
#include <utility>

namespace pontoon::kv {

void KeyRangeSet::Add(const std::string& key, const std::string& range_end) {
  if (range_end.empty()) {
    AddInterval(key, key + '\0');
  } else if (range_end == std::string_view("\0", 1)) {
    AddInterval(key, std::nullopt);
  } else if (key < range_end) {
    AddInterval(key, range_end);
  }
}

void KeyRangeSet::Add(const KeyRangeSet& other) {
  for (const auto& [begin, end] : other.ranges_) AddInterval(begin, end);
}

bool KeyRangeSet::Contains(const std::string& key) const {
  const auto after = ranges_.upper_bound(key);
  if (after == ranges_.begin()) return false;
  const End& end = std::prev(after)->second;
  return !end || key < *end;
}

void KeyRangeSet::AddInterval(std::string begin, End end) {
  const auto reaches = [](const End& range_end, const std::string& key) {
    return !range_end || *range_end >= key;
  };
  auto next = ranges_.upper_bound(begin);
  if (next != ranges_.begin() && reaches(std::prev(next)->second, begin)) {
    next = std::prev(next);
    begin = next->first;
  }
  while (next != ranges_.end() && reaches(end, next->first)) {
    if (end && reaches(next->second, *end)) end = next->second;
    next = ranges_.erase(next);
  }
  ranges_.emplace(std::move(begin), std::move(end));
}

}  // namespace pontoon::kv
