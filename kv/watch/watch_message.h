// The messages of a watch, as bytes.
//
// One event may go to ten thousand watchers. So it is written once, and each message is put
// together from slices that all of them share, and a few bytes of its own.

#ifndef PONTOON_KV_WATCH_WATCH_MESSAGE_H_
#define PONTOON_KV_WATCH_WATCH_MESSAGE_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kv/store/layout.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// A key with what it held.
struct KeyContent {
  std::string_view key;
  KeyState state;
};

// The field of a WatchResponse that holds one event. Of a deletion only key and mod_revision are
// told, as in etcd.
grpc::Slice EncodeEventField(const Event& event, const std::optional<KeyContent>& previous);
// The field that holds the header.
grpc::Slice EncodeHeaderField(const etcdserverpb::ResponseHeader& header);

// A WatchResponse of the watcher `watch_id` with events, which are fields as above.
grpc::ByteBuffer MakeEventsMessage(const grpc::Slice& header, int64_t watch_id, bool fragment,
                                   std::span<const grpc::Slice> events);
// Any other one.
grpc::ByteBuffer MakeMessage(const etcdserverpb::WatchResponse& response);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCH_MESSAGE_H_
