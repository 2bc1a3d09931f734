// The versions that this server reports.

#ifndef PONTOON_KV_SERVICE_VERSION_H_
#define PONTOON_KV_SERVICE_VERSION_H_

namespace pontoon::kv {

// The level of etcd's API that is offered. Clients decide by it what they may ask for: Kubernetes
// uses watch progress requests only from 3.5.13 on, for example.
inline constexpr char kEtcdApiVersion[] = "3.7.0";

inline constexpr char kPontoonVersion[] = "0.1.0";

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_VERSION_H_
