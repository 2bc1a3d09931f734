// KeyRangeSet: keys and ranges of keys, joined where they overlap.

#ifndef PONTOON_KV_SERVICE_KEY_RANGE_SET_H_
#define PONTOON_KV_SERVICE_KEY_RANGE_SET_H_

#include <map>
#include <optional>
#include <string>

namespace pontoon::kv {

// Every operation takes logarithmic time (amortised), however many ranges a client piles up.
//
// Thread safety: none.
class KeyRangeSet {
 public:
  // Adds what a request with this key and range_end is about (see KeyRange::FromRequest). A range
  // that is empty adds nothing.
  void Add(const std::string& key, const std::string& range_end);
  void Add(const KeyRangeSet& other);

  bool Contains(const std::string& key) const;

 private:
  // Not included in the range; nothing: there is no end.
  using End = std::optional<std::string>;

  void AddInterval(std::string begin, End end);

  // Disjoint ranges, by where they begin.
  std::map<std::string, End> ranges_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_KEY_RANGE_SET_H_
