// WatchStream: one stream of watches, whose responses can be waited for.

#ifndef PONTOON_TESTS_DIFFERENTIAL_WATCH_STREAM_H_
#define PONTOON_TESTS_DIFFERENTIAL_WATCH_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::differential {

// A thread of the object's own reads what the server sends.
//
// Thread safety: one thread at a time.
class WatchStream {
 public:
  // The longest that a server may take for anything, on a busy machine.
  static constexpr absl::Duration kPatience = absl::Seconds(20);

  // Opens a stream. A server that offers no watches ends it.
  explicit WatchStream(etcdserverpb::Watch::Stub* stub);

  // Cancels the stream.
  ~WatchStream();
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // Without effect if the stream has ended.
  void Send(const etcdserverpb::WatchRequest& request) { stream_->Write(request); }

  enum class Result { kFound, kEnded, kNothingCame };

  // Hands out the responses in the order in which they came, each once over all calls, up to the
  // one for which `take` returns true. Waits for them until the stream ends, or until nothing has
  // come for kPatience.
  Result TakeUntil(const std::function<bool(const etcdserverpb::WatchResponse&)>& take);

  // How the server ended the stream, after kEnded.
  grpc::Status EndStatus();

 private:
  void Read();

  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>>
      stream_;
  absl::Mutex mutex_;
  std::deque<etcdserverpb::WatchResponse> arrived_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status end_status_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;  // the last member: it uses all others
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_WATCH_STREAM_H_
