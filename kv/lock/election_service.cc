#include "kv/lock/election_service.h"

#include <string>
#include <utility>

#include "kv/lock/observation.h"
#include "kv/outcome.h"
#include "kv/service/command_result.h"
#include "kv/service/write_options.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using v3electionpb::CampaignRequest;
using v3electionpb::CampaignResponse;
using v3electionpb::LeaderKey;
using v3electionpb::LeaderRequest;
using v3electionpb::LeaderResponse;
using v3electionpb::ProclaimRequest;
using v3electionpb::ProclaimResponse;
using v3electionpb::ResignRequest;
using v3electionpb::ResignResponse;

QueuePlace PlaceOf(const LeaderKey& leader) { return {leader.key(), Revision(leader.rev())}; }

absl::Status FillLeader(const ReadView& view, const std::string& name, LeaderResponse* response) {
  absl::StatusOr<std::optional<mvccpb::KeyValue>> first = FindFirst(view, name);
  if (!first.ok()) return first.status();
  if (!first->has_value()) return kErrElectionNoLeader;
  *response->mutable_kv() = **std::move(first);
  response->mutable_header()->set_revision(view.revision().value());
  return absl::OkStatus();
}

// A whole call that does `txn`, if the request is `valid`. `if_unchanged`: the status if that finds
// the place gone.
template <typename Response>
ServerUnaryReactor* Write(const QueueParts& parts, CallbackServerContext* call,
                          const absl::Status& valid, const TxnRequest& txn,
                          absl::Status if_unchanged, Response* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  absl::Status ready = parts.member->CheckServing(*call);
  if (ready.ok()) ready = CheckNoWriteMetadata(call->client_metadata());
  if (ready.ok()) ready = valid;
  if (!ready.ok()) {
    reactor->Finish(ToGrpc(ready));
    return reactor;
  }
  ProposeRequest<TxnResponse>(*parts.member, txn, parts.request_bytes_max,
                              parts.member->DeadlineOf(*call),
                              [reactor, response, if_unchanged](absl::StatusOr<TxnResponse> done) {
                                absl::Status status = done.status();
                                if (done.ok() && !done->succeeded()) status = if_unchanged;
                                if (status.ok())
                                  response->mutable_header()->Swap(done->mutable_header());
                                reactor->Finish(ToGrpc(status));
                              });
  return reactor;
}

template <typename Request>
absl::Status CheckLeaderKey(const Request& request) {
  return request.has_leader() ? absl::OkStatus() : absl::Status(kErrNoLeaderKey);
}

}  // namespace

ServerUnaryReactor* ElectionService::Campaign(CallbackServerContext* call,
                                              const CampaignRequest* request,
                                              CampaignResponse* response) {
  return QueueCall::Start(parts_, call,
                          {.name = request->name(),
                           .lease = LeaseId(request->lease()),
                           .value = request->value(),
                           .place_lost = kErrElectionNotLeader},
                          [request, response](const QueueCall::Turn& turn) {
                            *response->mutable_header() = turn.header;
                            LeaderKey& leader = *response->mutable_leader();
                            leader.set_name(request->name());
                            leader.set_key(turn.place.key);
                            leader.set_rev(turn.place.created.value());
                            leader.set_lease(turn.lease.value());
                          });
}

ServerUnaryReactor* ElectionService::Proclaim(CallbackServerContext* call,
                                              const ProclaimRequest* request,
                                              ProclaimResponse* response) {
  const TxnRequest txn =
      SetValue(PlaceOf(request->leader()), LeaseId(request->leader().lease()), request->value());
  return Write(parts_, call, CheckLeaderKey(*request), txn, kErrElectionNotLeader, response);
}

// To resign from what one does not have is no error.
ServerUnaryReactor* ElectionService::Resign(CallbackServerContext* call,
                                            const ResignRequest* request,
                                            ResignResponse* response) {
  return Write(parts_, call, CheckLeaderKey(*request), LeaveQueue(PlaceOf(request->leader())),
               absl::OkStatus(), response);
}

ServerUnaryReactor* ElectionService::Leader(CallbackServerContext* call,
                                            const LeaderRequest* request,
                                            LeaderResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) {
    reactor->Finish(ToGrpc(s));
    return reactor;
  }
  raft::Replica* const replica = parts_.member->replica();
  const auto read = [this, reactor, request, response](const ReadView& view, Term term) {
    parts_.member->FillHeader(term, response->mutable_header());
    reactor->Finish(ToGrpc(FillLeader(view, request->name(), response)));
  };
  replica->ReadBarrier(raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
                       [this, reactor, replica, read](absl::Status passed) {
                         passed = passed.ok()
                                      ? reads_->Post(read)
                                      : ErrorOfRead(passed, replica->CurrentLeadership().leader);
                         if (!passed.ok()) reactor->Finish(ToGrpc(passed));
                       });
  return reactor;
}

grpc::ServerWriteReactor<LeaderResponse>* ElectionService::Observe(CallbackServerContext* call,
                                                                   const LeaderRequest* request) {
  return Observation::Start({parts_.member, parts_.changes, leader_monitor_}, call,
                            request->name());
}

}  // namespace pontoon::kv
