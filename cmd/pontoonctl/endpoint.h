// Endpoint: where a server listens for clients. The client library has it.

#ifndef PONTOON_CMD_PONTOONCTL_ENDPOINT_H_
#define PONTOON_CMD_PONTOONCTL_ENDPOINT_H_

#include "kv/client/endpoint.h"

namespace pontoon::ctl {

using pontoon::Endpoint;
using pontoon::JoinEndpoints;
using pontoon::ParseEndpoints;

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_ENDPOINT_H_
