// The format of the log's files: pure functions from and to bytes. All integers are little-endian.
//
// A segment is a file named after its sequence number and its first index, in hexadecimal,
// `0000000000000003-00000000000001f4.log`. It holds a header, frames, and zeros up to its
// preallocated size. The header:
//
//   offset  bytes
//        0      8  magic: "PONTLOG\n"
//        8      4  format version: 1
//       12      4  CRC-32C of the header's other bytes
//       16      8  sequence
//       24      8  index of the entry before the first one
//       32      8  term of that entry
//       40      1  0: continues the segments of lower sequence; 1: voids them
//       41     23  zero
//
// A frame, at a multiple of 8, holds the entries of one write:
//
//   offset  bytes
//        0      4  CRC-32C of {sequence of the segment, offset of the frame} and header bytes 4..31
//        4      4  CRC-32C of the payload and its padding
//        8      8  index of the first entry
//       16      4  length of the payload, without padding
//       20      4  number of entries
//       24      1  frame version: 1
//       25      7  zero
//       32         the payload: entries (entry_codec.h), then zeros up to a multiple of 8
//
// The checksum binds a frame to its place. So no bytes that a client stored, be they the image of a
// log file, are ever taken for a frame of this log.

#ifndef PONTOON_RAFT_STORAGE_LOG_FORMAT_H_
#define PONTOON_RAFT_STORAGE_LOG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/base/types.h"
#include "raft/storage/entry_codec.h"

namespace pontoon::raft {

inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kFrameHeaderBytes = 32;
inline constexpr size_t kFrameAlignment = 8;

// What a segment is to those of lower sequence.
enum class SegmentStart : uint8_t {
  kContinues = 0,  // replaces their entries from its own first index on
  kBegins = 1,     // replaces all of them: the log begins here
};

struct SegmentHeader {
  uint64_t sequence = 0;
  LogPosition previous;  // of the entry before the first one
  SegmentStart start = SegmentStart::kContinues;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

std::string SegmentFileName(const SegmentHeader& header);
bool IsSegmentFileName(absl::string_view name);

std::string EncodeSegmentHeader(const SegmentHeader& header);
// `bytes` is the segment. DATA_LOSS if it does not begin with a valid header.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view bytes);

// Where a frame lies.
struct FramePlace {
  uint64_t sequence = 0;  // of the segment
  uint64_t offset = 0;    // in bytes, from the segment's begin
};

struct FrameHeader {
  uint32_t payload_crc = 0;
  LogIndex first;
  uint32_t payload_bytes = 0;
  uint32_t entry_count = 0;
  uint8_t version = 0;

  LogIndex last() const { return first + (entry_count - 1); }
  // Of the whole frame with its padding.
  uint64_t FrameBytes() const;
};

struct Frame {
  FrameHeader header;
  absl::string_view payload;
};

// The size of a frame with entries of together `payload_bytes`.
uint64_t FrameBytesFor(uint64_t payload_bytes);

// Appends a frame of `entries`, which are contiguous and at least one, and returns its header.
FrameHeader EncodeFrame(const FramePlace& place, std::span<const Entry* const> entries,
                        std::string* out);

// The header at the front of `bytes`, if its checksum says that a frame begins at `place`.
std::optional<FrameHeader> DecodeFrameHeader(const FramePlace& place, absl::string_view bytes);

// The frame at the front of `bytes`, which may go on after it. DATA_LOSS, with the reason in a few
// words, if there is no valid one.
absl::StatusOr<Frame> DecodeFrame(const FramePlace& place, absl::string_view bytes);

// Calls `visit` with the frame's entries in order. DATA_LOSS if they are not what the frame's
// header promises, which a valid checksum makes a bug and not a broken disk.
absl::Status ForEachEntry(const Frame& frame, absl::FunctionRef<void(const EntryView&)> visit);

// Whether `bytes` is all zeros: space that was reserved and not written.
bool IsZero(absl::string_view bytes);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_LOG_FORMAT_H_
