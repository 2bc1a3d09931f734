// WatchStream: one stream of responses to one watch, at one member.

#ifndef PONTOON_KV_CLIENT_WATCH_STREAM_H_
#define PONTOON_KV_CLIENT_WATCH_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "kv/client/client_core.h"
#include "proto/rpc.pb.h"

namespace pontoon {

// The next response is read when the listener is done with the one before.
//
// For the loop, on which the listener is called; gRPC calls the reactions.
class WatchStream final
    : public grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>,
      public std::enable_shared_from_this<WatchStream> {
 public:
  struct Listener {
    std::function<void(etcdserverpb::WatchResponse*)> on_response;
    // Nothing follows, and the stream forgets its listener. OK: the server ended it.
    std::function<void(const grpc::Status&)> on_over;
  };

  static std::shared_ptr<WatchStream> Open(ClientCore* core, const std::string& address,
                                           const std::string& token,
                                           const etcdserverpb::WatchCreateRequest& create,
                                           Listener listener);

  // on_over follows, soon.
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  WatchStream(ClientCore* core, std::shared_ptr<MemberStubs> stubs, Listener listener);

  void OnRead(bool ok);

  ClientCore* const core_;
  const std::shared_ptr<EventLoop> loop_;
  const std::shared_ptr<MemberStubs> stubs_;
  Listener listener_;
  grpc::ClientContext context_;
  etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse response_;
  bool cancelled_ = false;
  std::shared_ptr<WatchStream> self_;  // while gRPC has it
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_WATCH_STREAM_H_
