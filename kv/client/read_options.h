// ReadOptions: how fresh a read is to be; ReadInfo: how it was served. See docs/consistency.md.

#ifndef PONTOON_KV_CLIENT_READ_OPTIONS_H_
#define PONTOON_KV_CLIENT_READ_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "proto/pontoon.pb.h"
#include "proto/rpc.pb.h"

namespace pontoon {

enum class Consistency : uint8_t {
  kLinearizable,  // everything that was committed before the read; asks a majority
  kLease,         // the same as long as the clocks of the members run at about the same rate
  kFollower,      // what the member that is asked has; goes to the nearest
};

struct ReadOptions {
  Consistency consistency = Consistency::kLinearizable;
  // Of kFollower only: everything is to be shown that was committed longer ago than this.
  std::optional<absl::Duration> max_staleness = {};
  // The store at this revision or a later one; 0: any. A Session sets it.
  int64_t min_revision = 0;
  // Of the call, with all its attempts. Zero: that of ClientOptions.
  absl::Duration timeout = absl::ZeroDuration();
};

struct ReadInfo {
  int64_t revision = 0;  // of the store when it was read
  uint64_t cluster_id = 0;
  uint64_t member_id = 0;  // who answered,
  uint64_t term = 0;       // in which term
  Consistency consistency = Consistency::kLinearizable;
  // Everything is shown that was committed longer ago than this, counted back from when the member
  // answered: a read that took its time may tell of a little more than its max_staleness, which
  // counts from when it came. Nothing: the member proves nothing.
  std::optional<absl::Duration> staleness = {};
};

// What `options` are in a request.
pontoon::v1::ReadOptions ToProto(const ReadOptions& options);

ReadInfo ReadInfoOf(const etcdserverpb::RangeResponse& response);
// Of a transaction that only reads.
ReadInfo ReadInfoOf(const etcdserverpb::TxnResponse& response);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_READ_OPTIONS_H_
