// CallByName: calls of methods that there need not be.

#ifndef PONTOON_KV_SERVICE_TESTING_CALL_BY_NAME_H_
#define PONTOON_KV_SERVICE_TESTING_CALL_BY_NAME_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

namespace pontoon::kv {

// The answer to an empty request to any method at all: "/etcdserverpb.KV/Range".
grpc::Status CallByName(const std::shared_ptr<grpc::Channel>& channel, const std::string& method);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_TESTING_CALL_BY_NAME_H_
