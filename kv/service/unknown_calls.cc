#include "kv/service/unknown_calls.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "kv/service/not_offered.h"

namespace pontoon::kv {
namespace {

// "Watch.Watch" for "/etcdserverpb.Watch/Watch".
std::string NameOfCall(absl::string_view method) {
  absl::ConsumePrefix(&method, "/");
  const size_t slash = method.rfind('/');
  if (slash == absl::string_view::npos) return std::string(method);
  absl::string_view service = method.substr(0, slash);
  if (const size_t dot = service.rfind('.'); dot != absl::string_view::npos) {
    service.remove_prefix(dot + 1);
  }
  return absl::StrCat(service, ".", method.substr(slash + 1));
}

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const std::string& method) { Finish(NotOfferedStatus(NameOfCall(method))); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownCalls::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  return new Refusal(context->method());
}

}  // namespace pontoon::kv
