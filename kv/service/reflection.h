// Reflection: whether a server tells its clients what services and messages it has.

#ifndef PONTOON_KV_SERVICE_REFLECTION_H_
#define PONTOON_KV_SERVICE_REFLECTION_H_

#include <grpcpp/impl/server_builder_option.h>

#include <memory>

namespace pontoon::kv {

// To be set for every server of a process: gRPC's library, once it is linked, has each of them
// offer grpc.reflection.v1alpha.ServerReflection.
std::unique_ptr<grpc::ServerBuilderOption> ReflectionOption(bool is_offered);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_REFLECTION_H_
