#include "kv/client/watch_stream.h"

#include <utility>

namespace pontoon {
namespace {

using etcdserverpb::WatchCreateRequest;

// Asks the server to end the stream when it has no leader: otherwise a member that is cut off from
// the others would be silent for ever (etcd's WithRequireLeader).
constexpr char kRequireLeaderKey[] = "hasleader";

}  // namespace

std::shared_ptr<WatchStream> WatchStream::Open(ClientCore* core, const std::string& address,
                                               const std::string& token,
                                               const WatchCreateRequest& create,
                                               Listener listener) {
  std::shared_ptr<WatchStream> stream(
      new WatchStream(core, core->StubsOf(address), std::move(listener)));
  stream->self_ = stream;
  stream->context_.AddMetadata(kRequireLeaderKey, "true");
  if (!token.empty()) stream->context_.AddMetadata("token", token);
  *stream->request_.mutable_create_request() = create;
  core->OnCallBegun();
  stream->stubs_->watch().Watch(&stream->context_, stream.get());
  // Reads are started by the loop, and not by reactions: this keeps the stream until the last one.
  stream->AddHold();
  stream->StartWrite(&stream->request_);
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

WatchStream::WatchStream(ClientCore* core, std::shared_ptr<MemberStubs> stubs, Listener listener)
    : core_(core), loop_(core->loop()), stubs_(std::move(stubs)), listener_(std::move(listener)) {}

void WatchStream::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
}

void WatchStream::OnReadDone(bool ok) {
  loop_->Post([stream = shared_from_this(), ok] { stream->OnRead(ok); });
}

void WatchStream::OnRead(bool ok) {
  if (ok && !cancelled_) listener_.on_response(&response_);
  if (!ok || cancelled_) return RemoveHold();
  response_.Clear();
  StartRead(&response_);
}

void WatchStream::OnDone(const grpc::Status& status) {
  const std::shared_ptr<EventLoop> loop = loop_;
  loop->Post([stream = std::move(self_), status] {
    const Listener listener = std::exchange(stream->listener_, {});
    listener.on_over(status);
    stream->core_->OnCallEnded();
  });
}

}  // namespace pontoon
