#include "raft/core/entry_window.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

constexpr size_t kNoBound = 1 << 30;

Entry EntryAt(uint64_t index, size_t payload_bytes = 36, uint64_t term = 1) {
  return {.index = LogIndex(index),
          .term = Term(term),
          .kind = EntryKind::kCommand,
          .request = {},
          .payload = std::make_shared<const std::string>(payload_bytes, 'x')};
}

// Entries first..last of 100 counted bytes each.
EntryWindow Window(uint64_t first, uint64_t last) {
  EntryWindow window{LogIndex(first)};
  for (uint64_t index = first; index <= last; ++index) window.Append(EntryAt(index));
  return window;
}

std::vector<uint64_t> Indexes(const std::vector<Entry>& entries) {
  std::vector<uint64_t> indexes;
  for (const Entry& entry : entries) indexes.push_back(entry.index.value());
  return indexes;
}

TEST(EntryWindow, CountsItsBytes) {
  EntryWindow window = Window(5, 9);
  EXPECT_EQ(window.first(), LogIndex(5));
  EXPECT_EQ(window.end(), LogIndex(10));
  EXPECT_EQ(window.bytes(), 500u);
  window.Append({.index = LogIndex(10),
                 .term = Term(1),
                 .kind = EntryKind::kNoOp,
                 .request = {},
                 .payload = nullptr});
  EXPECT_EQ(window.bytes(), 500u + Entry::kOverheadBytes);
  window.TruncateFrom(LogIndex(6));
  EXPECT_EQ(window.bytes(), 100u);
}

TEST(EntryWindow, SlicesWithinTheBound) {
  const EntryWindow window = Window(5, 9);
  EXPECT_EQ(Indexes(window.Slice(LogIndex(5), LogIndex(9), kNoBound)),
            (std::vector<uint64_t>{5, 6, 7, 8, 9}));
  EXPECT_EQ(Indexes(window.Slice(LogIndex(6), LogIndex(7), kNoBound)),
            (std::vector<uint64_t>{6, 7}));
  EXPECT_EQ(Indexes(window.Slice(LogIndex(6), LogIndex(9), 299)), (std::vector<uint64_t>{6, 7}));
  EXPECT_EQ(Indexes(window.Slice(LogIndex(6), LogIndex(9), 300)), (std::vector<uint64_t>{6, 7, 8}));
  EXPECT_EQ(Indexes(window.Slice(LogIndex(6), LogIndex(9), 301)), (std::vector<uint64_t>{6, 7, 8}));
  EXPECT_EQ(Indexes(window.Slice(LogIndex(9), LogIndex(9), 1)), (std::vector<uint64_t>{9}))
      << "at least one, however large";
  EXPECT_TRUE(window.Slice(LogIndex(8), LogIndex(7), kNoBound).empty());
}

// What follows a large entry must not jump the queue because it would still fit (B25).
TEST(EntryWindow, ASliceIsContiguousAroundTheBound) {
  for (size_t large = 1000; large <= 1200; ++large) {
    EntryWindow window{LogIndex(1)};
    window.Append(EntryAt(1, 10));
    window.Append(EntryAt(2, large));
    window.Append(EntryAt(3, 10));
    const std::vector<Entry> slice = window.Slice(LogIndex(1), LogIndex(3), 1200);
    for (size_t i = 0; i < slice.size(); ++i) ASSERT_EQ(slice[i].index, LogIndex(i + 1));
    const bool fits_two = 74 + 64 + large <= 1200;
    const bool fits_three = 74 + 64 + large + 74 <= 1200;
    ASSERT_EQ(slice.size(), fits_three ? 3u : fits_two ? 2u : 1u) << large;
  }
}

TEST(EntryWindow, SharesPayloads) {
  const EntryWindow window = Window(1, 1);
  EXPECT_EQ(window.Slice(LogIndex(1), LogIndex(1), kNoBound)[0].payload,
            window.At(LogIndex(1)).payload);
}

TEST(EntryWindow, Truncates) {
  const struct {
    uint64_t from;
    uint64_t first;
    uint64_t end;
  } kCases[] = {{11, 5, 10}, {10, 5, 10}, {9, 5, 9}, {6, 5, 6}, {5, 5, 5}, {4, 4, 4}, {1, 1, 1}};
  for (const auto& c : kCases) {
    EntryWindow window = Window(5, 9);
    window.TruncateFrom(LogIndex(c.from));
    EXPECT_EQ(window.first(), LogIndex(c.first)) << c.from;
    EXPECT_EQ(window.end(), LogIndex(c.end)) << c.from;
    EXPECT_EQ(window.bytes(), 100 * (c.end - c.first)) << c.from;
    window.Append(EntryAt(c.end, 36, 2));
    EXPECT_EQ(window.At(LogIndex(c.end)).term, Term(2));
  }
}

TEST(EntryWindow, EvictsOnlyWhatNobodyNeeds) {
  const struct {
    uint64_t keep_from;
    size_t bytes_max;
    uint64_t first;
  } kCases[] = {{9, 500, 5}, {9, 499, 6}, {9, 250, 8}, {9, 0, 9},
                {7, 0, 7},   {5, 0, 5},   {3, 0, 5},   {99, 0, 10}};
  for (const auto& c : kCases) {
    EntryWindow window = Window(5, 9);
    window.EvictBefore(LogIndex(c.keep_from), c.bytes_max);
    EXPECT_EQ(window.first(), LogIndex(c.first)) << c.keep_from << " " << c.bytes_max;
    EXPECT_EQ(window.end(), LogIndex(10));
  }
}

TEST(EntryWindowDeathTest, StaysContiguous) {
  EntryWindow window = Window(5, 9);
  EXPECT_DEATH(window.Append(EntryAt(11)), "contiguous");
  EXPECT_DEATH(window.At(LogIndex(4)), "is not in");
  EXPECT_DEATH(window.At(LogIndex(10)), "is not in");
}

}  // namespace
}  // namespace pontoon::raft
