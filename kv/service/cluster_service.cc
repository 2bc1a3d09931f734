#include "kv/service/cluster_service.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/time/clock.h"
#include "kv/errors.h"
#include "kv/service/member_changes.h"
#include "kv/service/member_id.h"
#include "kv/outcome.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::MemberAddRequest;
using etcdserverpb::MemberAddResponse;
using etcdserverpb::MemberListRequest;
using etcdserverpb::MemberListResponse;
using etcdserverpb::MemberPromoteRequest;
using etcdserverpb::MemberPromoteResponse;
using etcdserverpb::MemberRemoveRequest;
using etcdserverpb::MemberRemoveResponse;
using etcdserverpb::MemberUpdateRequest;
using etcdserverpb::MemberUpdateResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using Kind = MembershipChange::Kind;

// The change was made; but what is there now cannot be said. To a client that is an unknown
// outcome, and the list of members tells it.
constexpr ApiError kMadeButNotListed = kErrTimeout;

}  // namespace

ServerUnaryReactor* ClusterService::MemberList(CallbackServerContext* call,
                                               const MemberListRequest* request,
                                               MemberListResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const Answer answer = AnswerIn(response);
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) {
    reactor->Finish(ToGrpc(s));
  } else if (!request->linearizable()) {
    List(reactor, answer);
  } else {
    raft::Replica* const replica = parts_.member->replica();
    replica->ReadBarrier(
        raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
        [this, reactor, replica, answer](absl::Status passed) {
          if (passed.ok()) return List(reactor, answer);
          reactor->Finish(ToGrpc(ErrorOfRead(passed, replica->CurrentLeadership().leader)));
        });
  }
  return reactor;
}

void ClusterService::List(ServerUnaryReactor* reactor, Answer answer) {
  const absl::Status posted =
      parts_.lane->Post([this, reactor, answer](const ReadView& view, Term /*term*/) {
        reactor->Finish(ToGrpc(FillList(view, answer)));
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(posted));
}

absl::Status ClusterService::FillList(const ReadView& view, Answer answer) const {
  const raft::ReplicaStatus status = parts_.member->replica()->Status();
  // A joint configuration that is committed leads to the next one and nowhere else.
  const Membership membership = status.membership.Target();
  const auto members = parts_.directory->Members(view, membership);
  if (!members.ok()) return members.status();
  parts_.member->FillHeader(status.term, answer.header);
  for (const MemberInfo& info : *members) {
    etcdserverpb::Member& member = *answer.members->Add();
    member.set_id(info.id.value());
    member.set_name(info.name);
    for (const std::string& url : info.peer_urls) member.add_peerurls(url);
    for (const std::string& url : info.client_urls) member.add_clienturls(url);
    member.set_islearner(membership.IsLearner(info.id));
  }
  return absl::OkStatus();
}

void ClusterService::Change(const CallbackServerContext& call, ServerUnaryReactor* reactor,
                            absl::StatusOr<MembershipChange> change, Answer answer) {
  absl::Status ready = parts_.member->CheckServing(call);
  if (ready.ok()) ready = change.status();
  if (!ready.ok()) return reactor->Finish(ToGrpc(ready));
  raft::Replica* const replica = parts_.member->replica();
  const Kind kind = change->kind;
  replica->ChangeMembership(
      {*std::move(change)}, parts_.member->DeadlineOf(call),
      [this, reactor, replica, kind, answer](raft::ChangeOutcome outcome) {
        if (std::holds_alternative<raft::ChangeMade>(outcome)) {
          ListAfterChange(reactor, answer);
        } else if (const auto* refusal = std::get_if<ChangeRefusal>(&outcome)) {
          reactor->Finish(ToGrpc(ErrorOf(*refusal, kind)));
        } else {
          const raft::OutcomeUnknown unknown{raft::OutcomeUnknown::Reason::kDeadline};
          reactor->Finish(ToGrpc(ErrorOf(unknown, replica->CurrentLeadership().leader)));
        }
      });
}

void ClusterService::ListAfterChange(ServerUnaryReactor* reactor, Answer answer) {
  const absl::Status posted =
      parts_.lane->Post([this, reactor, answer](const ReadView& view, Term /*term*/) {
        const bool listed = FillList(view, answer).ok();
        reactor->Finish(listed ? grpc::Status::OK : ToGrpc(kMadeButNotListed));
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(kMadeButNotListed));
}

ServerUnaryReactor* ClusterService::MemberAdd(CallbackServerContext* call,
                                              const MemberAddRequest* request,
                                              MemberAddResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::StatusOr<std::vector<std::string>> urls = CheckPeerUrls(request->peerurls());
  if (!urls.ok()) {
    Change(*call, reactor, urls.status(), AnswerIn(response));
    return reactor;
  }
  const NodeId id = AddedMemberIdOf(*urls, parts_.token, absl::Now());
  etcdserverpb::Member& member = *response->mutable_member();
  member.set_id(id.value());
  for (const std::string& url : *urls) member.add_peerurls(url);
  member.set_islearner(request->islearner());  // as what it was added; the list says what it is now
  MembershipChange change{Kind::kAddVoter, id, *urls};
  if (request->islearner()) {
    change.kind = Kind::kAddLearner;
    change.learners_max = parts_.learners_max;
  }
  Change(*call, reactor, std::move(change), AnswerIn(response));
  return reactor;
}

ServerUnaryReactor* ClusterService::MemberRemove(CallbackServerContext* call,
                                                 const MemberRemoveRequest* request,
                                                 MemberRemoveResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  Change(*call, reactor, MembershipChange{Kind::kRemove, NodeId(request->id())},
         AnswerIn(response));
  return reactor;
}

ServerUnaryReactor* ClusterService::MemberUpdate(CallbackServerContext* call,
                                                 const MemberUpdateRequest* request,
                                                 MemberUpdateResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::StatusOr<std::vector<std::string>> urls = CheckPeerUrls(request->peerurls());
  if (urls.ok()) {
    Change(*call, reactor, MembershipChange{Kind::kUpdate, NodeId(request->id()), *urls},
           AnswerIn(response));
  } else {
    Change(*call, reactor, urls.status(), AnswerIn(response));
  }
  return reactor;
}

ServerUnaryReactor* ClusterService::MemberPromote(CallbackServerContext* call,
                                                  const MemberPromoteRequest* request,
                                                  MemberPromoteResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  Change(*call, reactor, MembershipChange{Kind::kPromote, NodeId(request->id())},
         AnswerIn(response));
  return reactor;
}

}  // namespace pontoon::kv
