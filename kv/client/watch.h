// Watch: the changes of a range of keys, in order, whatever happens to members.

#ifndef PONTOON_KV_CLIENT_WATCH_H_
#define PONTOON_KV_CLIENT_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "kv/client/client.h"
#include "proto/rpc.pb.h"

namespace pontoon {

// How a watch ends by itself.
struct WatchEnd {
  // OUT_OF_RANGE, kErrCompacted: the history from `next_revision` on is not kept any more;
  // CANCELLED: the client is gone; else why the servers refuse it.
  absl::Status status;
  int64_t next_revision = 0;   // the first that was not told
  int64_t first_revision = 0;  // only if compacted: the first that can be watched
};

// Watches at one member, and goes on at another one when the connection is lost, the member loses
// its leader, gives no sign of life for nine seconds, or takes longer than
// ClientOptions::attempt_timeout to accept the watch: after the last revision that was told. No
// event is missing, none is told twice, and the events of a revision are told together.
//
// If the history is compacted while no member can be reached, events would be missing; then it
// ends, and says so. Whoever mirrors a range reads it again at first_revision or later, and watches
// on.
//
// Thread safety: may be made and destroyed on any thread, also in its own callbacks. These are
// called on the client's thread, and not any more when the destructor has returned.
class Watch {
 public:
  struct Handlers {
    // At least one event. The next ones wait until this returns.
    std::function<void(const std::vector<mvccpb::Event>& events)> on_events;
    // Everything up to `revision` has been told. Comes when it was quiet for long.
    std::function<void(int64_t revision)> on_progress = nullptr;
    // The watch was accepted by a member, the first or another one: from now on it is at work.
    std::function<void()> on_watching = nullptr;
    // Nothing follows.
    std::function<void(const WatchEnd& end)> on_end = nullptr;
  };

  // In `request`, start_revision 0 means what comes from now on; `progress_notify`, `fragment` and
  // `watch_id` are set here. ForPrefix (key_prefix.h) makes one of a prefix.
  Watch(Client* client, etcdserverpb::WatchCreateRequest request, Handlers handlers);
  ~Watch();

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  class Watching;

  const std::shared_ptr<Watching> watching_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_WATCH_H_
