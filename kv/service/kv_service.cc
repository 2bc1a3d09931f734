#include "kv/service/kv_service.h"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include "kv/errors.h"
#include "kv/outcome.h"
#include "kv/service/command.h"
#include "kv/service/command_result.h"
#include "kv/service/patient_call.h"
#include "kv/service/txn_validation.h"
#include "kv/service/write_options.h"
#include "kv/store/range.h"
#include "kv/store/range_walk.h"
#include "kv/store/txn.h"
#include "kv/store/write_operations.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::CompactionRequest;
using etcdserverpb::CompactionResponse;
using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::RangeStreamResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// A piece of a stream has so many bytes, and the rest of one key.
constexpr size_t kStreamPieceBytes = 512 << 10;

// Calls `visit` with every range of a transaction that IsReadOnly.
template <typename Visit>
void ForEachRange(const TxnRequest& txn, Visit visit) {
  for (const RequestOp& op : txn.success()) visit(op.request_range());
  for (const RequestOp& op : txn.failure()) visit(op.request_range());
}

template <typename Request>
absl::StatusOr<Payload> Encode(const CallbackServerContext& call, const Request& request,
                               size_t bytes_max) {
  const auto conditions = WriteConditionsOf(request, call.client_metadata());
  if (!conditions.ok()) return conditions.status();
  return EncodeCommand(request, bytes_max, *conditions);
}

absl::StatusOr<Payload> Encode(const CallbackServerContext& /*call*/,
                               const CompactionRequest& request, size_t bytes_max) {
  return EncodeCommand(request, bytes_max);
}

}  // namespace

template <typename Request>
absl::Status KvService::Propose(const CallbackServerContext& call, const absl::Status& valid,
                                const Request& request, raft::ProposeCallback done) {
  if (absl::Status s = parts_.member->CheckServing(call); !s.ok()) return s;
  if (!valid.ok()) return valid;
  absl::StatusOr<Payload> command = Encode(call, request, limits_.request_bytes_max);
  if (!command.ok()) return command.status();
  parts_.member->replica()->Propose(*std::move(command), parts_.member->DeadlineOf(call),
                                    std::move(done));
  return absl::OkStatus();
}

template <typename Request>
absl::Status KvService::CheckRoom(const CallbackServerContext& call, absl::Status valid,
                                  const Request& request) const {
  if (!valid.ok() || parts_.quota == nullptr) return valid;
  const absl::Status room = parts_.quota->Admit(QuotaCost(request));
  // Of a write that names itself only the state machine can say that it was not done: it will know
  // the alarm, too.
  const bool once = IsOnce(request.write_options(), call.client_metadata());
  return once ? absl::OkStatus() : room;
}

template <typename Request, typename Response>
ServerUnaryReactor* KvService::Write(CallbackServerContext* call, const absl::Status& valid,
                                     const Request& request, Response* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::Status proposed =
      Propose(*call, valid, request, [this, reactor, response](raft::ProposeOutcome outcome) {
        reactor->Finish(ToGrpc(TakeResponse(*parts_.member, std::move(outcome), response)));
      });
  if (!proposed.ok()) reactor->Finish(ToGrpc(proposed));
  return reactor;
}

template <typename Request>
absl::StatusOr<ReadOptions> KvService::Admit(const CallbackServerContext& call,
                                             Member::Learners local, const absl::Status& valid,
                                             const Request& request) const {
  absl::StatusOr<ReadOptions> options = ReadOptionsOf(request, call.client_metadata());
  const bool is_local = options.ok() && options->consistency == Consistency::kFollower;
  const auto learners = is_local ? local : Member::Learners::kRefuse;
  if (absl::Status s = parts_.member->CheckServing(call, learners); !s.ok()) return s;
  if (!valid.ok()) return valid;
  return options;
}

template <typename Response>
void KvService::FillAnswer(Term term, const ReadGate::Passed& passed, Response* response) const {
  parts_.member->FillHeader(term, response->mutable_header());
  FillReport(passed.consistency, parts_.gate->StalenessOf(passed), response->mutable_read_report());
}

template <typename Request, typename Execute, typename Response>
ServerUnaryReactor* KvService::Read(CallbackServerContext* call, const absl::Status& valid,
                                    const Request& request, Execute execute, Response* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  // As in etcd a learner serves no transactions.
  const auto local =
      std::is_same_v<Request, RangeRequest> ? Member::Learners::kServe : Member::Learners::kRefuse;
  const absl::StatusOr<ReadOptions> options = Admit(*call, local, valid, request);
  if (!options.ok()) {
    reactor->Finish(ToGrpc(options.status()));
    return reactor;
  }
  parts_.gate->Pass(*options, parts_.member->DeadlineOf(*call),
                    [this, call, reactor, execute, response,
                     lane = LaneOf(request)](absl::StatusOr<ReadGate::Passed> passed) {
                      if (!passed.ok()) return reactor->Finish(ToGrpc(passed.status()));
                      const absl::Status posted =
                          lane->Post([this, call, reactor, execute, response, passed = *passed](
                                         const ReadView& view, Term term) {
                            // Whoever gave up while the read waited would only cost the others
                            // time.
                            const absl::Status status =
                                call->IsCancelled() ? absl::Status(kErrCanceled) : execute(view);
                            if (status.ok()) FillAnswer(term, passed, response);
                            reactor->Finish(ToGrpc(status));
                          });
                      if (!posted.ok()) reactor->Finish(ToGrpc(posted));
                    });
  return reactor;
}

