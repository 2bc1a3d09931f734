#include "raft/storage/entry_codec.h"

#include <cstdint>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/storage/little_endian.h"

namespace pontoon::raft {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

// Indexes and terms count from 1; the last value is kept free, so that stepping by one never wraps.
bool IsCounter(uint64_t value) { return value != 0 && value != kMax; }

absl::Status Damaged(absl::string_view what, uint64_t value) {
  return absl::DataLossError(absl::StrCat("entry with ", what, " ", value));
}

}  // namespace

Entry EntryView::ToEntry() const {
  Entry entry{.index = index, .term = term, .kind = kind, .request = request, .payload = nullptr};
  if (kind != EntryKind::kNoOp) {
    entry.payload = std::make_shared<const std::string>(payload.data(), payload.size());
  }
  return entry;
}

size_t EncodedEntryBytes(const Entry& entry) {
  return kEntryHeaderBytes + (entry.payload ? entry.payload->size() : 0);
}

void EncodeEntry(const Entry& entry, std::string* out) {
  const absl::string_view payload = entry.payload ? *entry.payload : absl::string_view();
  CHECK(IsCounter(entry.index.value())) << entry.index;
  CHECK(IsCounter(entry.term.value())) << entry.term;
  CHECK(entry.kind != EntryKind::kNoOp || payload.empty()) << entry.index;
  CHECK(entry.kind != EntryKind::kMembership || !payload.empty()) << entry.index;
  CHECK_LE(payload.size(), std::numeric_limits<uint32_t>::max()) << entry.index;
  AppendLittleEndian(entry.index.value(), out);
  AppendLittleEndian(entry.term.value(), out);
  AppendLittleEndian(entry.request.origin.value(), out);
  AppendLittleEndian(entry.request.sequence, out);
  AppendLittleEndian(static_cast<uint32_t>(payload.size()), out);
  AppendLittleEndian(static_cast<uint8_t>(entry.kind), out);
  out->append(3, '\0');
  out->append(payload.data(), payload.size());
}

absl::StatusOr<EntryView> DecodeEntry(absl::string_view* input) {
  if (input->size() < kEntryHeaderBytes) return Damaged("only so many bytes left:", input->size());
  const uint64_t index = LoadLittleEndian<uint64_t>(*input, 0);
  const uint64_t term = LoadLittleEndian<uint64_t>(*input, 8);
  const uint64_t origin = LoadLittleEndian<uint64_t>(*input, 16);
  const uint64_t sequence = LoadLittleEndian<uint64_t>(*input, 24);
  const uint32_t length = LoadLittleEndian<uint32_t>(*input, 32);
  // The kind and the zeros behind it in one.
  const uint32_t kind = LoadLittleEndian<uint32_t>(*input, 36);
  if (!IsCounter(index)) return Damaged("index", index);
  if (!IsCounter(term)) return Damaged("term", term);
  if (length > input->size() - kEntryHeaderBytes) return Damaged("payload length", length);
  if (kind > static_cast<uint32_t>(EntryKind::kMembership)) return Damaged("kind", kind);
  if (static_cast<EntryKind>(kind) == EntryKind::kNoOp && length != 0) {
    return Damaged("nothing in it but payload length", length);
  }
  if (static_cast<EntryKind>(kind) == EntryKind::kMembership && length == 0) {
    return Damaged("a membership of payload length", length);
  }
  const EntryView view{.index = LogIndex(index),
                       .term = Term(term),
                       .kind = static_cast<EntryKind>(kind),
                       .request = {.origin = NodeId(origin), .sequence = sequence},
                       .payload = input->substr(kEntryHeaderBytes, length)};
  input->remove_prefix(kEntryHeaderBytes + length);
  return view;
}

}  // namespace pontoon::raft
