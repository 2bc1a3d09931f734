#include "kv/watch/watcher_index.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

const std::string kOpen(1, '\0');

std::unique_ptr<Watcher> Make(int64_t id, std::string key, std::string range_end = "") {
  auto watcher = std::make_unique<Watcher>();
  watcher->id = id;
  watcher->key = std::move(key);
  watcher->range_end = std::move(range_end);
  return watcher;
}

// "1 2": the ids of a key's watchers, sorted.
std::string Of(const WatcherIndex& index, const std::string& key) {
  std::vector<int64_t> ids;
  index.ForEachOf(key, [&ids](Watcher* watcher) { ids.push_back(watcher->id); });
  std::sort(ids.begin(), ids.end());
  return absl::StrJoin(ids, " ");
}

TEST(WatcherIndex, FindsKeysRangesAndWhatHasNoEnd) {
  WatcherIndex index;
  const auto key = Make(1, "b"), same_key = Make(2, "b"), range = Make(3, "a", "c"),
             open = Make(4, "b", kOpen), all = Make(5, kOpen, kOpen), other = Make(6, "bb", "bc");
  for (Watcher* watcher :
       {key.get(), same_key.get(), range.get(), open.get(), all.get(), other.get()}) {
    index.Add(watcher);
  }
  EXPECT_EQ(Of(index, "a"), "3 5");
  EXPECT_EQ(Of(index, "b"), "1 2 3 4 5");
  EXPECT_EQ(Of(index, "bb"), "3 4 5 6");
  EXPECT_EQ(Of(index, "bbz"), "3 4 5 6");
  EXPECT_EQ(Of(index, "c"), "4 5");
  EXPECT_EQ(Of(index, ""), "");
  index.Remove(key.get());  // the other one of the same key stays
  index.Remove(range.get());
  EXPECT_EQ(Of(index, "b"), "2 4 5");
  index.Remove(same_key.get());
  EXPECT_EQ(Of(index, "b"), "4 5");
  index.Add(key.get());
  EXPECT_EQ(Of(index, "b"), "1 4 5");
}

// Against the definition, with few letters, so that ranges overlap, nest and coincide.
TEST(WatcherIndex, AgreesWithALookAtEachWatcher) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    const auto word = [&prng] {
      std::string text;
      for (uint64_t n = prng.Below(3) + 1; n > 0; --n) {
        text.push_back(static_cast<char>('a' + prng.Below(3)));
      }
      return text;
    };
    WatcherIndex index;
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (int64_t step = 0; step < 400; ++step) {
      if (!watchers.empty() && prng.Below(3) == 0) {
        const size_t which = prng.Below(watchers.size());
        index.Remove(watchers[which].get());
        watchers.erase(watchers.begin() + static_cast<ptrdiff_t>(which));
      } else {
        const uint64_t kind = prng.Below(4);
        watchers.push_back(Make(step, word(), kind == 0 ? "" : kind == 1 ? kOpen : word()));
        index.Add(watchers.back().get());
      }
      const std::string key = word();
      std::vector<int64_t> expected;
      for (const auto& watcher : watchers) {
        const KeyRange range = watcher->Range();
        if (key >= range.begin() && !range.IsPast(key)) expected.push_back(watcher->id);
      }
      ASSERT_EQ(Of(index, key), absl::StrJoin(expected, " ")) << "seed " << seed << ", " << key;
    }
  }
}

}  // namespace
}  // namespace pontoon::kv
