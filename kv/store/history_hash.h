// Checksums of what a store holds, to compare members by.

#ifndef PONTOON_KV_STORE_HISTORY_HASH_H_
#define PONTOON_KV_STORE_HISTORY_HASH_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kv/store/read_view.h"
#include "kv/store/revision.h"

namespace pontoon::kv {

struct HistoryHash {
  uint32_t crc = 0;
  Revision revision;   // the last one that is in it
  Revision compacted;  // the oldest one
};

// Asked now and then; true ends the work with ErrCanceled.
using GiveUp = absl::FunctionRef<bool()>;

// The CRC-32C of every version of every key that a read at `revision` (of 0 or less: the present
// one) or before can show, tombstones from the compacted revision on included, in the order of
// their revisions. So it is the same on all members with the same history and the same compacted
// revision, however many old versions each of them has removed. Reads all of that, in little
// memory. ErrCompacted, ErrFutureRev; DATA_LOSS or UNAVAILABLE if the disk is damaged or fails.
absl::StatusOr<HistoryHash> HashHistory(const ReadView& view, int64_t revision, GiveUp give_up);

// The CRC-32C of all records of the view, also of those that only this member has.
absl::StatusOr<uint32_t> HashRecords(const ReadView& view, GiveUp give_up);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_HISTORY_HASH_H_
