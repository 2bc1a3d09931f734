// The stream of a snapshot: all records of a store, as bytes on their way to another node.
//
//   stream: header, blocks of records, end block
//   header: kSnapshotMagic, version of the stream, index and term of the last entry in the state;
//           checksum
//   block:  1 (a byte), size of the payload, payload, checksum
//   end:    2 (a byte), number of records, bytes of all their keys and values, checksum
//   payload: records: size of the key: varint, key, size of the value: varint, value
//
// Numbers are eight bytes, big endian, as in the records. The records come in ascending order of
// their keys. A checksum is the CRC-32C of the whole stream up to there, without the checksums
// before it: so a block cannot be missing, repeated or moved, nor be one of another stream.
//
// Block sizes are the writer's choice, up to kSnapshotBlockBytesMax. What the records mean is known
// by their format version (meta.h), which is one of them.

#ifndef PONTOON_KV_STORE_SNAPSHOT_STREAM_H_
#define PONTOON_KV_STORE_SNAPSHOT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "raft/base/types.h"

namespace pontoon::kv {

inline constexpr std::string_view kSnapshotMagic = "PTN-SNAP";
inline constexpr uint64_t kSnapshotStreamVersion = 1;

// The bytes of the header before its checksum.
inline constexpr size_t kSnapshotHeaderBytes = kSnapshotMagic.size() + 3 * sizeof(uint64_t);
// The position that a header names, which begins with the magic; a reader checks it.
LogPosition PositionInHeader(std::string_view header);

// A block is closed once it has this many bytes.
inline constexpr size_t kSnapshotBlockBytes = 64 << 10;
// A reader refuses larger ones, since it keeps a block in memory until its checksum has come. One
// record always fits: a request has 32 MiB at most (--max-request-bytes), and a key takes twice its
// size where it is escaped (layout.h).
inline constexpr size_t kSnapshotBlockBytesMax = 96 << 20;

// Makes the bytes of a stream.
//
// Thread safety: none.
class SnapshotStreamWriter {
 public:
  explicit SnapshotStreamWriter(LogPosition position);

  // The next record; its key comes after that of the one before.
  void Add(std::string_view key, std::string_view value);
  // There are no more records.
  void End();

  // The bytes that can be taken now.
  size_t ready_bytes() const { return ready_.size() - taken_; }
  bool ended() const { return ended_; }

  // The next bytes of the stream, as many as are ready, `bytes_max` at most.
  std::string Take(size_t bytes_max);

 private:
  void CloseBlock();
  void Emit(std::string_view bytes);
  void EmitChecksum();

  std::string ready_;  // the first `taken_` bytes are gone
  size_t taken_ = 0;
  std::string block_;  // the payload of the block that is being filled
  uint32_t crc_ = 0;   // of all that was emitted, but for the checksums
  uint64_t records_ = 0;
  uint64_t record_bytes_ = 0;
  bool ended_ = false;
};

// Takes a stream apart, and believes nothing before its checksum fits.
//
// Thread safety: none.
class SnapshotStreamReader {
 public:
  // Views hold during the call.
  using OnRecord = absl::FunctionRef<void(std::string_view key, std::string_view value)>;

  // What may follow the end: nothing on the way to another node, zeros in a file that was filled
  // up.
  enum class AfterEnd { kNothing, kZeros };

  // The stream must be of `position`.
  explicit SnapshotStreamReader(LogPosition position, AfterEnd after_end = AfterEnd::kNothing)
      : position_(position), after_end_(after_end) {}

  // Takes the next bytes, cut anywhere, and hands out the records of the blocks that are whole.
  // DATA_LOSS if the stream is damaged, or is another one than expected; that lasts.
  absl::Status Read(std::string_view bytes, OnRecord on_record);

  // OK if the stream has been read to its end; DATA_LOSS otherwise.
  absl::Status Finish() const;

 private:
  // Each takes its part off the front of `rest`, and returns whether it was there as a whole. Sets
  // status_ if it is damaged.
  bool TakePart(std::string_view* rest, OnRecord on_record);
  bool TakeHeader(std::string_view* rest);
  bool TakeBlock(std::string_view* rest, OnRecord on_record);
  bool TakeEnd(std::string_view* rest);

  // Takes a part of `part_bytes` and the checksum after it off the front of `rest`, where both are
  // there and fit.
  bool TakeChecked(std::string_view* rest, size_t part_bytes);
  void HandOut(std::string_view payload, OnRecord on_record);
  bool Damaged(absl::string_view what);

  enum class Place { kHeader, kBlocks, kEnd };

  const LogPosition position_;
  const AfterEnd after_end_;
  Place place_ = Place::kHeader;
  std::string kept_;  // a part whose end has not come
  uint32_t crc_ = 0;
  uint64_t records_ = 0;
  uint64_t record_bytes_ = 0;
  std::string last_key_;
  absl::Status status_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_SNAPSHOT_STREAM_H_
