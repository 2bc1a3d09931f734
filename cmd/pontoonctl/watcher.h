// Watcher: the changes of a range of keys, one after the other, from server to server.

#ifndef PONTOON_CMD_PONTOONCTL_WATCHER_H_
#define PONTOON_CMD_PONTOONCTL_WATCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/server.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Watches at one of several endpoints. Where the connection is lost, or the server there loses its
// leader, it goes on at the next endpoint, after the last revision that it has handed out: no event
// is missing, none comes twice, and the events of a revision are never torn apart.
//
// Next is for one thread; Cancel is for any.
class Watcher {
 public:
  struct Options {
    // How long the first server may take to accept the watch. Once one has, others are tried for
    // as long as it takes.
    absl::Duration first_timeout;
    // Called by Next with the reason when it has to go on elsewhere.
    std::function<void(const std::string&)> on_interruption = [](const std::string&) {};
  };

  // How a watch ends.
  struct End {
    enum class Reason {
      kCancelled,
      // The next revision to report is compacted; `first_revision` is the first that can be had.
      kCompacted,
      // `message` says why.
      kFailed,
    };

    Reason reason = Reason::kCancelled;
    int64_t next_revision = 0;   // that was not handed out; 0: nothing was
    int64_t first_revision = 0;  // only if kCompacted
    std::string message = {};
  };

  // Its watch_id and fragment are not for the caller to set. There must be an endpoint.
  Watcher(const std::vector<Endpoint>& endpoints, etcdserverpb::WatchCreateRequest request,
          Options options);
  ~Watcher();

  // Waits for the next response with events, or without any: then all up to its header's revision
  // have been handed out (only if the request asks for progress_notify). False: there will be none,
  // see end().
  bool Next(etcdserverpb::WatchResponse* response);

  const End& end() const { return end_; }

  // Makes Next return false, soon.
  void Cancel();

 private:
  class Stream;

  // What a response means for the watch.
  enum class Meaning { kForCaller, kGoOn, kLost, kOver };

  // Opens a stream at the next server that can be connected to. False if the watch is over.
  bool Open();
  void Close();
  Meaning Digest(const etcdserverpb::WatchResponse& response);
  // The server at place_ is of no use now: `reply` says why. False if the watch is over.
  bool OnFailure(const Reply& reply);

  // False, at once, if the watch is cancelled.
  bool Pause();
  bool cancelled();
  bool EndWith(End::Reason reason, std::string message = {});

  const ServerList servers_;
  etcdserverpb::WatchCreateRequest request_;
  const Options options_;
  const Deadline first_deadline_;
  size_t place_ = 0;          // in servers_: to try next
  bool accepted_ = false;     // by any server so far
  bool is_watching_ = false;  // accepted by the present one
  absl::Duration pause_;
  size_t failed_ = 0;               // servers in a row, since one was of use
  bool reached_ = false;            // one was connected to
  std::unique_ptr<Stream> stream_;  // null: to be opened
  End end_;

  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of stream_
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_WATCHER_H_
