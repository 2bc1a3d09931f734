// StrongInt: an integer that does not mix with integers of another meaning.
//
// Terms, indexes and revisions are all 64-bit counters, and swapping two of them compiles silently
// when they are bare integers. A StrongInt compares and counts like its integer, hashes and prints
// like it, and converts only when asked to (`value()`).

#ifndef PONTOON_RAFT_BASE_STRONG_INT_H_
#define PONTOON_RAFT_BASE_STRONG_INT_H_

#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

namespace pontoon {

template <typename Tag, typename Integer>
class StrongInt {
 public:
  using Value = Integer;

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Integer value) : value_(value) {}

  constexpr Integer value() const { return value_; }

  // The neighbours: most arithmetic on indexes and terms is a step by one.
  constexpr StrongInt Next() const { return StrongInt(value_ + 1); }
  constexpr StrongInt Prev() const { return StrongInt(value_ - 1); }

  constexpr StrongInt operator+(Integer distance) const { return StrongInt(value_ + distance); }
  constexpr StrongInt operator-(Integer distance) const { return StrongInt(value_ - distance); }
  // The distance between two values. For unsigned integers `other` must not be greater.
  constexpr Integer operator-(StrongInt other) const { return value_ - other.value_; }
  constexpr StrongInt& operator++() {
    ++value_;
    return *this;
  }

  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;
  friend std::ostream& operator<<(std::ostream& out, StrongInt i) { return out << i.value_; }

  template <typename H>
  friend H AbslHashValue(H state, StrongInt i) {
    return H::combine(std::move(state), i.value_);
  }

 private:
  Integer value_ = 0;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_STRONG_INT_H_
