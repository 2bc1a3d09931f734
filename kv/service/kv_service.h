// KvService: etcd's KV service.

#ifndef PONTOON_KV_SERVICE_KV_SERVICE_H_
#define PONTOON_KV_SERVICE_KV_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "kv/maintenance/store_quota.h"
#include "kv/read/read_gate.h"
#include "kv/read/read_lane.h"
#include "kv/read/read_options.h"
#include "kv/service/member.h"
#include "kv/service/stream_call.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

struct RequestLimits {
  // Of a command as it stands in the log.
  size_t request_bytes_max = 3 << 19;  // 1.5 MiB
  // Of one list of a transaction; see CheckTxnRequest.
  int txn_ops_max = 128;
  // Of memory, for what one Range or read-only transaction gives.
  int64_t range_bytes_max = 256 << 20;
};

// Puts, deletions, transactions and compactions are commands: proposed to the replica, and answered
// with what applying them gave. Reads wait until this member's own state is as new as the client
// wants it (ReadGate), and are then executed on that.
//
// Thread safety: as gRPC needs it. Nothing here blocks: a call is answered by the thread that has
// the answer.
class KvService final : public etcdserverpb::KV::CallbackService {
 public:
  // All are borrowed, and must outlive the server that the service is registered with.
  struct Parts {
    const Member* member;
    KvStore* store;
    ReadGate* gate;
    ReadLane* point_reads;
    ReadLane* range_reads;
    StoreQuota* quota = nullptr;  // null: none
    Executor* streams = nullptr;  // makes the pieces of streamed ranges
  };

  KvService(const Parts& parts, const RequestLimits& limits) : parts_(parts), limits_(limits) {}

  grpc::ServerUnaryReactor* Range(grpc::CallbackServerContext* call,
                                  const etcdserverpb::RangeRequest* request,
                                  etcdserverpb::RangeResponse* response) override;
  grpc::ServerWriteReactor<etcdserverpb::RangeStreamResponse>* RangeStream(
      grpc::CallbackServerContext* call, const etcdserverpb::RangeRequest* request) override;
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* call,
                                const etcdserverpb::PutRequest* request,
                                etcdserverpb::PutResponse* response) override;
  grpc::ServerUnaryReactor* DeleteRange(grpc::CallbackServerContext* call,
                                        const etcdserverpb::DeleteRangeRequest* request,
                                        etcdserverpb::DeleteRangeResponse* response) override;
  grpc::ServerUnaryReactor* Txn(grpc::CallbackServerContext* call,
                                const etcdserverpb::TxnRequest* request,
                                etcdserverpb::TxnResponse* response) override;
  grpc::ServerUnaryReactor* Compact(grpc::CallbackServerContext* call,
                                    const etcdserverpb::CompactionRequest* request,
                                    etcdserverpb::CompactionResponse* response) override;

 private:
  ReadLane* LaneOf(const etcdserverpb::RangeRequest& request) const;
  ReadLane* LaneOf(const etcdserverpb::TxnRequest& request) const;

  // OK if the member serves a read of `request`, and that is `valid`. `local`: whether a learner
  // serves one that is for its own state.
  template <typename Request>
  absl::StatusOr<ReadOptions> Admit(const grpc::CallbackServerContext& call, Member::Learners local,
                                    const absl::Status& valid, const Request& request) const;

  // Proposes `request`, if it is `valid`, and calls `done` later with what came of it. An error
  // means that nothing was proposed, and `done` will not be called.
  template <typename Request>
  absl::Status Propose(const grpc::CallbackServerContext& call, const absl::Status& valid,
                       const Request& request, raft::ProposeCallback done);

  // OK if `request` is `valid` and the store has room for it.
  template <typename Request>
  absl::Status CheckRoom(const grpc::CallbackServerContext& call, absl::Status valid,
                         const Request& request) const;

  // A whole call that writes.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Write(grpc::CallbackServerContext* call, const absl::Status& valid,
                                  const Request& request, Response* response);

  // Once a streamed range may be read.
  void BeginStream(const etcdserverpb::RangeRequest& request, const ReadGate::Passed& passed,
                   StreamCall<etcdserverpb::RangeStreamResponse>* stream);

  // A whole call that reads. `execute` is called with a view and fills `response`.
  template <typename Request, typename Execute, typename Response>
  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* call, const absl::Status& valid,
                                 const Request& request, Execute execute, Response* response);

  // Says in `response` who answers, and what is known of the state that was read.
  template <typename Response>
  void FillAnswer(Term term, const ReadGate::Passed& passed, Response* response) const;

  const Parts parts_;
  const RequestLimits limits_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_KV_SERVICE_H_
