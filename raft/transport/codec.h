// Codec: the core's messages to protobuf and back.
//
// What arrives may come from a damaged or hostile peer, or from a version of ours with a fault. So
// decoding is total: any bytes that parse as an Envelope give either messages whose fields are
// within their ranges, or an error; never a crash, and no memory beyond a small multiple of the
// envelope. Whether a message makes sense in the receiver's present state is for the core to judge.

#ifndef PONTOON_RAFT_TRANSPORT_CODEC_H_
#define PONTOON_RAFT_TRANSPORT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::peer::v1 {
class Envelope;
}  // namespace pontoon::peer::v1

namespace pontoon::raft {

// Terms, indexes and rounds count single events and begin near 0: beyond this, one is no honest
// count. The bound leaves room for every calculation that the core makes with them.
inline constexpr uint64_t kCounterMax = (uint64_t{1} << 62) - 1;

// The most messages in one envelope.
inline constexpr size_t kEnvelopeMessagesMax = 16384;

// The most bytes in one envelope; the streams refuse larger ones before they are parsed.
inline constexpr size_t kEnvelopeBytesMax = 64 << 20;

// The most bytes of a command. Leaves room for the rest of the envelope that carries it alone.
inline constexpr size_t kPayloadBytesMax = 32 << 20;

// The most changes of membership that are asked for together, and the most addresses in one.
inline constexpr size_t kChangePartsMax = 1024;

// What a stream is opened for; see StreamKind in proto/peer.proto.
enum class StreamKind { kControl, kBulk };

const char* StreamKindName(StreamKind kind);

// The stream on which `message` travels.
StreamKind StreamKindOf(const Message& message);

// About how many bytes `message` takes, in memory or on the wire; never far below the truth.
size_t EstimateBytes(const Message& message);

// Appends `message` to `envelope`. Sender and receiver are not part of it: the stream implies them.
void EncodeMessage(const Message& message, peer::v1::Envelope* envelope);

// The two ends of the stream from which an envelope came.
struct StreamEnds {
  NodeId from;
  NodeId to;
};

// The messages of `envelope`, whose payloads are moved out of it. INVALID_ARGUMENT says what is
// wrong.
absl::StatusOr<std::vector<Message>> DecodeEnvelope(StreamEnds ends, peer::v1::Envelope* envelope);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_CODEC_H_
