// RangeWalk: a large range, read piece by piece.

#ifndef PONTOON_KV_STORE_RANGE_WALK_H_
#define PONTOON_KV_STORE_RANGE_WALK_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/kv_reader.h"
#include "kv/store/read_view.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// What a walk cannot do, beside what CheckRangeRequest finds: UNIMPLEMENTED, in etcd's words, for
// an order other than that of the keys, and for filters.
absl::Status CheckRangeWalk(const etcdserverpb::RangeRequest& request);

// All pieces together are what ReadView::Range would answer, at one revision; only the last one has
// the header, `more` and `count`.
//
// Thread safety: none; it may go from thread to thread.
class RangeWalk {
 public:
  // ErrCompacted, ErrFutureRev. CheckRangeWalk must have been OK. Keeps the view as long as it
  // lives.
  static absl::StatusOr<std::unique_ptr<RangeWalk>> Begin(std::shared_ptr<const ReadView> view,
                                                          etcdserverpb::RangeRequest request);

  RangeWalk(const RangeWalk&) = delete;
  RangeWalk& operator=(const RangeWalk&) = delete;

  enum class Step {
    kNothing,    // none of the keys that were looked at belongs into a piece
    kPiece,      // and there is more to do
    kLastPiece,  // the walk is over
  };
  // Goes on for some milliseconds, and adds keys to `piece` until they have `bytes_max` bytes or
  // more. An error is the storage's.
  absl::StatusOr<Step> Go(size_t bytes_max, etcdserverpb::RangeResponse* piece);

 private:
  RangeWalk(std::shared_ptr<const ReadView> view, etcdserverpb::RangeRequest request,
            Revision revision);

  bool WantsMoreKeys() const;

  const std::shared_ptr<const ReadView> view_;
  const etcdserverpb::RangeRequest request_;
  KvReader reader_;
  const std::unique_ptr<KvCursor> cursor_;
  int64_t count_ = 0;  // keys in the range so far
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_RANGE_WALK_H_
