// The requests of which a lock is made: a place in a queue of keys.
//
// Those who want a lock each put a key NAME/LEASE with a lease of their own, LEASE in hexadecimal
// digits. Whose key has the lowest create revision has the lock; all others wait until the key just
// before theirs is deleted: by its owner, or with its lease. etcd's Lock service, its client
// libraries, etcdctl and pontoonctl do the same, and share a queue with this.

#ifndef PONTOON_KV_CLIENT_LOCK_QUEUE_H_
#define PONTOON_KV_CLIENT_LOCK_QUEUE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "kv/client/write_options.h"
#include "proto/rpc.pb.h"

namespace pontoon {

// The key of who queues for the lock `name` with `lease`.
std::string LockKey(const std::string& name, int64_t lease);

// Puts the key, unless it is there; it may be sent again.
etcdserverpb::TxnRequest EnterLockQueue(const std::string& key, const std::string& value,
                                        int64_t lease);
// From the answer: when the key was created.
int64_t CreateRevisionIn(const etcdserverpb::TxnResponse& response);

// Reads who is just before `place` in the queue of `name`, and if the place is still there.
etcdserverpb::TxnRequest LookAtLockQueue(const std::string& name, const Fence& place);
struct LockQueueLook {
  bool has_place = false;
  std::optional<std::string> before;  // a key; nothing: the lock is held
};
LockQueueLook ReadLockQueueLook(const Fence& place, const etcdserverpb::TxnResponse& response);

// Watches for the deletion of `key` after `revision`.
etcdserverpb::WatchCreateRequest DeletionOf(const std::string& key, int64_t revision);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_LOCK_QUEUE_H_
