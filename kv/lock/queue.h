// Queues of keys: what locks and elections are made of.
//
// Whoever wants a lock puts a key of its own under the lock's name, on its lease, and has the lock
// as soon as no key there is older. So the keys are a queue in the order of their creation, and who
// is gone, with its lease, leaves it. The keys are those of etcd's own services and of its client
// library, which can be used together with these.

#ifndef PONTOON_KV_LOCK_QUEUE_H_
#define PONTOON_KV_LOCK_QUEUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kv/errors.h"
#include "kv/store/read_view.h"
#include "kv/store/revision.h"
#include "proto/kv.pb.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// etcd's own texts, which come with this code.
inline constexpr ApiError kErrSessionExpired{absl::StatusCode::kUnknown,
                                             "mutex: session is expired"};
inline constexpr ApiError kErrElectionNotLeader{absl::StatusCode::kUnknown, "election: not leader"};
inline constexpr ApiError kErrElectionNoLeader{absl::StatusCode::kUnknown, "election: no leader"};
inline constexpr ApiError kErrNoLeaderKey{absl::StatusCode::kUnknown,
                                          "\"leader\" field must be provided"};

// "name/": the beginning of all keys of the queue `name`.
std::string QueuePrefix(std::string_view name);
// "name/" and the lease in hexadecimal: the key of who queues with that lease.
std::string QueueKey(std::string_view name, LeaseId lease);

// A key in a queue. Another creation is another place.
struct QueuePlace {
  std::string key;
  Revision created;
};

// Takes a place in the queue of `name`, or finds that there is one of that lease already. The key
// has the value then; or if there is none, an empty one, or the one that it had.
etcdserverpb::TxnRequest EnterQueue(std::string_view name, LeaseId lease,
                                    const std::optional<std::string>& value);
struct Entered {
  QueuePlace place;
  bool is_new = false;    // the place
  bool is_first = false;  // nobody is before it
};
// From the response to EnterQueue; `key` is the QueueKey.
Entered ReadEntered(const std::string& key, const etcdserverpb::TxnResponse& response);

// Do something if the place is still there: the transaction has succeeded then.
etcdserverpb::TxnRequest LeaveQueue(const QueuePlace& place);
// With kNoLease the key keeps the lease that it has.
etcdserverpb::TxnRequest SetValue(const QueuePlace& place, LeaseId lease, const std::string& value);

// The key that is right before `place`; nothing if none is.
absl::StatusOr<std::optional<std::string>> FindBefore(const ReadView& view, std::string_view name,
                                                      const QueuePlace& place);
absl::StatusOr<bool> IsThere(const ReadView& view, const QueuePlace& place);
// The first key of the queue; nothing if there is none.
absl::StatusOr<std::optional<mvccpb::KeyValue>> FindFirst(const ReadView& view,
                                                          std::string_view name);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_QUEUE_H_
