// Watchers: the watches of a program on one server, made such that what they are told does not
// depend on who is how fast.

#ifndef PONTOON_TESTS_DIFFERENTIAL_WATCHERS_H_
#define PONTOON_TESTS_DIFFERENTIAL_WATCHERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/differential/trace.h"
#include "tests/differential/watch_stream.h"

namespace pontoon::differential {

// These rules make the outcome certain:
// - A call returns when the server has answered it. Where an answer may be none, a watcher that is
//   created and canceled behind it shows that it was passed (a fence).
// - Before anything that cuts a watcher's history off (a compaction, its cancellation, the end) all
//   watchers catch up: the first key of each is put and deleted, and the watcher waited for.
// - A watcher that begins before the compacted revision is waited for until it is told so.
// - A deletion at the compacted revision itself is not looked at: etcd 3.4 drops it after a while,
//   and keeps it from 3.5.17 on.
// The number of responses that the events come in is the server's affair, and so are the revisions
// of their headers; but none may be less than that of an event below it.
//
// An error is a server that does not do what is waited for.
//
// Thread safety: one thread at a time.
class Watchers {
 public:
  Watchers(etcdserverpb::Watch::Stub* watch, etcdserverpb::KV::Stub* kv) : watch_(watch), kv_(kv) {}

  // Makes the call number `number` of the program, a request without symbols. `compacted` is the
  // server's compacted revision.
  absl::StatusOr<Reply> Make(size_t number, int stream, const etcdserverpb::WatchRequest& request,
                             int64_t compacted);

  // Waits until all watchers have been told of everything up to now. Two changes of the state, if
  // there are watchers at all.
  absl::Status CatchUp();

  // What the watchers were told so far.
  std::map<WatcherName, WatcherTrace> TakeTraces() { return std::move(traces_); }

 private:
  struct Watcher {
    etcdserverpb::WatchCreateRequest request;
    int64_t compacted = 0;  // the compacted revision when it was created
    int64_t seen = 0;       // the revision of the last event
    bool ended = false;
  };
  // What a stream said that was not for one watcher, since the call began.
  struct Stream {
    std::unique_ptr<WatchStream> stream;
    std::vector<etcdserverpb::WatchResponse> control;
  };

  absl::StatusOr<Reply> Create(size_t number, int stream,
                               const etcdserverpb::WatchCreateRequest& request, int64_t compacted);
  absl::StatusOr<Reply> Cancel(int stream, const etcdserverpb::WatchRequest& request);
  absl::StatusOr<Reply> AskForProgress(int stream, const etcdserverpb::WatchRequest& request);

  Stream& Open(int stream);
  // Whether every watcher of a stream is one that CatchUp has waited for; there is at least one.
  bool AllAreCaughtUp(int stream) const;
  // Takes responses of `stream` until `done` holds, which is looked at after each.
  template <typename Done>
  absl::Status TakeUntil(int stream, const std::string& what, Done done);
  absl::Status Fence(int stream);
  void Take(int stream, const etcdserverpb::WatchResponse& response);
  // What was said since the call began, as its reply.
  Reply TakeReply(int stream);

  absl::StatusOr<int64_t> WriteAll(const std::vector<std::string>& keys, bool put);

  etcdserverpb::Watch::Stub* const watch_;
  etcdserverpb::KV::Stub* const kv_;
  std::map<int, Stream> streams_;
  std::map<WatcherName, Watcher> watchers_;
  std::map<WatcherName, WatcherTrace> traces_;
  int64_t fences_ = 0;
  int64_t caught_up_ = 0;  // the revision that CatchUp waited for last
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_WATCHERS_H_
