#include "cmd/pontoonctl/lease_calls.h"

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;

// A stream for one renewal: so it needs no care while nothing is renewed, and the next renewal goes
// to whatever server is well by then.
grpc::Status KeepAliveOnce(Server& server, grpc::ClientContext* context, int64_t id,
                           LeaseKeepAliveResponse* response) {
  const auto stream = server.lease().LeaseKeepAlive(context);
  LeaseKeepAliveRequest request;
  request.set_id(id);
  stream->Write(request);  // if it fails, so does Read
  const bool answered = stream->Read(response);
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (answered) return grpc::Status::OK;
  if (!status.ok()) return status;
  return {grpc::StatusCode::UNAVAILABLE, "the server ended the stream without an answer"};
}

}  // namespace

std::string FormatLease(int64_t id) { return absl::StrCat(absl::Hex(id)); }

Reply GrantLease(Session& session, Deadline deadline,
                 const etcdserverpb::LeaseGrantRequest& request,
                 etcdserverpb::LeaseGrantResponse* response) {
  return session.Write(deadline, [&](Server& server, grpc::ClientContext* context) {
    return server.lease().LeaseGrant(context, request, response);
  });
}

Reply RevokeLease(Session& session, Deadline deadline, int64_t id) {
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(id);
  etcdserverpb::LeaseRevokeResponse response;
  return session.Write(deadline, [&](Server& server, grpc::ClientContext* context) {
    return server.lease().LeaseRevoke(context, request, &response);
  });
}

Reply RenewLease(Session& session, Deadline deadline, int64_t id,
                 LeaseKeepAliveResponse* response) {
  return session.WriteRepeatable(deadline, [&](Server& server, grpc::ClientContext* context) {
    return KeepAliveOnce(server, context, id, response);
  });
}

}  // namespace pontoon::ctl
