#include "tests/differential/executor.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"
#include "tests/differential/normalise.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::Cluster;
using etcdserverpb::CompactionRequest;
using etcdserverpb::CompactionResponse;
using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::LeaseLeasesRequest;
using etcdserverpb::LeaseLeasesResponse;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseRevokeResponse;
using etcdserverpb::Maintenance;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + WatchStream::kPatience));
}

// Calls `method` of `stub`.
template <typename Stub, typename Request, typename Response>
Reply Unary(Stub* stub,
            grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
            const Request& request) {
  grpc::ClientContext context;
  SetDeadline(&context);
  auto response = std::make_unique<Response>();
  Reply reply;
  reply.status = (stub->*method)(&context, request, response.get());
  if (reply.status.ok()) reply.messages.push_back(std::move(response));
  return reply;
}

// Whether a call failed for want of a server. Servers that live speak for themselves.
bool IsDead(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
          !absl::StartsWith(status.error_message(), "etcdserver: "));
}

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Alternatives for std::visit.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace

Executor::Executor(const std::shared_ptr<grpc::Channel>& channel)
    : kv_(KV::NewStub(channel)),
      lease_(Lease::NewStub(channel)),
      watch_(etcdserverpb::Watch::NewStub(channel)),
      maintenance_(Maintenance::NewStub(channel)),
      cluster_(Cluster::NewStub(channel)) {}

Trace Executor::Run(const Program& program) {
  Trace trace;
  const absl::StatusOr<int64_t> base = Clear();
  if (!base.ok()) {
    trace.failure = absl::StrCat("cannot be cleared: ", base.status().ToString());
    return trace;
  }
  State state(*base);
  Watchers watchers(watch_.get(), kv_.get());
  MakeAll(program, &state, &watchers, &trace);
  for (Reply& reply : trace.replies) {
    for (auto& message : reply.messages) Normalise(state.symbols, message.get());
  }
  for (auto& [name, watcher] : trace.watchers) {
    for (auto& message : watcher.messages) Normalise(state.symbols, message.get());
  }
  return trace;
}

void Executor::MakeAll(const Program& program, State* state, Watchers* watchers, Trace* trace) {
  for (size_t i = 0; i < program.calls.size(); ++i) {
    absl::StatusOr<Reply> reply = Make(program, i, state, watchers);
    if (!reply.ok()) {
      trace->failure = absl::StrCat("call ", i, ": ", reply.status().ToString());
    } else if (IsDead(reply->status)) {
      trace->failure = absl::StrCat("call ", i, " has no answer: ", reply->status.error_message());
    }
    if (!trace->failure.empty()) return;
    trace->replies.push_back(*std::move(reply));
  }
  if (absl::Status s = watchers->CatchUp(); !s.ok()) {
    trace->failure = absl::StrCat("after the last call: ", s.ToString());
  }
  trace->watchers = watchers->TakeTraces();
}

absl::StatusOr<Reply> Executor::Make(const Program& program, size_t number, State* state,
                                     Watchers* watchers) {
  Call call = program.calls[number];
  state->symbols.Resolve(MutableRequestOf(&call));
  if (const auto* watch = std::get_if<WatchCall>(&call)) {
    return watchers->Make(number, watch->stream, watch->request, state->compacted);
  }
  if (const auto* compact = std::get_if<CompactionRequest>(&call)) {
    if (absl::Status s = watchers->CatchUp(); !s.ok()) return s;
    Reply reply = Unary(kv_.get(), &KV::Stub::Compact, *compact);
    if (reply.status.ok()) state->compacted = compact->revision();
    return reply;
  }
  if (const auto* grant = std::get_if<LeaseGrantRequest>(&call)) {
    return Grant(*grant, &state->symbols);
  }
  if (const auto* keep_alive = std::get_if<LeaseKeepAliveRequest>(&call)) {
    return KeepAlive(*keep_alive);
  }
  return MakePlain(call);
}

