// WatcherIndex: finds the watchers of a key.

#ifndef PONTOON_KV_WATCH_WATCHER_INDEX_H_
#define PONTOON_KV_WATCH_WATCHER_INDEX_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "kv/watch/watcher.h"

namespace pontoon::kv {

// Watchers of single keys are found by hash. Those of ranges are in an interval tree: ordered by
// where the range begins, balanced as a treap (Seidel and Aragon, "Randomized Search Trees", 1996),
// with the farthest end below each node, so that the ranges that contain a key are found in
// logarithmic time and one step for each. Watchers of the same range hang on one node.
//
// Thread safety: none.
class WatcherIndex {
 public:
  WatcherIndex();
  ~WatcherIndex();

  WatcherIndex(const WatcherIndex&) = delete;
  WatcherIndex& operator=(const WatcherIndex&) = delete;

  // Borrows `watcher`, which must be in no other index, until Remove.
  void Add(Watcher* watcher);
  void Remove(Watcher* watcher);

  // Calls `visit` with every watcher of `key`. It must not change the index.
  void ForEachOf(std::string_view key, absl::FunctionRef<void(Watcher*)> visit) const;

 private:
  class RangeTree;

  // By key; the first of a list. The keys are those of the first watcher.
  absl::flat_hash_map<std::string_view, Watcher*> single_;
  const std::unique_ptr<RangeTree> ranges_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCHER_INDEX_H_
