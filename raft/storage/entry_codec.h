// How one entry lies in a frame of the log (frame version 1). All integers are little-endian.
//
//   offset  bytes
//        0      8  index
//        8      8  term
//       16      8  origin of the request
//       24      8  sequence of the request
//       32      4  length of the payload
//       36      1  kind
//       37      3  zero
//       40         the payload

#ifndef PONTOON_RAFT_STORAGE_ENTRY_CODEC_H_
#define PONTOON_RAFT_STORAGE_ENTRY_CODEC_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/base/types.h"

namespace pontoon::raft {

inline constexpr size_t kEntryHeaderBytes = 40;

// An entry whose payload lies in somebody else's buffer.
struct EntryView {
  LogIndex index;
  Term term;
  EntryKind kind = EntryKind::kNoOp;
  RequestId request;
  absl::string_view payload;

  Entry ToEntry() const;
};

// The bytes that EncodeEntry appends.
size_t EncodedEntryBytes(const Entry& entry);

void EncodeEntry(const Entry& entry, std::string* out);

// Decodes the entry at the front of `input`, and removes it from there. DATA_LOSS if a field is out
// of its range or the payload longer than the input; `input` is unchanged then. The view refers to
// the bytes of `input`.
absl::StatusOr<EntryView> DecodeEntry(absl::string_view* input);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_ENTRY_CODEC_H_
