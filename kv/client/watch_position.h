// WatchPosition: what a watch has had, and so where it goes on at another member.

#ifndef PONTOON_KV_CLIENT_WATCH_POSITION_H_
#define PONTOON_KV_CLIENT_WATCH_POSITION_H_

#include <cstdint>
#include <string>

#include "proto/rpc.pb.h"

namespace pontoon {

// What a response means for the watch.
enum class WatchNews {
  kEvents,    // there are some that were not had before
  kProgress,  // nothing happened up to the position
  kNothing,   // to tell
  kLost,      // this member is of no use now; another one may be
  kTokenStale,
  kCompacted,  // what comes next is not kept any more
  kRefused,    // for good
};

// Pure.
class WatchPosition {
 public:
  // 0: what comes after the watch is accepted.
  explicit WatchPosition(int64_t start_revision) : next_(start_revision) {}

  // Reads a response, and takes out of it what was had before.
  WatchNews Take(etcdserverpb::WatchResponse* response);

  // The first revision that was not had yet; 0: not known, since no member has accepted the watch.
  int64_t next_revision() const { return next_; }

 private:
  int64_t next_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_WATCH_POSITION_H_
