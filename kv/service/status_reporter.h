// StatusReporter: what a member says of itself.

#ifndef PONTOON_KV_SERVICE_STATUS_REPORTER_H_
#define PONTOON_KV_SERVICE_STATUS_REPORTER_H_

#include <cstdint>
#include <functional>

#include "kv/service/member.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"
#include "raft/core/ready.h"

namespace pontoon::kv {

pontoon::v1::Role ToProto(raft::Role role);

// Thread safety: all methods may be called from any thread.
class StatusReporter {
 public:
  struct Parts {  // all borrowed
    const Member* member;
    const KvStore* store;
    int64_t quota_bytes = 0;  // of the store, as it was set: negative for none
    // Fills in what neither the replica nor the store knows. May be null.
    std::function<void(etcdserverpb::StatusResponse*)> add_more = nullptr;
  };

  explicit StatusReporter(Parts parts) : parts_(std::move(parts)) {}

  // Asks the file system for the size of the store. With or without a leader.
  void Fill(etcdserverpb::StatusResponse* response) const;

 private:
  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_STATUS_REPORTER_H_
