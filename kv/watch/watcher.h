// Watcher: one wish to hear of changes, as the hub keeps it.

#ifndef PONTOON_KV_WATCH_WATCHER_H_
#define PONTOON_KV_WATCH_WATCHER_H_

#include <cstdint>
#include <limits>
#include <string>

#include "kv/store/key_range.h"
#include "kv/store/revision.h"

namespace pontoon::kv {

struct WatchStream;

// There are a hundred thousand of them, nearly all idle: it is small.
//
// Thread safety: none; belongs to its hub.
struct Watcher {
  enum class State : uint8_t {
    kSynced,  // hears of every step as it comes
    kBehind,  // reads the history
    kHeld,    // would, but its stream has no room
  };

  KeyRange Range() const { return KeyRange::FromRequest(key, range_end); }

  WatchStream* stream = nullptr;
  int64_t id = 0;       // on the stream
  uint64_t serial = 0;  // among all
  std::string key;
  std::string range_end;  // as in a RangeRequest
  // What comes before was sent, or was not wanted. Of one that is synced it can be a revision that
  // is yet to come, or one long past: all since was looked at.
  Revision next;

  State state = State::kSynced;
  bool wants_previous = false;
  bool wants_puts = true;
  bool wants_deletions = true;
  bool wants_progress = false;
  bool takes_fragments = false;
  bool heard_since_tick = false;

  static constexpr uint32_t kNoBatch = std::numeric_limits<uint32_t>::max();
  uint32_t batch = kNoBatch;  // of the distribution under way

  // Neighbours of the same range in a WatcherIndex.
  Watcher* previous_of_range = nullptr;
  Watcher* next_of_range = nullptr;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCHER_H_
