#include "kv/service/kv_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "kv/errors.h"
#include "kv/service/command.h"
#include "kv/service/command_result.h"
#include "kv/service/outcome.h"
#include "kv/service/patient_call.h"
#include "kv/service/txn_validation.h"
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

// The next piece of a range.
absl::StatusOr<StreamCall<RangeStreamResponse>::Step> MakePiece(const Member& member,
                                                                RangeWalk* walk,
                                                                RangeStreamResponse* piece) {
  using Step = StreamCall<RangeStreamResponse>::Step;
  RangeResponse* const range = piece->mutable_range_response();
  const absl::StatusOr<RangeWalk::Step> step = walk->Go(kStreamPieceBytes, range);
  if (!step.ok()) return step.status();
  if (*step == RangeWalk::Step::kNothing) return Step::kNothing;
  if (*step == RangeWalk::Step::kPiece) return Step::kPiece;
  member.FillHeader(member.replica()->CurrentLeadership().term, range->mutable_header());
  return Step::kLastPiece;
}

}  // namespace

template <typename Request>
absl::Status KvService::Propose(const CallbackServerContext& call, const absl::Status& valid,
                                const Request& request, raft::ProposeCallback done) {
  if (absl::Status s = parts_.member->CheckServing(call); !s.ok()) return s;
  if (!valid.ok()) return valid;
  absl::StatusOr<Payload> command = EncodeCommand(request, limits_.request_bytes_max);
  if (!command.ok()) return command.status();
  parts_.member->replica()->Propose(*std::move(command), parts_.member->DeadlineOf(call),
                                    std::move(done));
  return absl::OkStatus();
}

template <typename Request>
absl::Status KvService::CheckRoom(absl::Status valid, const Request& request) const {
  if (!valid.ok() || parts_.quota == nullptr) return valid;
  return parts_.quota->Admit(QuotaCost(request));
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

template <typename Execute, typename Response>
ServerUnaryReactor* KvService::Read(CallbackServerContext* call, const absl::Status& valid,
                                    ReadPlan plan, Execute execute, Response* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const auto answer = [this, call, reactor, execute, response](const ReadView& view, Term term) {
    // Whoever gave up while the read waited would only cost the others time.
    absl::Status status = call->IsCancelled() ? absl::Status(kErrCanceled) : execute(view);
    if (status.ok()) parts_.member->FillHeader(term, response->mutable_header());
    reactor->Finish(ToGrpc(status));
  };
  const auto post = [reactor, answer, lane = plan.lane] {
    if (absl::Status s = lane->Post(answer); !s.ok()) reactor->Finish(ToGrpc(s));
  };

  absl::Status ready = parts_.member->CheckServing(*call, plan.learners);
  if (ready.ok()) ready = valid;
  if (!ready.ok()) {
    reactor->Finish(ToGrpc(ready));
  } else if (plan.consistency == Consistency::kSerializable) {
    post();
  } else {
    raft::Replica* const replica = parts_.member->replica();
    replica->ReadBarrier(
        raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
        [reactor, post, replica](absl::Status passed) {
          if (passed.ok()) return post();
          reactor->Finish(ToGrpc(ErrorOfRead(passed, replica->CurrentLeadership().leader)));
        });
  }
  return reactor;
}

KvService::ReadPlan KvService::PlanOf(const RangeRequest& request) const {
  ReadPlan plan{request.range_end().empty() ? parts_.point_reads : parts_.range_reads,
                Consistency::kLinearizable};
  if (request.serializable()) {
    plan.consistency = Consistency::kSerializable;
    plan.learners = Member::Learners::kServe;
  }
  return plan;
}

// A transaction may be stale only if it says so in every range. (etcd takes one without any range,
// which only compares, for serializable as well.)
KvService::ReadPlan KvService::PlanOf(const TxnRequest& request) const {
  ReadPlan plan{parts_.point_reads, Consistency::kLinearizable};
  int ranges = 0, serializable = 0;
  ForEachRange(request, [&](const RangeRequest& range) {
    ++ranges;
    if (range.serializable()) ++serializable;
    if (!range.range_end().empty()) plan.lane = parts_.range_reads;
  });
  if (ranges > 0 && serializable == ranges) plan.consistency = Consistency::kSerializable;
  for (const etcdserverpb::Compare& compare : request.compare()) {
    if (!compare.range_end().empty()) plan.lane = parts_.range_reads;
  }
  return plan;
}

ServerUnaryReactor* KvService::Range(CallbackServerContext* call, const RangeRequest* request,
                                     RangeResponse* response) {
  const auto execute = [this, request, response](const ReadView& view) {
    return view.Range(*request, response, limits_.range_bytes_max);
  };
  return Read(call, CheckRangeRequest(*request), PlanOf(*request), execute, response);
}

grpc::ServerWriteReactor<RangeStreamResponse>* KvService::RangeStream(CallbackServerContext* call,
                                                                      const RangeRequest* request) {
  auto* const stream = new StreamCall<RangeStreamResponse>(parts_.streams);
  absl::Status ready = parts_.member->CheckServing(*call);
  if (ready.ok()) ready = CheckRangeWalk(*request);
  if (!ready.ok()) {
    stream->FinishNow(ready);
  } else if (request->serializable()) {
    BeginStream(*request, stream);
  } else {
    raft::Replica* const replica = parts_.member->replica();
    replica->ReadBarrier(raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
                         [this, request, stream, replica](absl::Status passed) {
                           if (passed.ok()) return BeginStream(*request, stream);
                           const NodeId leader = replica->CurrentLeadership().leader;
                           stream->FinishNow(ErrorOfRead(passed, leader));
                         });
  }
  return stream;
}

void KvService::BeginStream(const RangeRequest& request, StreamCall<RangeStreamResponse>* stream) {
  // The first step of a walk reads, so it is begun where the others are made.
  stream->Begin([this, request = request, view = parts_.store->View(),
                 walk = std::unique_ptr<RangeWalk>()](RangeStreamResponse* piece) mutable
                -> absl::StatusOr<StreamCall<RangeStreamResponse>::Step> {
    if (walk == nullptr) {
      auto begun = RangeWalk::Begin(std::move(view), std::move(request));
      if (!begun.ok()) return begun.status();
      walk = *std::move(begun);
    }
    return MakePiece(*parts_.member, walk.get(), piece);
  });
}

ServerUnaryReactor* KvService::Put(CallbackServerContext* call, const PutRequest* request,
                                   PutResponse* response) {
  return Write(call, CheckRoom(CheckPutRequest(*request), *request), *request, response);
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
    return Write(call, CheckRoom(valid, *request), *request, response);
  }
  const auto execute = [this, request, response](const ReadView& view) {
    return view.Txn(*request, response, limits_.range_bytes_max);
  };
  return Read(call, valid, PlanOf(*request), execute, response);
}

ServerUnaryReactor* KvService::Compact(CallbackServerContext* call,
                                       const CompactionRequest* request,
                                       CompactionResponse* response) {
  if (!request->physical()) return Write(call, absl::OkStatus(), *request, response);
  auto* const reactor = new PatientCall;
  const absl::Status proposed = Propose(
      *call, absl::OkStatus(), *request,
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
