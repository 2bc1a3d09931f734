// RecordingOutlet: an outlet for tests, which keeps what it is given as text.

#ifndef PONTOON_KV_WATCH_RECORDING_OUTLET_H_
#define PONTOON_KV_WATCH_RECORDING_OUTLET_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "kv/watch/watch_hub.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// Of a message: "0 created @5", "0 @7: a=1 b=2(was 1) -c", "0 canceled", "0 canceled compacted 5",
// "progress @9". A put is KEY=VALUE, a deletion -KEY, with the revision in front where it is not
// that of the event before: "6:a=1".
//
// Thread safety: none.
class RecordingOutlet final : public WatchOutlet {
 public:
  // Has room for so many messages.
  explicit RecordingOutlet(size_t room = 1000000) : room_(room) {}

  Room Send(grpc::ByteBuffer message) override;
  void OnRequestDone() override { ++requests_done_; }
  void End(const absl::Status& reason) override { ended_ = reason; }

  // What came since the last call.
  std::vector<std::string> Take();
  // The same, whole.
  std::vector<etcdserverpb::WatchResponse> TakeResponses();

  size_t waiting() const { return responses_.size(); }
  int requests_done() const { return requests_done_; }
  const absl::Status& ended() const { return ended_; }
  void SetRoom(size_t room) { room_ = room; }

 private:
  size_t room_;
  std::vector<etcdserverpb::WatchResponse> responses_;
  int requests_done_ = 0;
  absl::Status ended_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_RECORDING_OUTLET_H_
