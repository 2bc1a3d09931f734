#include "kv/lease/lease_service.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "kv/errors.h"
#include "kv/lease/renewal_stream.h"
#include "kv/outcome.h"
#include "kv/service/command_result.h"
#include "kv/service/write_options.h"
#include "kv/store/lease_records.h"
#include "proto/command.pb.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::LeaseLeasesRequest;
using etcdserverpb::LeaseLeasesResponse;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseRevokeResponse;
using etcdserverpb::LeaseTimeToLiveRequest;
using etcdserverpb::LeaseTimeToLiveResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr size_t kCommandBytesMax = 64;

// Fills in what the store knows of the lease, as it is answered if nobody keeps its time: -1 for
// one that does not exist. False if it does not.
absl::StatusOr<bool> Describe(const ReadView& view, const LeaseTimeToLiveRequest& request,
                              LeaseTimeToLiveResponse* response) {
  const LeaseId lease(request.id());
  response->set_id(request.id());
  response->set_ttl(kNoSuchLease);
  const absl::StatusOr<std::optional<LeaseState>> state = ReadLease(view.records(), lease);
  if (!state.ok()) return state.status();
  if (!state->has_value()) return false;
  response->set_grantedttl((*state)->granted_ttl_seconds);
  if (request.keys()) {
    const absl::Status read = ForEachAttachedKey(
        view.records(), lease,
        [response](std::string_view key) { response->add_keys(key.data(), key.size()); });
    if (!read.ok()) return read;
  }
  return true;
}

// OK if the member serves a call that writes, and that says nothing that it would not heed.
absl::Status CheckWriting(const Member& member, const CallbackServerContext& call) {
  if (absl::Status s = member.CheckServing(call); !s.ok()) return s;
  return CheckNoWriteMetadata(call.client_metadata());
}

}  // namespace

ServerUnaryReactor* LeaseService::LeaseGrant(CallbackServerContext* call,
                                             const LeaseGrantRequest* request,
                                             LeaseGrantResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  if (absl::Status s = CheckWriting(*parts_.member, *call); !s.ok()) {
    reactor->Finish(ToGrpc(s));
    return reactor;
  }
  parts_.granter->Grant(*request, parts_.member->DeadlineOf(*call),
                        [reactor, response](absl::StatusOr<LeaseGrantResponse> granted) {
                          if (granted.ok()) *response = *std::move(granted);
                          reactor->Finish(ToGrpc(granted.status()));
                        });
  return reactor;
}

ServerUnaryReactor* LeaseService::LeaseRevoke(CallbackServerContext* call,
                                              const LeaseRevokeRequest* request,
                                              LeaseRevokeResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  storage::v1::LeaseRevocation revocation;
  revocation.set_id(request->id());
  if (absl::Status s = CheckWriting(*parts_.member, *call); !s.ok()) {
    reactor->Finish(ToGrpc(s));
    return reactor;
  }
  ProposeRequest<LeaseRevokeResponse>(
      *parts_.member, revocation, kCommandBytesMax, parts_.member->DeadlineOf(*call),
      [reactor, response](absl::StatusOr<LeaseRevokeResponse> revoked) {
        if (revoked.ok()) *response = *std::move(revoked);
        reactor->Finish(ToGrpc(revoked.status()));
      });
  return reactor;
}

grpc::ServerBidiReactor<LeaseKeepAliveRequest, LeaseKeepAliveResponse>*
LeaseService::LeaseKeepAlive(CallbackServerContext* call) {
  return RenewalStream::Start({parts_.member, parts_.store, parts_.keeper, parts_.leader_monitor},
                              call);
}

void LeaseService::ReadThen(const CallbackServerContext& call, ServerUnaryReactor* reactor,
                            ReadLane::Read read) {
  if (absl::Status s = parts_.member->CheckServing(call); !s.ok()) {
    return reactor->Finish(ToGrpc(s));
  }
  raft::Replica* const replica = parts_.member->replica();
  replica->ReadBarrier(
      raft::ReadMode::kQuorum, parts_.member->DeadlineOf(call),
      [this, reactor, replica, read = std::move(read)](absl::Status passed) mutable {
        passed = passed.ok() ? parts_.reads->Post(std::move(read))
                             : ErrorOfRead(passed, replica->CurrentLeadership().leader);
        if (!passed.ok()) reactor->Finish(ToGrpc(passed));
      });
}

ServerUnaryReactor* LeaseService::LeaseTimeToLive(CallbackServerContext* call,
                                                  const LeaseTimeToLiveRequest* request,
                                                  LeaseTimeToLiveResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  ReadThen(
      *call, reactor, [this, call, reactor, request, response](const ReadView& view, Term term) {
        parts_.member->FillHeader(term, response->mutable_header());
        response->mutable_header()->set_revision(view.revision().value());
        const absl::StatusOr<bool> exists = Describe(view, *request, response);
        if (!exists.ok() || !*exists) return reactor->Finish(ToGrpc(exists.status()));
        parts_.keeper->Ask(LeaseQuestion::Kind::kTimeLeft, LeaseId(request->id()),
                           parts_.member->DeadlineOf(*call),
                           [reactor, response](absl::StatusOr<int64_t> seconds) {
                             if (seconds.ok()) response->set_ttl(*seconds);
                             if (seconds.ok() && *seconds == kNoSuchLease) {  // revoked meanwhile
                               response->clear_grantedttl();
                               response->clear_keys();
                             }
                             reactor->Finish(ToGrpc(seconds.status()));
                           });
      });
  return reactor;
}

ServerUnaryReactor* LeaseService::LeaseLeases(CallbackServerContext* call,
                                              const LeaseLeasesRequest* /*request*/,
                                              LeaseLeasesResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  ReadThen(*call, reactor, [this, reactor, response](const ReadView& view, Term term) {
    parts_.member->FillHeader(term, response->mutable_header());
    response->mutable_header()->set_revision(view.revision().value());
    const absl::Status read =
        ForEachLease(view.records(), [response](LeaseId lease, const LeaseState&) {
          response->add_leases()->set_id(lease.value());
        });
    reactor->Finish(ToGrpc(read));
  });
  return reactor;
}

}  // namespace pontoon::kv
