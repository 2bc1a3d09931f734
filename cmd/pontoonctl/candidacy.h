// Candidacy: a place in the queue for a lock, or for an office.
//
// Those who want it each put a key NAME/LEASE with a lease of their own, LEASE in hexadecimal
// digits. Whose key has the lowest create revision has it; all others wait until the key just
// before theirs is deleted: by its owner, or with its lease. So a deletion wakes one, not all, and
// they come in turn. Create revisions rise from holder to holder: they fence off a holder that does
// not know yet that it lost its lease, where what it writes to compares them.
//
// etcdctl and etcd's Lock and Election services do the same, and share a queue with this.

#ifndef PONTOON_CMD_PONTOONCTL_CANDIDACY_H_
#define PONTOON_CMD_PONTOONCTL_CANDIDACY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/watcher.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Win is for one thread; Cancel is for any.
class Candidacy {
 public:
  struct Options {
    std::string name;
    std::string value;  // of the key
    int64_t lease;
    // For each request; what is waited for may take any time.
    absl::Duration timeout;
  };

  struct End {
    enum class Kind { kWon, kCancelled, kFailed };
    Kind kind;
    // Only if won: what the key is (its create_revision is the fencing token), and a revision of
    // the store at which we have it.
    mvccpb::KeyValue kv = {};
    int64_t revision = 0;
    std::string message = {};  // only if failed
  };

  // `session` goes to `endpoints`, and must outlive it.
  Candidacy(Session& session, const std::vector<Endpoint>& endpoints, Options options);

  // Enters the queue and waits for its turn.
  End Win();

  // Makes Win return, soon. The place in the queue goes with the lease.
  void Cancel();

 private:
  // The key of ours, once it is there.
  Reply Enter(mvccpb::KeyValue* kv);
  // The key just before ours; none in `response` if there is none.
  Reply FindPredecessor(int64_t create_revision, etcdserverpb::RangeResponse* response);
  Reply FindOwn(etcdserverpb::RangeResponse* response);
  // Waits until `key` is deleted at `revision` or after it, or until it is worth asking again.
  // False if the watch failed for good: see `failure`.
  bool AwaitDeletion(const std::string& key, int64_t revision, std::string* failure);

  // Sends a read until it is answered or refused, or this is cancelled.
  Reply ReadPatiently(const etcdserverpb::RangeRequest& request,
                      etcdserverpb::RangeResponse* response);
  bool cancelled();

  Session& session_;
  const std::vector<Endpoint> endpoints_;
  const Options options_;
  const std::string key_;
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  Watcher* watcher_ ABSL_GUARDED_BY(mutex_) = nullptr;  // that Win waits for, if any
};

// Asks for the key of whoever holds the lock or office `name`: none in the response if nobody does.
etcdserverpb::RangeRequest HolderRequest(const std::string& name);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_CANDIDACY_H_
