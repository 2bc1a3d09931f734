#include "cmd/pontoonctl/endpoint_health.h"

#include <future>

#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

// What `ask` gives for each endpoint, all asked at the same time.
template <typename Answer>
std::vector<Answer> AskAll(const std::vector<Endpoint>& endpoints, absl::Duration timeout,
                           Answer (*ask)(const Endpoint&, absl::Duration)) {
  std::vector<std::future<Answer>> pending;
  for (const Endpoint& endpoint : endpoints) {
    pending.push_back(std::async(std::launch::async, ask, endpoint, timeout));
  }
  std::vector<Answer> answers;
  for (auto& answer : pending) answers.push_back(answer.get());
  return answers;
}

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
  return AskAll(endpoints, timeout, CheckOne);
}

std::vector<EndpointAlarms> AskForAlarms(const std::vector<Endpoint>& endpoints,
                                         absl::Duration timeout) {
  return AskAll(endpoints, timeout, AskOne);
}

}  // namespace pontoon::ctl
