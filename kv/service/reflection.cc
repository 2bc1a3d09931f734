#include "kv/service/reflection.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <vector>

namespace pontoon::kv {
namespace {

using grpc::reflection::ProtoServerReflectionPlugin;

class Option final : public grpc::ServerBuilderOption {
 public:
  explicit Option(bool is_offered) : is_offered_(is_offered) {}

  void UpdateArguments(grpc::ChannelArguments*) override {}

  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    auto plugin = std::make_unique<ProtoServerReflectionPlugin>();
    std::erase_if(*plugins, [&](const auto& other) { return other->name() == plugin->name(); });
    if (is_offered_) plugins->push_back(std::move(plugin));
  }

 private:
  const bool is_offered_;
};

}  // namespace

std::unique_ptr<grpc::ServerBuilderOption> ReflectionOption(bool is_offered) {
  return std::make_unique<Option>(is_offered);
}

}  // namespace pontoon::kv
