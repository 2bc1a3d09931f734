#include "cmd/pontoonctl/endpoint_health.h"

#include "cmd/pontoonctl/ask_all.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

EndpointHealth CheckOne(const Endpoint& endpoint, absl::Duration timeout) {
  etcdserverpb::RangeRequest request;
  request.set_key("health");
  etcdserverpb::RangeResponse response;
  const Deadline deadline = Deadline::After(timeout);
  Reply reply = AskOnce(endpoint, deadline, [&](Server& server, grpc::ClientContext* context) {
    return server.kv().Range(context, request, &response);
  });
  if (reply.status.error_code() == grpc::StatusCode::PERMISSION_DENIED) reply = Reply();
  return {reply, timeout - deadline.Remaining()};
}

EndpointAlarms AskOne(const Endpoint& endpoint, absl::Duration timeout) {
  EndpointAlarms alarms;
  alarms.reply = AskOnce(endpoint, Deadline::After(timeout),
                         [&](Server& server, grpc::ClientContext* context) {
                           return server.maintenance().Alarm(context, {}, &alarms.response);
                         });
  return alarms;
}

}  // namespace

std::vector<EndpointHealth> CheckHealth(const std::vector<Endpoint>& endpoints,
                                        absl::Duration timeout) {
  return AskAll(endpoints, [&](const Endpoint& endpoint) { return CheckOne(endpoint, timeout); });
}

std::vector<EndpointAlarms> AskForAlarms(const std::vector<Endpoint>& endpoints,
                                         absl::Duration timeout) {
  return AskAll(endpoints, [&](const Endpoint& endpoint) { return AskOne(endpoint, timeout); });
}

}  // namespace pontoon::ctl
