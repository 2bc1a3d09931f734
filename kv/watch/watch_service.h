// WatchService: etcd's Watch service.

#ifndef PONTOON_KV_WATCH_WATCH_SERVICE_H_
#define PONTOON_KV_WATCH_WATCH_SERVICE_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstddef>

#include "kv/service/member.h"
#include "kv/watch/watch_hub.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {

struct WatchServiceOptions {
  // What waits for a client that is slow; the rest waits as history.
  size_t stream_bytes_max = 512 << 10;
  // The same for all clients together. Beyond it each has one message.
  size_t total_bytes_max = 128 << 20;
};

// Streams between clients and a hub.
//
// Thread safety: as gRPC needs it.
class WatchService final
    : public etcdserverpb::Watch::WithRawCallbackMethod_Watch<etcdserverpb::Watch::Service> {
 public:
  // Both are borrowed, and must outlive the server that the service is registered with.
  WatchService(const Member* member, WatchHub* hub, const WatchServiceOptions& options = {})
      : member_(member), hub_(hub), options_(options) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(
      grpc::CallbackServerContext* call) override;

 private:
  class Stream;

  const Member* const member_;
  WatchHub* const hub_;
  const WatchServiceOptions options_;
  std::atomic<size_t> queued_bytes_ = 0;  // of all streams
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCH_SERVICE_H_
