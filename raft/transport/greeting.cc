#include "raft/transport/greeting.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/peer.pb.h"
#include "raft/base/membership.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;

// Rises with each field of a command that a member of the version before does not know: it would
// apply the entry as if the field were not there. (So the meaning of what is in a log already must
// never change: no version of the protocol keeps old entries apart.)
constexpr uint32_t kProtocolVersion = 2;

wire::StreamKind ToWire(StreamKind kind) {
  return kind == StreamKind::kBulk ? wire::BULK : wire::CONTROL;
}

}  // namespace

void WriteGreeting(const Identity& self, NodeId to, StreamKind kind, wire::Envelope* envelope) {
  wire::Hello* hello = envelope->mutable_hello();
  hello->set_protocol_version(kProtocolVersion);
  hello->set_cluster_id(self.cluster_id);
  hello->set_from_member_id(self.member.value());
  hello->set_to_member_id(to.value());
  hello->set_incarnation(self.incarnation);
  hello->set_kind(ToWire(kind));
  hello->set_data_incarnation(self.data_incarnation);
}

void WriteWhereabouts(const Whereabouts& whereabouts, wire::Envelope* greeting) {
  wire::Hello* hello = greeting->mutable_hello();
  hello->set_peer_url(whereabouts.url);
  hello->set_membership_index(whereabouts.index.value());
  hello->set_log_index(whereabouts.log_end.index.value());
  hello->set_log_term(whereabouts.log_end.term.value());
}

absl::StatusOr<Greeting> ReadGreeting(const Identity& self, const wire::Envelope& envelope) {
  if (!envelope.has_hello() || envelope.messages_size() > 0) {
    return absl::InvalidArgumentError("a stream must begin with a greeting, alone");
  }
  const wire::Hello& hello = envelope.hello();
  if (hello.protocol_version() != kProtocolVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("this member speaks version ", kProtocolVersion, " of the peer protocol, not ",
                     hello.protocol_version()));
  }
  if (hello.cluster_id() != self.cluster_id) {
    return absl::FailedPreconditionError(
        absl::StrCat("this is cluster ", absl::Hex(self.cluster_id, absl::kZeroPad16), ", not ",
                     absl::Hex(hello.cluster_id(), absl::kZeroPad16)));
  }
  if (hello.to_member_id() != self.member.value()) {
    return absl::FailedPreconditionError(absl::StrCat("this is member ", FormatNodeId(self.member),
                                                      ", not ",
                                                      FormatNodeId(NodeId(hello.to_member_id()))));
  }
  if (hello.peer_url().size() > kPeerUrlBytesMax) {
    return absl::InvalidArgumentError("the address in the greeting is too long");
  }
  Greeting greeting{NodeId(hello.from_member_id()),
                    hello.incarnation(),
                    StreamKind::kControl,
                    hello.data_incarnation(),
                    {.url = hello.peer_url(),
                     .index = LogIndex(hello.membership_index()),
                     .log_end = {LogIndex(hello.log_index()), Term(hello.log_term())}}};
  switch (hello.kind()) {
    case wire::CONTROL:
      return greeting;
    case wire::BULK:
      greeting.kind = StreamKind::kBulk;
      return greeting;
    default:
      return absl::InvalidArgumentError("a stream of an unknown kind");
  }
}

}  // namespace pontoon::raft
