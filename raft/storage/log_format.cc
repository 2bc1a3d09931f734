#include "raft/storage/log_format.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "raft/base/check.h"
#include "raft/env/crc32c.h"
#include "raft/storage/little_endian.h"

namespace pontoon::raft {
namespace {

constexpr absl::string_view kMagic = "PONTLOG\n";
constexpr uint32_t kFormatVersion = 1;
constexpr uint8_t kFrameVersion = 1;

constexpr size_t kNumberDigits = 16;
constexpr absl::string_view kSuffix = ".log";

uint64_t Padded(uint64_t bytes) {
  return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

// Of all bytes but the checksum itself. `header` is a whole segment header.
uint32_t SegmentHeaderCrc(absl::string_view header) {
  return ExtendCrc32c(Crc32c(header.substr(0, 12)), header.substr(16));
}

// `header` is a whole frame header.
uint32_t FrameHeaderCrc(const FramePlace& place, absl::string_view header) {
  std::string where;
  AppendLittleEndian(place.sequence, &where);
  AppendLittleEndian(place.offset, &where);
  return ExtendCrc32c(Crc32c(where), header.substr(4));
}

std::string EncodeFrameHeader(const FramePlace& place, const FrameHeader& header) {
  std::string bytes;
  AppendLittleEndian(uint32_t{0}, &bytes);  // the header's checksum
  AppendLittleEndian(header.payload_crc, &bytes);
  AppendLittleEndian(header.first.value(), &bytes);
  AppendLittleEndian(header.payload_bytes, &bytes);
  AppendLittleEndian(header.entry_count, &bytes);
  AppendLittleEndian(header.version, &bytes);
  bytes.resize(kFrameHeaderBytes, '\0');
  std::string crc;
  AppendLittleEndian(FrameHeaderCrc(place, bytes), &crc);
  return bytes.replace(0, crc.size(), crc);
}

}  // namespace

std::string SegmentFileName(const SegmentHeader& header) {
  return absl::StrFormat("%016x-%016x%s", header.sequence, header.previous.index.Next().value(),
                         kSuffix);
}

bool IsSegmentFileName(absl::string_view name) {
  if (name.size() != 2 * kNumberDigits + 1 + kSuffix.size() || !absl::EndsWith(name, kSuffix) ||
      name[kNumberDigits] != '-') {
    return false;
  }
  const auto is_digit = [](unsigned char c) { return std::isxdigit(c) && !std::isupper(c); };
  return std::all_of(name.begin(), name.begin() + kNumberDigits, is_digit) &&
         std::all_of(name.begin() + kNumberDigits + 1, name.end() - kSuffix.size(), is_digit);
}

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes(kMagic);
  AppendLittleEndian(kFormatVersion, &bytes);
  AppendLittleEndian(uint32_t{0}, &bytes);  // the checksum
  AppendLittleEndian(header.sequence, &bytes);
  AppendLittleEndian(header.previous.index.value(), &bytes);
  AppendLittleEndian(header.previous.term.value(), &bytes);
  AppendLittleEndian(static_cast<uint8_t>(header.start), &bytes);
  bytes.resize(kSegmentHeaderBytes, '\0');
  std::string crc;
  AppendLittleEndian(SegmentHeaderCrc(bytes), &crc);
  return bytes.replace(12, crc.size(), crc);
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return absl::DataLossError("header cut short");
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  if (!absl::StartsWith(bytes, kMagic)) return absl::DataLossError("not a segment of a log");
  if (LoadLittleEndian<uint32_t>(bytes, 12) != SegmentHeaderCrc(bytes)) {
    return absl::DataLossError("header checksum mismatch");
  }
  const uint32_t version = LoadLittleEndian<uint32_t>(bytes, 8);
  if (version != kFormatVersion) {
    return absl::DataLossError(absl::StrCat("unknown format version ", version));
  }
  SegmentHeader header;
  header.sequence = LoadLittleEndian<uint64_t>(bytes, 16);
  header.previous.index = LogIndex(LoadLittleEndian<uint64_t>(bytes, 24));
  header.previous.term = Term(LoadLittleEndian<uint64_t>(bytes, 32));
  const uint8_t start = LoadLittleEndian<uint8_t>(bytes, 40);
  if (start > static_cast<uint8_t>(SegmentStart::kBegins) ||
      header.previous.index.value() >= std::numeric_limits<uint64_t>::max() - 1) {
    return absl::DataLossError("header field out of range");
  }
  header.start = static_cast<SegmentStart>(start);
  return header;
}

uint64_t FrameHeader::FrameBytes() const { return FrameBytesFor(payload_bytes); }

uint64_t FrameBytesFor(uint64_t payload_bytes) { return kFrameHeaderBytes + Padded(payload_bytes); }

FrameHeader EncodeFrame(const FramePlace& place, std::span<const Entry* const> entries,
                        std::string* out) {
  CHECK(!entries.empty());
  CHECK_EQ(place.offset % kFrameAlignment, 0u);
  const size_t begin = out->size();
  out->resize(begin + kFrameHeaderBytes);
  LogIndex next = entries.front()->index;
  for (const Entry* entry : entries) {
    CHECK_EQ(entry->index, next) << "entries of a frame are contiguous";
    next = next.Next();
    EncodeEntry(*entry, out);
  }
  const size_t payload_bytes = out->size() - begin - kFrameHeaderBytes;
  CHECK_LE(payload_bytes, std::numeric_limits<uint32_t>::max());
  out->resize(begin + FrameBytesFor(payload_bytes), '\0');

  const FrameHeader header{
      .payload_crc = Crc32c(absl::string_view(*out).substr(begin + kFrameHeaderBytes)),
      .first = entries.front()->index,
      .payload_bytes = static_cast<uint32_t>(payload_bytes),
      .entry_count = static_cast<uint32_t>(entries.size()),
      .version = kFrameVersion};
  out->replace(begin, kFrameHeaderBytes, EncodeFrameHeader(place, header));
  return header;
}

std::optional<FrameHeader> DecodeFrameHeader(const FramePlace& place, absl::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  bytes = bytes.substr(0, kFrameHeaderBytes);
  FrameHeader header;
  header.payload_crc = LoadLittleEndian<uint32_t>(bytes, 4);
  header.first = LogIndex(LoadLittleEndian<uint64_t>(bytes, 8));
  header.payload_bytes = LoadLittleEndian<uint32_t>(bytes, 16);
  header.entry_count = LoadLittleEndian<uint32_t>(bytes, 20);
  header.version = LoadLittleEndian<uint8_t>(bytes, 24);
  // A cheap test first: what lies at most places is zeros.
  if (header.entry_count == 0) return std::nullopt;
  if (LoadLittleEndian<uint32_t>(bytes, 0) != FrameHeaderCrc(place, bytes)) return std::nullopt;
  return header;
}

absl::StatusOr<Frame> DecodeFrame(const FramePlace& place, absl::string_view bytes) {
  const std::optional<FrameHeader> header = DecodeFrameHeader(place, bytes);
  if (!header.has_value()) return absl::DataLossError("header checksum mismatch");
  if (header->FrameBytes() > bytes.size()) return absl::DataLossError("cut short");
  const uint64_t padded_bytes = header->FrameBytes() - kFrameHeaderBytes;
  if (Crc32c(bytes.substr(kFrameHeaderBytes, padded_bytes)) != header->payload_crc) {
    return absl::DataLossError("checksum mismatch");
  }
  return Frame{*header, bytes.substr(kFrameHeaderBytes, header->payload_bytes)};
}

absl::Status ForEachEntry(const Frame& frame, absl::FunctionRef<void(const EntryView&)> visit) {
  if (frame.header.version != kFrameVersion) {
    return absl::DataLossError(absl::StrCat("unknown frame version ", frame.header.version));
  }
  absl::string_view left = frame.payload;
  LogIndex next = frame.header.first;
  for (uint32_t i = 0; i < frame.header.entry_count; ++i, next = next.Next()) {
    const absl::StatusOr<EntryView> entry = DecodeEntry(&left);
    if (!entry.ok()) return entry.status();
    if (entry->index != next) {
      return absl::DataLossError(absl::StrCat("entry ", entry->index.value(), " where entry ",
                                              next.value(), " should be"));
    }
    visit(*entry);
  }
  if (!left.empty()) return absl::DataLossError("bytes left over after the last entry");
  return absl::OkStatus();
}

bool IsZero(absl::string_view bytes) {
  // Compares with itself, shifted by one byte: as fast as memcmp.
  return bytes.empty() ||
         (bytes[0] == '\0' && bytes.substr(1) == bytes.substr(0, bytes.size() - 1));
}

}  // namespace pontoon::raft
