// ReadView: the store as it is after some entry.

#ifndef PONTOON_KV_STORE_READ_VIEW_H_
#define PONTOON_KV_STORE_READ_VIEW_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "kv/store/database.h"
#include "kv/store/meta.h"
#include "kv/store/revision.h"
#include "proto/rpc.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// A picture of the store that never changes: what is applied or compacted later does not show.
// Everything read from one view fits together. It pins old versions on the disk, so it is kept for
// the length of a request and no longer.
//
// Thread safety: all methods may be called from any thread. They read from the disk.
class ReadView {
 public:
  ReadView(std::shared_ptr<const Database> database, const StoreMeta& meta)
      : meta_(meta), records_(std::move(database)) {}

  // The last entry whose effect the view shows.
  LogPosition applied() const { return meta_.applied; }
  // The current revision, and the oldest one that can be read (kNeverCompacted: all can).
  Revision revision() const { return meta_.revision; }
  Revision compacted() const { return meta_.compacted; }
  const AlarmSet& alarms() const { return meta_.alarms; }
  // The same on every member that has applied as much.
  StateDigest digest() const { return meta_.digest; }

  // No bound for the memory that a response takes.
  static constexpr int64_t kUnbounded = std::numeric_limits<int64_t>::max();

  // Reads keys; the options that concern consistency are the caller's. ErrEmptyKey,
  // ErrInvalidSortOption, ErrCompacted, ErrFutureRev; RESOURCE_EXHAUSTED if the result needs more
  // than `bytes_max` of memory; DATA_LOSS or UNAVAILABLE if the disk is damaged or fails. After an
  // error `response` holds nothing of use.
  absl::Status Range(const etcdserverpb::RangeRequest& request,
                     etcdserverpb::RangeResponse* response, int64_t bytes_max = kUnbounded) const;

  // Executes a transaction for which IsReadOnly (txn.h) holds; the same errors.
  absl::Status Txn(const etcdserverpb::TxnRequest& request, etcdserverpb::TxnResponse* response,
                   int64_t bytes_max = kUnbounded) const;

  // All of the above.
  const StoreMeta& meta() const { return meta_; }
  // What the view reads from; lives as long as the view.
  const RecordReader& records() const { return records_; }

 private:
  const StoreMeta meta_;
  const SnapshotReader records_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_READ_VIEW_H_