ReadLane* KvService::LaneOf(const RangeRequest& request) const {
  return request.range_end().empty() ? parts_.point_reads : parts_.range_reads;
}

ReadLane* KvService::LaneOf(const TxnRequest& request) const {
  ReadLane* lane = parts_.point_reads;
  ForEachRange(request, [&](const RangeRequest& range) {
    if (!range.range_end().empty()) lane = parts_.range_reads;
  });
  for (const etcdserverpb::Compare& compare : request.compare()) {
    if (!compare.range_end().empty()) lane = parts_.range_reads;
  }
  return lane;
}

ServerUnaryReactor* KvService::Range(CallbackServerContext* call, const RangeRequest* request,
                                     RangeResponse* response) {
  const auto execute = [this, request, response](const ReadView& view) {
    return view.Range(*request, response, limits_.range_bytes_max);
  };
  return Read(call, CheckRangeRequest(*request), *request, execute, response);
}

grpc::ServerWriteReactor<RangeStreamResponse>* KvService::RangeStream(CallbackServerContext* call,
                                                                      const RangeRequest* request) {
  auto* const stream = new StreamCall<RangeStreamResponse>(parts_.streams);
  const absl::StatusOr<ReadOptions> options =
      Admit(*call, Member::Learners::kRefuse, CheckRangeWalk(*request), *request);
  if (!options.ok()) {
    stream->FinishNow(options.status());
    return stream;
  }
  parts_.gate->Pass(*options, parts_.member->DeadlineOf(*call),
                    [this, request, stream](absl::StatusOr<ReadGate::Passed> passed) {
                      if (!passed.ok()) return stream->FinishNow(passed.status());
                      BeginStream(*request, *passed, stream);
                    });
  return stream;
}

void KvService::BeginStream(const RangeRequest& request, const ReadGate::Passed& passed,
                            StreamCall<RangeStreamResponse>* stream) {
  using Step = StreamCall<RangeStreamResponse>::Step;
  // The first step of a walk reads, so it is begun where the others are made.
  stream->Begin([this, request = request, passed, view = parts_.store->View(),
                 walk = std::unique_ptr<RangeWalk>()](
                    RangeStreamResponse* piece) mutable -> absl::StatusOr<Step> {
    if (walk == nullptr) {
      auto begun = RangeWalk::Begin(std::move(view), std::move(request));
      if (!begun.ok()) return begun.status();
      walk = *std::move(begun);
    }
    RangeResponse* const range = piece->mutable_range_response();
    const absl::StatusOr<RangeWalk::Step> step = walk->Go(kStreamPieceBytes, range);
    if (!step.ok()) return step.status();
    if (*step == RangeWalk::Step::kNothing) return Step::kNothing;
    if (*step == RangeWalk::Step::kPiece) return Step::kPiece;
    FillAnswer(parts_.member->replica()->CurrentLeadership().term, passed, range);
    return Step::kLastPiece;
  });
}

ServerUnaryReactor* KvService::Put(CallbackServerContext* call, const PutRequest* request,
                                   PutResponse* response) {
  return Write(call, CheckRoom(*call, CheckPutRequest(*request), *request), *request, response);
}

ServerUnaryReactor* KvService::DeleteRange(CallbackServerContext* call,
                                           const DeleteRangeRequest* request,
                                           DeleteRangeResponse* response) {
  return Write(call, CheckDeleteRangeRequest(*request), *request, response);
}

ServerUnaryReactor* KvService::Txn(CallbackServerContext* call, const TxnRequest* request,
                                   TxnResponse* response) {
  const absl::Status valid = CheckTxnRequest(*request, limits_.txn_ops_max);
  if (!valid.ok() || !IsReadOnly(*request)) {
    const absl::Status sensible = valid.ok() ? CheckNoReadOptions(*request) : valid;
    return Write(call, CheckRoom(*call, sensible, *request), *request, response);
  }
  const absl::Status sensible = CheckNoWriteOptions(*request);
  const auto execute = [this, request, response](const ReadView& view) {
    return view.Txn(*request, response, limits_.range_bytes_max);
  };
  return Read(call, sensible, *request, execute, response);
}

ServerUnaryReactor* KvService::Compact(CallbackServerContext* call,
                                       const CompactionRequest* request,
                                       CompactionResponse* response) {
  const absl::Status valid = CheckNoWriteMetadata(call->client_metadata());
  if (!request->physical()) return Write(call, valid, *request, response);
  auto* const reactor = new PatientCall;
  const absl::Status proposed = Propose(
      *call, valid, *request,
      [this, reactor, response,
       revision = Revision(request->revision())](raft::ProposeOutcome outcome) {
        const absl::Status status = TakeResponse(*parts_.member, std::move(outcome), response);
        if (!status.ok()) return reactor->FinishNow(status);
        parts_.store->WhenScrubbed(revision, reactor->Wait());
      });
  if (!proposed.ok()) reactor->FinishNow(proposed);
  return reactor;
}

}  // namespace pontoon::kv
