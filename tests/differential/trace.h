// Trace: all that a server answered to a program.

#ifndef PONTOON_TESTS_DIFFERENTIAL_TRACE_H_
#define PONTOON_TESTS_DIFFERENTIAL_TRACE_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pontoon::differential {

using Messages = std::vector<std::unique_ptr<google::protobuf::Message>>;

// How a call ended, and what came before. A call that is not a stream has one message if it
// succeeded, and none if not.
struct Reply {
  grpc::Status status;
  Messages messages;
};

// Names a watcher of a program: its stream, and its id there. Several may have had one id, one
// after the other.
using WatcherName = std::pair<int, int64_t>;

// What a watcher was told: its events, one message each, and its end if a compaction ended it.
struct WatcherTrace {
  size_t created_by = 0;  // the number of the call
  Messages messages;
};

struct Trace {
  // One for each call, in their order. Shorter only if the server failed.
  std::vector<Reply> replies;
  std::map<WatcherName, WatcherTrace> watchers;
  // Not empty: the server is dead, or does not do at all what was waited for. In words.
  std::string failure;
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_TRACE_H_
