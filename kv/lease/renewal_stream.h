// RenewalStream: a stream on which a client keeps its leases alive.

#ifndef PONTOON_KV_LEASE_RENEWAL_STREAM_H_
#define PONTOON_KV_LEASE_RENEWAL_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kv/lease/lease_keeper.h"
#include "kv/service/leader_monitor.h"
#include "kv/service/member.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// Each request is answered, in the order in which the answers become known: they name their leases.
// The next requests are read meanwhile, up to kRenewalsMax, so that a client with thousands of
// leases does not wait for each of them in turn. The first error ends the stream.
//
// Thread safety: as gRPC needs it.
class RenewalStream final : public grpc::ServerBidiReactor<etcdserverpb::LeaseKeepAliveRequest,
                                                           etcdserverpb::LeaseKeepAliveResponse> {
 public:
  struct Parts {  // all borrowed
    const Member* member;
    const KvStore* store;
    LeaseKeeper* keeper;
    LeaderMonitor* leader_monitor;
  };

  // Requests that are read and not answered yet; bounds what a stream takes to some kilobytes.
  static constexpr size_t kRenewalsMax = 64;

  // At work from then on; lives until gRPC and the keeper are done with it.
  static RenewalStream* Start(const Parts& parts, const grpc::CallbackServerContext* call);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  using Response = etcdserverpb::LeaseKeepAliveResponse;

  RenewalStream(const Parts& parts, const grpc::CallbackServerContext* call)
      : parts_(parts), call_(call) {}

  // Has the lease of the request that was read renewed.
  void Renew();
  void OnAnswer(Response response, const absl::StatusOr<int64_t>& seconds);
  // Ends the stream, unless it has failed before.
  void Fail(const absl::Status& error);
  // Starts whatever can be started. gRPC calls nothing back from inside of it, and nothing may be
  // started after the end, so the lock is kept.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Parts parts_;
  const grpc::CallbackServerContext* const call_;
  std::shared_ptr<RenewalStream> self_;  // until OnDone
  LeaderMonitor::Id in_leader_monitor_ = LeaderMonitor::kNone;

  absl::Mutex mutex_;
  etcdserverpb::LeaseKeepAliveRequest request_;  // of gRPC, while it reads
  Response response_;                            // of gRPC, while it writes
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_read_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  size_t asked_ ABSL_GUARDED_BY(mutex_) = 0;  // renewals that the keeper has not answered
  std::deque<Response> to_write_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);  // not OK: the stream ends with that
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_RENEWAL_STREAM_H_
