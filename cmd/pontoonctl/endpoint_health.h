// EndpointHealth: whether an endpoint serves its clients.

#ifndef PONTOON_CMD_PONTOONCTL_ENDPOINT_HEALTH_H_
#define PONTOON_CMD_PONTOONCTL_ENDPOINT_HEALTH_H_

#include <vector>

#include "absl/time/time.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/outcome.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// How a linearizable read of one endpoint went.
struct EndpointHealth {
  Reply read;
  absl::Duration took;
};

// Asks all endpoints at the same time. One that refuses for lack of permission is well.
std::vector<EndpointHealth> CheckHealth(const std::vector<Endpoint>& endpoints,
                                        absl::Duration timeout);

// The alarms that one endpoint knows of.
struct EndpointAlarms {
  Reply reply;
  etcdserverpb::AlarmResponse response;
};

// Asks all endpoints at the same time.
std::vector<EndpointAlarms> AskForAlarms(const std::vector<Endpoint>& endpoints,
                                         absl::Duration timeout);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_ENDPOINT_HEALTH_H_
