// The greeting at the beginning of a stream between two members, and what is checked in it.

#ifndef PONTOON_RAFT_TRANSPORT_GREETING_H_
#define PONTOON_RAFT_TRANSPORT_GREETING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/transport/codec.h"

namespace pontoon::peer::v1 {
class Envelope;
}  // namespace pontoon::peer::v1

namespace pontoon::raft {

// Who a member is, to its peers.
struct Identity {
  uint64_t cluster_id = 0;  // the same on all members, and on no other cluster
  NodeId member;
  uint64_t incarnation = 0;       // differs from one life of the process to the next
  uint64_t data_incarnation = 0;  // differs from one data folder of the member to the next
};

// Where a member is reached, by its own log. Of two logs the one that is more up to date knows it
// better, committed or not; what is known to be committed is compared with by `index`.
struct Whereabouts {
  std::string url;      // empty: not told
  LogIndex index;       // of the configuration that says so
  LogPosition log_end;  // at that time; the log may have grown within its last term

  friend bool operator==(const Whereabouts&, const Whereabouts&) = default;
};

// What a greeting said about the other side, once found right.
struct Greeting {
  NodeId from;
  uint64_t incarnation = 0;
  StreamKind kind = StreamKind::kControl;
  uint64_t data_incarnation = 0;
  Whereabouts whereabouts = {};
};

// Decides on a peer whose greeting was found right: OK, or why nothing may be taken from it. It may
// wait for the disk. Called from several threads.
using Admission = std::function<absl::Status(const Greeting&)>;

// The first envelope from `self` to `to`, in either direction of a stream for `kind`.
void WriteGreeting(const Identity& self, NodeId to, StreamKind kind, peer::v1::Envelope* envelope);

// Adds to a greeting where its sender is reached.
void WriteWhereabouts(const Whereabouts& whereabouts, peer::v1::Envelope* greeting);

// Reads the first envelope that came from the other side. FAILED_PRECONDITION if it comes from
// another cluster, is meant for another member or speaks another version of the protocol;
// INVALID_ARGUMENT if it is no greeting. Whether the sender is a known peer is for the caller to
// check.
absl::StatusOr<Greeting> ReadGreeting(const Identity& self, const peer::v1::Envelope& envelope);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_GREETING_H_
