// KeyRange: the keys that a request is about.

#ifndef PONTOON_KV_STORE_KEY_RANGE_H_
#define PONTOON_KV_STORE_KEY_RANGE_H_

#include <string_view>

namespace pontoon::kv {

// One key, an interval of keys, or all keys from one on. Points into the request it was made from.
class KeyRange {
 public:
  // As the API writes a range: without `range_end` the one key; "\0" for all keys that are not less
  // than `key`; else [key, range_end), which is empty if `range_end` is not greater.
  static KeyRange FromRequest(std::string_view key, std::string_view range_end) {
    if (range_end.empty()) return KeyRange(Kind::kSingle, key, {});
    if (range_end == std::string_view("\0", 1)) return KeyRange(Kind::kOpen, key, {});
    return KeyRange(Kind::kInterval, key, range_end);
  }
  static KeyRange Single(std::string_view key) { return KeyRange(Kind::kSingle, key, {}); }

  bool IsSingle() const { return kind_ == Kind::kSingle; }
  std::string_view begin() const { return begin_; }

  // Whether `key`, which must not be less than begin(), lies beyond the range; and so do all keys
  // after it.
  bool IsPast(std::string_view key) const {
    switch (kind_) {
      case Kind::kSingle:
        return key != begin_;
      case Kind::kInterval:
        return key >= end_;
      case Kind::kOpen:
        return false;
    }
    return false;
  }

 private:
  enum class Kind { kSingle, kInterval, kOpen };

  KeyRange(Kind kind, std::string_view begin, std::string_view end)
      : kind_(kind), begin_(begin), end_(end) {}

  Kind kind_;
  std::string_view begin_;
  std::string_view end_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KEY_RANGE_H_
