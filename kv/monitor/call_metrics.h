// CallMetrics: counts the calls of the clients, by method and outcome.

#ifndef PONTOON_KV_MONITOR_CALL_METRICS_H_
#define PONTOON_KV_MONITOR_CALL_METRICS_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/server_interceptor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "kv/monitor/metric_list.h"
#include "raft/env/instruments.h"

namespace pontoon::kv {

// The methods are known beforehand, so that clients cannot make up series: what calls any other
// method is counted under the service and method "unknown".
//
// Thread safety: all methods may be called from any thread; a call takes no lock.
class CallMetrics {
 public:
  // The codes of gRPC are 0 to 16; whatever else counts as UNKNOWN.
  static constexpr size_t kCodes = 17;

  explicit CallMetrics(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  CallMetrics(const CallMetrics&) = delete;
  CallMetrics& operator=(const CallMetrics&) = delete;

  // For grpc::ServerBuilder. The metrics must outlive the server.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewInterceptorFactory();

  // Of all methods together.
  struct Totals {
    uint64_t ended = 0;
    uint64_t failed = 0;  // with another status than OK
    DurationHistogram::Reading durations;
  };
  Totals ReadTotals() const;

  // pontoon_grpc_...; methods that were never called are left out.
  void AddTo(MetricList* list) const;
  // The same as grpc_server_started_total and grpc_server_handled_total: what servers of etcd show.
  void AddEtcdTo(MetricList* list) const;

 private:
  class Interceptor;
  class Factory;

  struct Method {
    Method(std::string service_name, std::string method_name, const char* type_name)
        : service(std::move(service_name)), name(std::move(method_name)), type(type_name) {}

    const std::string service;  // with its package
    const std::string name;
    const char* const type;  // "unary" ...
    Counter started;
    std::array<Counter, kCodes> handled;  // by code
    DurationHistogram durations;          // of unary calls
  };

  // `path` is "/package.Service/Method".
  Method* Find(absl::string_view path);

  std::vector<std::unique_ptr<Method>> methods_;  // the last one is for what is unknown
  absl::flat_hash_map<std::string, Method*> by_path_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_CALL_METRICS_H_
