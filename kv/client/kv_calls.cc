#include "kv/client/kv_calls.h"

#include <algorithm>
#include <utility>

#include "kv/client/unary_call.h"

namespace pontoon {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

using GrpcDone = std::function<void(grpc::Status)>;

void CallRange(MemberStubs& stubs, grpc::ClientContext* context, const RangeRequest* request,
               RangeResponse* response, GrpcDone done) {
  stubs.kv().Range(context, request, response, std::move(done));
}

void CallPut(MemberStubs& stubs, grpc::ClientContext* context, const PutRequest* request,
             PutResponse* response, GrpcDone done) {
  stubs.kv().Put(context, request, response, std::move(done));
}

void CallDelete(MemberStubs& stubs, grpc::ClientContext* context, const DeleteRangeRequest* request,
                DeleteRangeResponse* response, GrpcDone done) {
  stubs.kv().DeleteRange(context, request, response, std::move(done));
}

void CallTxn(MemberStubs& stubs, grpc::ClientContext* context, const TxnRequest* request,
             TxnResponse* response, GrpcDone done) {
  stubs.kv().Txn(context, request, response, std::move(done));
}

CallPolicy PolicyOf(const ReadOptions& options) {
  return {
      .effect = Effect::kNone,
      .prefer = options.consistency == Consistency::kFollower ? Prefer::kNearest : Prefer::kLeader,
      .hedge = CallPolicy::Hedge::kIfSlow,
      .timeout = options.timeout};
}

CallPolicy PolicyOf(const WriteOptions& options, Effect effect) {
  return {.effect = effect, .prefer = Prefer::kLeader, .timeout = options.timeout};
}

template <typename Request, typename Response>
void Send(ClientCore* core, const CallPolicy& policy,
          typename UnaryCall<Request, Response>::Method method, Request request,
          Callback<Response> done) {
  using Call = UnaryCall<Request, Response>;
  Call::Launch(core, policy, method, std::move(request),
               [done = std::move(done)](absl::StatusOr<typename Call::Answer> answer) mutable {
                 if (!answer.ok()) return std::move(done)(answer.status());
                 std::move(done)(std::move(answer->response));
               });
}

template <typename Request, typename Response>
void SendWrite(ClientCore* core, const WriteOptions& options, Effect effect,
               typename UnaryCall<Request, Response>::Method method, Request request,
               Callback<Response> done) {
  if (options.fence.has_value()) {
    pontoon::v1::Fence& fence = *request.mutable_write_options()->mutable_fence();
    fence.set_key(options.fence->key);
    fence.set_create_revision(options.fence->create_revision);
  }
  Send<Request, Response>(core, PolicyOf(options, effect), method, std::move(request),
                          std::move(done));
}

bool OnlyReads(const google::protobuf::RepeatedPtrField<RequestOp>& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const RequestOp& operation) { return operation.has_request_range(); });
}

}  // namespace

void SendRange(ClientCore* core, RangeRequest request, const ReadOptions& options,
               Callback<RangeResponse> done) {
  *request.mutable_read_options() = ToProto(options);
  Send<RangeRequest, RangeResponse>(core, PolicyOf(options), CallRange, std::move(request),
                                    std::move(done));
}

void SendReadTxn(ClientCore* core, TxnRequest request, const ReadOptions& options,
                 Callback<TxnResponse> done) {
  if (!OnlyReads(request.success()) || !OnlyReads(request.failure())) {
    return core->Run([done = std::move(done)]() mutable {
      std::move(done)(
          absl::InvalidArgumentError("pontoon: ReadTxn with a transaction that writes"));
    });
  }
  *request.mutable_read_options() = ToProto(options);
  Send<TxnRequest, TxnResponse>(core, PolicyOf(options), CallTxn, std::move(request),
                                std::move(done));
}

void SendPut(ClientCore* core, PutRequest request, const WriteOptions& options, Effect effect,
             Callback<PutResponse> done) {
  SendWrite<PutRequest, PutResponse>(core, options, effect, CallPut, std::move(request),
                                     std::move(done));
}

void SendDelete(ClientCore* core, DeleteRangeRequest request, const WriteOptions& options,
                Effect effect, Callback<DeleteRangeResponse> done) {
  SendWrite<DeleteRangeRequest, DeleteRangeResponse>(core, options, effect, CallDelete,
                                                     std::move(request), std::move(done));
}

void SendTxn(ClientCore* core, TxnRequest request, const WriteOptions& options, Effect effect,
             Callback<TxnResponse> done) {
  SendWrite<TxnRequest, TxnResponse>(core, options, effect, CallTxn, std::move(request),
                                     std::move(done));
}

}  // namespace pontoon
