#include "kv/monitor/call_metrics.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::KV;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers a Range, and refuses a Put.
class SomeService final : public KV::CallbackService {
 public:
  grpc::ServerUnaryReactor* Range(grpc::CallbackServerContext* call,
                                  const etcdserverpb::RangeRequest*,
                                  etcdserverpb::RangeResponse*) override {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* call, const etcdserverpb::PutRequest*,
                                etcdserverpb::PutResponse*) override {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "no"});
    return reactor;
  }
};

class CallMetricsTest : public ::testing::Test {
 protected:
  CallMetricsTest() {
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
    factories.push_back(metrics_.NewInterceptorFactory());
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    builder.experimental().SetInterceptorCreators(std::move(factories));
    server_ = builder.BuildAndStart();
    stub_ = KV::NewStub(server_->InProcessChannel({}));
  }
  ~CallMetricsTest() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  void Range() {
    grpc::ClientContext call;
    etcdserverpb::RangeResponse response;
    EXPECT_TRUE(stub_->Range(&call, {}, &response).ok());
  }
  void Put() {
    grpc::ClientContext call;
    etcdserverpb::PutResponse response;
    EXPECT_FALSE(stub_->Put(&call, {}, &response).ok());
  }
  // The server is gone, and with it every call has ended.
  std::string TextAtTheEnd(bool etcd_names = false) {
    server_->Shutdown();
    server_->Wait();
    server_.reset();
    MetricList list;
    if (etcd_names) {
      metrics_.AddEtcdTo(&list);
    } else {
      metrics_.AddTo(&list);
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, std::move(list).Take());
    return std::move(text).str();
  }

  CallMetrics metrics_{{etcdserverpb::RangeRequest::descriptor()->file()->FindServiceByName("KV")}};
  SomeService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<KV::Stub> stub_;
};

TEST_F(CallMetricsTest, CallsAreCountedByMethodAndStatus) {
  Range();
  Range();
  Put();
  const std::string text = TextAtTheEnd();
  const std::string labels = R"(service="etcdserverpb.KV",method=)";
  EXPECT_THAT(text, HasSubstr("pontoon_grpc_requests_started_total{" + labels + "\"Range\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("pontoon_grpc_requests_total{" + labels + "\"Range\",code=\"OK\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("pontoon_grpc_requests_total{" + labels +
                              "\"Put\",code=\"INVALID_ARGUMENT\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("pontoon_grpc_request_duration_seconds_count{" + labels + "\"Range\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("Compact")));
}

TEST_F(CallMetricsTest, EtcdsNamesAreThoseOfItsExporter) {
  Range();
  Put();
  const std::string text = TextAtTheEnd(true);
  const std::string range =
      R"({grpc_type="unary",grpc_service="etcdserverpb.KV",grpc_method="Range")";
  EXPECT_THAT(text, HasSubstr("grpc_server_started_total" + range + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total" + range + ",grpc_code=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_method=\"Put\",grpc_code=\"InvalidArgument\"} 1\n"));
  // A method that was never called is there, so that its rate is 0 and not unknown.
  EXPECT_THAT(text, HasSubstr("grpc_method=\"Compact\"} 0\n"));
}

TEST_F(CallMetricsTest, WhatIsNotOfferedIsCountedWithItsStatus) {
  grpc::ClientContext call;
  etcdserverpb::CompactionResponse response;
  EXPECT_EQ(stub_->Compact(&call, {}, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(TextAtTheEnd(), HasSubstr("method=\"Compact\",code=\"UNIMPLEMENTED\"} 1\n"));
}

}  // namespace
}  // namespace pontoon::kv