Reply Executor::MakePlain(const Call& call) {
  const Overloaded make{
      [this](const etcdserverpb::RangeRequest& request) {
        return Unary(kv_.get(), &KV::Stub::Range, request);
      },
      [this](const PutRequest& request) { return Unary(kv_.get(), &KV::Stub::Put, request); },
      [this](const DeleteRangeRequest& request) {
        return Unary(kv_.get(), &KV::Stub::DeleteRange, request);
      },
      [this](const etcdserverpb::TxnRequest& request) {
        return Unary(kv_.get(), &KV::Stub::Txn, request);
      },
      [this](const LeaseRevokeRequest& request) {
        return Unary(lease_.get(), &Lease::Stub::LeaseRevoke, request);
      },
      [this](const etcdserverpb::LeaseTimeToLiveRequest& request) {
        return Unary(lease_.get(), &Lease::Stub::LeaseTimeToLive, request);
      },
      [this](const LeaseLeasesRequest& request) {
        return Unary(lease_.get(), &Lease::Stub::LeaseLeases, request);
      },
      [this](const etcdserverpb::AlarmRequest& request) {
        return Unary(maintenance_.get(), &Maintenance::Stub::Alarm, request);
      },
      [this](const etcdserverpb::StatusRequest& request) {
        return Unary(maintenance_.get(), &Maintenance::Stub::Status, request);
      },
      [this](const etcdserverpb::MemberListRequest& request) {
        return Unary(cluster_.get(), &Cluster::Stub::MemberList, request);
      },
      [&call](const auto& /*request*/) {
        CHECK(false) << KindOf(call) << " is more than one request and one response";
        return Reply();
      },
  };
  return std::visit(make, call);
}

Reply Executor::Grant(const LeaseGrantRequest& request, Symbols* symbols) {
  LeaseGrantRequest sent = request;
  if (IsDrawnLease(request.id())) sent.set_id(0);
  Reply reply = Unary(lease_.get(), &Lease::Stub::LeaseGrant, sent);
  if (reply.status.ok() && IsDrawnLease(request.id())) {
    const auto& response = static_cast<const LeaseGrantResponse&>(*reply.messages.front());
    symbols->NameLease(request.id(), response.id());
  }
  return reply;
}

// One request on a stream of its own.
Reply Executor::KeepAlive(const LeaseKeepAliveRequest& request) {
  grpc::ClientContext context;
  SetDeadline(&context);
  const auto stream = lease_->LeaseKeepAlive(&context);
  stream->Write(request);
  stream->WritesDone();
  Reply reply;
  for (LeaseKeepAliveResponse response; stream->Read(&response);) {
    reply.messages.push_back(std::make_unique<LeaseKeepAliveResponse>(response));
  }
  reply.status = stream->Finish();
  return reply;
}

absl::StatusOr<int64_t> Executor::Clear() {
  if (absl::Status s = RevokeAllLeases(); !s.ok()) return s;
  // A revision of its own: one that is compacted already cannot be compacted again.
  PutRequest put;
  put.set_key("a");
  const Reply written = Unary(kv_.get(), &KV::Stub::Put, put);
  if (!written.status.ok()) return ToStatus(written.status);
  DeleteRangeRequest all;
  all.set_key(std::string(1, '\0'));
  all.set_range_end(std::string(1, '\0'));
  const Reply deleted = Unary(kv_.get(), &KV::Stub::DeleteRange, all);
  if (!deleted.status.ok()) return ToStatus(deleted.status);
  CompactionRequest compact;
  compact.set_revision(
      static_cast<const DeleteRangeResponse&>(*deleted.messages.front()).header().revision());
  const Reply compacted = Unary(kv_.get(), &KV::Stub::Compact, compact);
  if (!compacted.status.ok()) return ToStatus(compacted.status);
  return compact.revision();
}

absl::Status Executor::RevokeAllLeases() {
  const Reply listed = Unary(lease_.get(), &Lease::Stub::LeaseLeases, LeaseLeasesRequest());
  if (listed.status.error_code() == grpc::StatusCode::UNIMPLEMENTED) return absl::OkStatus();
  if (!listed.status.ok()) return ToStatus(listed.status);
  for (const auto& each :
       static_cast<const LeaseLeasesResponse&>(*listed.messages.front()).leases()) {
    LeaseRevokeRequest revoke;
    revoke.set_id(each.id());
    const Reply revoked = Unary(lease_.get(), &Lease::Stub::LeaseRevoke, revoke);
    if (!revoked.status.ok()) return ToStatus(revoked.status);
  }
  return absl::OkStatus();
}

}  // namespace pontoon::differential
