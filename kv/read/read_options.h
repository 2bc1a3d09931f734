// ReadOptions: what a client wants of a read.

#ifndef PONTOON_KV_READ_READ_OPTIONS_H_
#define PONTOON_KV_READ_READ_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/call_metadata.h"
#include "kv/store/revision.h"
#include "proto/pontoon.pb.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// As in proto/pontoon.proto.
enum class Consistency : uint8_t { kLinearizable, kLease, kFollower };

struct ReadOptions {
  Consistency consistency = Consistency::kLinearizable;
  std::optional<absl::Duration> max_staleness{};  // of kFollower only
  Revision min_revision{};                        // 0: any

  friend bool operator==(const ReadOptions&, const ReadOptions&) = default;
};

// Longer ones are a mistake of who asks: nothing that lags so far behind is a bound.
inline constexpr absl::Duration kStalenessMax = absl::Hours(24);

// What `request` says, or, if it says nothing, `metadata`. `serializable` makes it a FOLLOWER read
// in either case, whatever consistency metadata names, and has no say of its own in anything else.
// INVALID_ARGUMENT if that makes no sense: an unknown consistency, a bound that is negative or
// beyond kStalenessMax or not of a FOLLOWER read, a negative revision, LEASE and serializable at
// once in the request itself.
absl::StatusOr<ReadOptions> ReadOptionsOf(const etcdserverpb::RangeRequest& request,
                                          const CallMetadata& metadata);

// The same for a transaction that only reads. It is serializable if all of its ranges are, and
// there are any. INVALID_ARGUMENT also if one of its ranges has options of its own.
absl::StatusOr<ReadOptions> ReadOptionsOf(const etcdserverpb::TxnRequest& request,
                                          const CallMetadata& metadata);

// OK if a transaction that goes through the log carries no options, nor does any part of it: one
// that writes, or has another one in it. Metadata is for the reads of a connection, and means
// nothing to it.
absl::Status CheckNoReadOptions(const etcdserverpb::TxnRequest& request);

// Says how a read was served. `staleness_bound`: nothing is proven if absent.
void FillReport(Consistency consistency, std::optional<absl::Duration> staleness_bound,
                pontoon::v1::ReadReport* report);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_READ_READ_OPTIONS_H_
