#include "tests/integration/client.h"

#include "absl/time/clock.h"
#include "kv/client/key_prefix.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::CompactionRequest;
using etcdserverpb::CompactionResponse;
using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
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
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::StatusRequest;
using etcdserverpb::StatusResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Nodes come and go here all the time; the defaults wait for up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);  // the longest that connecting takes
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Whether a node that says this of itself took nothing of the request. Otherwise UNAVAILABLE says
// little: a lost connection ends in it, too.
bool IsCertain(std::string_view unavailable) {
  return unavailable == "etcdserver: no leader" || unavailable == "etcdserver: server stopped";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return out << "ok";
    case Outcome::kRefused:
      return out << "refused";
    case Outcome::kUnknown:
      return out << "unknown";
  }
  return out;
}

Outcome OutcomeOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return Outcome::kOk;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::UNIMPLEMENTED:
      return Outcome::kRefused;
    case grpc::StatusCode::UNAVAILABLE:
      return IsCertain(status.error_message()) ? Outcome::kRefused : Outcome::kUnknown;
    default:
      return Outcome::kUnknown;
  }
}

Client::Client(const std::string& address, ClientOptions options)
    : address_(address),
      options_(options),
      channel_(MakeChannel(address)),
      kv_(etcdserverpb::KV::NewStub(channel_)),
      maintenance_(etcdserverpb::Maintenance::NewStub(channel_)),
      cluster_(etcdserverpb::Cluster::NewStub(channel_)) {}

bool Client::WaitForConnected(absl::Duration timeout) {
  return channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + timeout));
}

template <typename Stub, typename Request, typename Response>
Answer<Response> Client::Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
  context.set_wait_for_ready(options_.when_disconnected == WhenDisconnected::kWait);
  Answer<Response> answer;
  answer.status = (stub.*method)(&context, request, &answer.response);
  return answer;
}

Answer<PutResponse> Client::Put(std::string_view key, std::string_view value) {
  PutRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  return Put(request);
}

Answer<RangeResponse> Client::Get(std::string_view key, ReadMode mode) {
  RangeRequest request;
  request.set_key(std::string(key));
  request.set_serializable(mode == ReadMode::kSerializable);
  return Range(request);
}

Answer<DeleteRangeResponse> Client::Delete(std::string_view key) {
  DeleteRangeRequest request;
  request.set_key(std::string(key));
  return Delete(request);
}

Answer<CompactionResponse> Client::Compact(int64_t revision) {
  CompactionRequest request;
  request.set_revision(revision);
  return Call(*kv_, &etcdserverpb::KV::Stub::Compact, request);
}

Answer<RangeResponse> Client::Range(const RangeRequest& request) {
  return Call(*kv_, &etcdserverpb::KV::Stub::Range, request);
}

Answer<PutResponse> Client::Put(const PutRequest& request) {
  return Call(*kv_, &etcdserverpb::KV::Stub::Put, request);
}

Answer<DeleteRangeResponse> Client::Delete(const DeleteRangeRequest& request) {
  return Call(*kv_, &etcdserverpb::KV::Stub::DeleteRange, request);
}

Answer<TxnResponse> Client::Txn(const TxnRequest& request) {
  return Call(*kv_, &etcdserverpb::KV::Stub::Txn, request);
}

Answer<StatusResponse> Client::Status() {
  return Call(*maintenance_, &etcdserverpb::Maintenance::Stub::Status, StatusRequest());
}

Answer<MemberListResponse> Client::MemberList() {
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberList, MemberListRequest());
}

Answer<MemberAddResponse> Client::MemberAdd(const std::string& peer_url) {
  MemberAddRequest request;
  request.add_peerurls(peer_url);
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberAdd, request);
}

Answer<MemberAddResponse> Client::MemberAddAsLearner(const std::string& peer_url) {
  MemberAddRequest request;
  request.add_peerurls(peer_url);
  request.set_islearner(true);
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberAdd, request);
}

Answer<MemberRemoveResponse> Client::MemberRemove(uint64_t id) {
  MemberRemoveRequest request;
  request.set_id(id);
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberRemove, request);
}

Answer<MemberPromoteResponse> Client::MemberPromote(uint64_t id) {
  MemberPromoteRequest request;
  request.set_id(id);
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberPromote, request);
}

Answer<MemberUpdateResponse> Client::MemberUpdate(uint64_t id, const std::string& peer_url) {
  MemberUpdateRequest request;
  request.set_id(id);
  request.add_peerurls(peer_url);
  return Call(*cluster_, &etcdserverpb::Cluster::Stub::MemberUpdate, request);
}

RangeRequest PrefixRange(std::string_view prefix, ReadMode mode) {
  RangeRequest request = ForPrefix<RangeRequest>({prefix.data(), prefix.size()});
  request.set_serializable(mode == ReadMode::kSerializable);
  return request;
}

}  // namespace pontoon::testing
