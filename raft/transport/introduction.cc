#include "raft/transport/introduction.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/peer.grpc.pb.h"
#include "raft/base/membership.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;

void WriteSelf(const Identity& self, wire::KnownSelf* out) {
  out->set_cluster_id(self.cluster_id);
  out->set_member_id(self.member.value());
  out->set_data_incarnation(self.data_incarnation);
}

Identity ReadSelf(const wire::KnownSelf& self) {
  return {.cluster_id = self.cluster_id(),
          .member = NodeId(self.member_id()),
          .incarnation = 0,
          .data_incarnation = self.data_incarnation()};
}

wire::IntroduceRequest ToWire(const IntroductionRequest& request) {
  wire::IntroduceRequest out;
  for (const std::string& url : request.peer_urls) out.add_peer_urls(url);
  if (request.self.has_value()) WriteSelf(*request.self, out.mutable_self());
  return out;
}

Introduction ReadIntroduction(const wire::IntroduceResponse& response) {
  Introduction introduction{.cluster_id = response.cluster_id(),
                            .self = NodeId(response.member_id()),
                            .token = response.token(),
                            .members = {},
                            .membership_index = LogIndex(response.membership_index())};
  for (const wire::KnownMember& known : response.members()) {
    Introduction::Member& member = introduction.members.emplace_back();
    member.id = NodeId(known.member_id());
    member.name = known.name();
    member.peer_urls.assign(known.peer_urls().begin(), known.peer_urls().end());
    if (known.has_data_incarnation()) member.data_incarnation = known.data_incarnation();
  }
  return introduction;
}

bool HasSelf(const Introduction& introduction) {
  for (const Introduction::Member& member : introduction.members) {
    if (member.id == introduction.self) return true;
  }
  return false;
}

void WriteIntroduction(const Introduction& introduction, wire::IntroduceResponse* response) {
  response->set_cluster_id(introduction.cluster_id);
  response->set_member_id(introduction.self.value());
  response->set_token(introduction.token);
  response->set_membership_index(introduction.membership_index.value());
  for (const Introduction::Member& member : introduction.members) {
    wire::KnownMember& known = *response->add_members();
    known.set_member_id(member.id.value());
    known.set_name(member.name);
    for (const std::string& url : member.peer_urls) known.add_peer_urls(url);
    if (member.data_incarnation.has_value()) known.set_data_incarnation(*member.data_incarnation);
  }
}

absl::Status ReadRefusal(const wire::Refusal& refusal) {
  return absl::Status(static_cast<absl::StatusCode>(refusal.code()), refusal.message());
}

}  // namespace

IntroductionRequest ReadIntroductionRequest(const wire::IntroduceRequest& request) {
  IntroductionRequest read{{request.peer_urls().begin(), request.peer_urls().end()}};
  if (request.has_self()) read.self = ReadSelf(request.self());
  return read;
}

absl::Status CheckIntroductionRequest(const wire::IntroduceRequest& request) {
  if (static_cast<size_t>(request.peer_urls_size()) > kPeerUrlsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a member has at most ", kPeerUrlsMax, " peer addresses"));
  }
  for (const std::string& url : request.peer_urls()) {
    if (url.size() <= kPeerUrlBytesMax) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("a peer address has at most ", kPeerUrlBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

void WriteAnswer(const IntroductionAnswer& answer, wire::IntroduceResponse* response) {
  WriteSelf(answer.teller, response->mutable_teller());
  if (answer.introduction.ok()) return WriteIntroduction(*answer.introduction, response);
  const absl::Status& refusal = answer.introduction.status();
  response->mutable_refusal()->set_code(static_cast<uint32_t>(refusal.code()));
  response->mutable_refusal()->set_message(std::string(refusal.message()));
}

absl::StatusOr<IntroductionAnswer> AskForIntroduction(const std::string& address,
                                                      const IntroductionRequest& request,
                                                      absl::Duration timeout) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = wire::Peer::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  wire::IntroduceResponse response;
  const grpc::Status status = stub->Introduce(&context, ToWire(request), &response);
  if (!status.ok()) {
    // Abseil and gRPC number the canonical codes alike.
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  const absl::Status senseless = absl::FailedPreconditionError("the answer makes no sense");
  const Identity teller = ReadSelf(response.teller());
  if (teller.member == kNoNode) return senseless;
  if (response.has_refusal()) {
    const absl::Status refusal = ReadRefusal(response.refusal());
    if (refusal.ok()) return senseless;
    return IntroductionAnswer{teller, refusal};
  }
  Introduction introduction = ReadIntroduction(response);
  if (introduction.self == kNoNode || !HasSelf(introduction)) return senseless;
  return IntroductionAnswer{teller, std::move(introduction)};
}

}  // namespace pontoon::raft
