#include "kv/store/snapshot_stream.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "kv/store/layout.h"
#include "raft/base/check.h"
#include "raft/env/crc32c.h"

namespace pontoon::kv {
namespace {

constexpr char kBlock = 1;
constexpr char kEnd = 2;

constexpr size_t kNumberBytes = sizeof(uint64_t);
constexpr size_t kBlockHeadBytes = 1 + kNumberBytes;
constexpr size_t kEndBytes = 1 + 2 * kNumberBytes;

// Of bytes that are known to be there.
uint64_t NumberAt(std::string_view bytes, size_t offset) {
  bytes.remove_prefix(offset);
  return TakeFixed64(&bytes).value();
}

bool TakeSized(std::string_view* bytes, std::string_view* sized) {
  uint64_t size;
  if (!TakeVarint(bytes, &size) || size > bytes->size()) return false;
  *sized = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return true;
}

}  // namespace

LogPosition PositionInHeader(std::string_view header) {
  const size_t offset = kSnapshotMagic.size() + kNumberBytes;
  return {LogIndex(NumberAt(header, offset)), Term(NumberAt(header, offset + kNumberBytes))};
}

// ---- SnapshotStreamWriter

SnapshotStreamWriter::SnapshotStreamWriter(LogPosition position) {
  std::string header(kSnapshotMagic);
  for (uint64_t number : {kSnapshotStreamVersion, position.index.value(), position.term.value()}) {
    AppendFixed64(number, &header);
  }
  Emit(header);
  EmitChecksum();
}

void SnapshotStreamWriter::Add(std::string_view key, std::string_view value) {
  CHECK(!ended_);
  for (std::string_view part : {key, value}) {
    AppendVarint(part.size(), &block_);
    block_.append(part);
  }
  ++records_;
  record_bytes_ += key.size() + value.size();
  if (block_.size() >= kSnapshotBlockBytes) CloseBlock();
}

void SnapshotStreamWriter::End() {
  CHECK(!ended_);
  if (!block_.empty()) CloseBlock();
  std::string end(1, kEnd);
  AppendFixed64(records_, &end);
  AppendFixed64(record_bytes_, &end);
  Emit(end);
  EmitChecksum();
  ended_ = true;
}

std::string SnapshotStreamWriter::Take(size_t bytes_max) {
  std::string bytes;
  if (taken_ == 0 && ready_.size() <= bytes_max) {
    bytes.swap(ready_);
    return bytes;
  }
  bytes = ready_.substr(taken_, bytes_max);
  taken_ += bytes.size();
  if (taken_ == ready_.size()) {
    ready_.clear();
    taken_ = 0;
  }
  return bytes;
}

void SnapshotStreamWriter::CloseBlock() {
  CHECK_LE(block_.size(), kSnapshotBlockBytesMax);
  std::string head(1, kBlock);
  AppendFixed64(block_.size(), &head);
  Emit(head);
  Emit(block_);
  EmitChecksum();
  block_.clear();
}

void SnapshotStreamWriter::Emit(std::string_view bytes) {
  crc_ = ExtendCrc32c(crc_, {bytes.data(), bytes.size()});
  ready_.append(bytes);
}

void SnapshotStreamWriter::EmitChecksum() { AppendFixed64(crc_, &ready_); }

// ---- SnapshotStreamReader

absl::Status SnapshotStreamReader::Read(std::string_view bytes, OnRecord on_record) {
  if (!status_.ok()) return status_;
  kept_.append(bytes);
  std::string_view rest = kept_;
  while (TakePart(&rest, on_record)) {
  }
  kept_.erase(0, kept_.size() - rest.size());
  return status_;
}

absl::Status SnapshotStreamReader::Finish() const {
  if (!status_.ok() || place_ == Place::kEnd) return status_;
  return absl::DataLossError("the snapshot is cut off");
}

bool SnapshotStreamReader::TakePart(std::string_view* rest, OnRecord on_record) {
  if (rest->empty()) return false;
  switch (place_) {
    case Place::kHeader:
      return TakeHeader(rest);
    case Place::kBlocks:
      if (rest->front() == kBlock) return TakeBlock(rest, on_record);
      if (rest->front() == kEnd) return TakeEnd(rest);
      return Damaged("a part of an unknown kind");
    case Place::kEnd:
      if (after_end_ == AfterEnd::kNothing || rest->find_first_not_of('\0') != rest->npos) {
        return Damaged("bytes after its end");
      }
      *rest = {};
      return false;
  }
  return false;
}

// The checksum may be one of another version's; so what says that comes first.
bool SnapshotStreamReader::TakeHeader(std::string_view* rest) {
  if (rest->size() < kSnapshotHeaderBytes) return false;
  const std::string_view header = *rest;
  if (!header.starts_with(kSnapshotMagic)) return Damaged("no snapshot at all");
  const uint64_t version = NumberAt(header, kSnapshotMagic.size());
  if (version != kSnapshotStreamVersion) {
    return Damaged(absl::StrCat("version ", version, " of the stream, where version ",
                                kSnapshotStreamVersion, " was expected"));
  }
  if (!TakeChecked(rest, kSnapshotHeaderBytes)) return false;
  const size_t numbers = kSnapshotMagic.size() + kNumberBytes;
  const LogPosition position{LogIndex(NumberAt(header, numbers)),
                             Term(NumberAt(header, numbers + kNumberBytes))};
  if (!(position == position_)) {
    return Damaged(absl::StrCat("the state after entry ", position.index.value(), " of term ",
                                position.term.value(), ", where entry ", position_.index.value(),
                                " of term ", position_.term.value(), " was expected"));
  }
  place_ = Place::kBlocks;
  return true;
}

bool SnapshotStreamReader::TakeBlock(std::string_view* rest, OnRecord on_record) {
  if (rest->size() < kBlockHeadBytes) return false;
  const uint64_t size = NumberAt(*rest, 1);
  if (size > kSnapshotBlockBytesMax) return Damaged("a block that is too large");
  const std::string_view payload = rest->substr(kBlockHeadBytes, size);
  if (!TakeChecked(rest, kBlockHeadBytes + size)) return false;
  HandOut(payload, on_record);
  return status_.ok();
}

bool SnapshotStreamReader::TakeEnd(std::string_view* rest) {
  const std::string_view end = *rest;
  if (!TakeChecked(rest, kEndBytes)) return false;
  if (NumberAt(end, 1) != records_ || NumberAt(end, 1 + kNumberBytes) != record_bytes_) {
    return Damaged("another number of records than its end says");
  }
  place_ = Place::kEnd;
  return true;
}

bool SnapshotStreamReader::TakeChecked(std::string_view* rest, size_t part_bytes) {
  if (rest->size() < part_bytes + kNumberBytes) return false;
  crc_ = ExtendCrc32c(crc_, {rest->data(), part_bytes});
  if (NumberAt(*rest, part_bytes) != crc_) return Damaged("a wrong checksum");
  rest->remove_prefix(part_bytes + kNumberBytes);
  return true;
}

void SnapshotStreamReader::HandOut(std::string_view payload, OnRecord on_record) {
  while (!payload.empty()) {
    std::string_view key, value;
    if (!TakeSized(&payload, &key) || !TakeSized(&payload, &value) || key <= last_key_) {
      Damaged("records that make no sense");
      return;
    }
    last_key_.assign(key);
    ++records_;
    record_bytes_ += key.size() + value.size();
    on_record(key, value);
  }
}

bool SnapshotStreamReader::Damaged(absl::string_view what) {
  status_ = absl::DataLossError(absl::StrCat("the snapshot cannot be used: it has ", what));
  return false;
}

}  // namespace pontoon::kv
