#include "kv/monitor/call_metrics.h"

#include <grpcpp/support/status_code_enum.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/env/clock.h"

namespace pontoon::kv {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// As gRPC's specification spells them, and as etcd's exporter does.
struct CodeName {
  const char* specified;
  const char* go;
};
constexpr std::array<CodeName, CallMetrics::kCodes> kCodeNames = {{
    {"OK", "OK"},
    {"CANCELLED", "Canceled"},
    {"UNKNOWN", "Unknown"},
    {"INVALID_ARGUMENT", "InvalidArgument"},
    {"DEADLINE_EXCEEDED", "DeadlineExceeded"},
    {"NOT_FOUND", "NotFound"},
    {"ALREADY_EXISTS", "AlreadyExists"},
    {"PERMISSION_DENIED", "PermissionDenied"},
    {"RESOURCE_EXHAUSTED", "ResourceExhausted"},
    {"FAILED_PRECONDITION", "FailedPrecondition"},
    {"ABORTED", "Aborted"},
    {"OUT_OF_RANGE", "OutOfRange"},
    {"UNIMPLEMENTED", "Unimplemented"},
    {"INTERNAL", "Internal"},
    {"UNAVAILABLE", "Unavailable"},
    {"DATA_LOSS", "DataLoss"},
    {"UNAUTHENTICATED", "Unauthenticated"},
}};

const char* TypeName(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "bidi_stream" : "client_stream";
  return method.server_streaming() ? "server_stream" : "unary";
}

size_t IndexOf(const grpc::Status& status) {
  const auto code = static_cast<size_t>(status.error_code());
  return code < CallMetrics::kCodes ? code : static_cast<size_t>(grpc::StatusCode::UNKNOWN);
}

}  // namespace

// One call, from when the server has it until its status leaves, or until it is gone without one.
class CallMetrics::Interceptor final : public grpc::experimental::Interceptor {
 public:
  Interceptor(Method* method, bool is_unary)
      : method_(method), is_unary_(is_unary), begun_(Clock::System()->Now()) {
    method_->started.Add();
  }
  // A call whose client went away has no status to send.
  ~Interceptor() override {
    if (!finished_) Finish(grpc::Status::CANCELLED);
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Finish(methods->GetSendStatus());
    }
    methods->Proceed();
  }

 private:
  void Finish(const grpc::Status& status) {
    finished_ = true;
    method_->handled[IndexOf(status)].Add();
    if (is_unary_) method_->durations.Record(Clock::System()->Now() - begun_);
  }

  Method* const method_;
  const bool is_unary_;
  const Instant begun_;
  bool finished_ = false;
};

class CallMetrics::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(CallMetrics* metrics) : metrics_(metrics) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const char* const path = info->method();
    return new Interceptor(metrics_->Find(path == nullptr ? "" : path),
                           info->type() == ServerRpcInfo::Type::UNARY);
  }

 private:
  CallMetrics* const metrics_;
};

CallMetrics::CallMetrics(const std::vector<const google::protobuf::ServiceDescriptor*>& services) {
  for (const google::protobuf::ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const google::protobuf::MethodDescriptor& method = *service->method(i);
      methods_.push_back(
          std::make_unique<Method>(service->full_name(), method.name(), TypeName(method)));
      by_path_.emplace(absl::StrCat("/", service->full_name(), "/", method.name()),
                       methods_.back().get());
    }
  }
  methods_.push_back(std::make_unique<Method>("unknown", "unknown", "unknown"));
}

CallMetrics::Method* CallMetrics::Find(absl::string_view path) {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? methods_.back().get() : found->second;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CallMetrics::NewInterceptorFactory() {
  return std::make_unique<Factory>(this);
}

CallMetrics::Totals CallMetrics::ReadTotals() const {
  Totals totals;
  for (const auto& method : methods_) {
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = method->handled[code].value();
      totals.ended += count;
      if (code != static_cast<size_t>(grpc::StatusCode::OK)) totals.failed += count;
    }
    totals.durations += method->durations.Read();
  }
  return totals;
}

void CallMetrics::AddTo(MetricList* list) const {
  const auto for_each_called = [&](auto add) {
    for (const auto& method : methods_) {
      if (method->started.value() > 0) add(*method);
    }
  };
  for_each_called([&](const Method& method) {
    list->AddCounter("pontoon_grpc_requests_started_total", "Calls of clients that were begun.",
                     static_cast<double>(method.started.value()),
                     {{"service", method.service}, {"method", method.name}});
  });
  for_each_called([&](const Method& method) {
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = method.handled[code].value();
      if (count == 0) continue;
      list->AddCounter("pontoon_grpc_requests_total",
                       "Calls of clients that have ended, by their status.",
                       static_cast<double>(count),
                       {{"service", method.service},
                        {"method", method.name},
                        {"code", kCodeNames[code].specified}});
    }
  });
  for_each_called([&](const Method& method) {
    const DurationHistogram::Reading durations = method.durations.Read();
    if (durations.count() == 0) return;
    list->AddHistogram("pontoon_grpc_request_duration_seconds",
                       "From the arrival of a call until its status leaves; of unary calls.",
                       durations, {{"service", method.service}, {"method", method.name}});
  });
}

void CallMetrics::AddEtcdTo(MetricList* list) const {
  for (const auto& method : methods_) {
    if (method->type == absl::string_view("unknown")) continue;
    list->AddCounter("grpc_server_started_total", "As pontoon_grpc_requests_started_total.",
                     static_cast<double>(method->started.value()),
                     {{"grpc_type", method->type},
                      {"grpc_service", method->service},
                      {"grpc_method", method->name}});
  }
  for (const auto& method : methods_) {
    if (method->type == absl::string_view("unknown")) continue;
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = method->handled[code].value();
      if (count == 0) continue;
      list->AddCounter("grpc_server_handled_total", "As pontoon_grpc_requests_total.",
                       static_cast<double>(count),
                       {{"grpc_type", method->type},
                        {"grpc_service", method->service},
                        {"grpc_method", method->name},
                        {"grpc_code", kCodeNames[code].go}});
    }
  }
}

}  // namespace pontoon::kv
