// Who ends the call: the removal, or whoever gave up on it. The store here never finishes.

#include "kv/service/patient_call.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "kv/service/client_server.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::CompactionRequest;
using etcdserverpb::CompactionResponse;

// Every Compact begins to wait at once; the callback is kept.
class WaitingService final : public etcdserverpb::KV::CallbackService {
 public:
  grpc::ServerUnaryReactor* Compact(grpc::CallbackServerContext*, const CompactionRequest*,
                                    CompactionResponse*) override {
    auto* const call = new PatientCall;
    on_scrubbed_ = call->Wait();
    waiting_.Notify();
    return call;
  }

  PatientCall::Callback& OnScrubbed() {
    waiting_.WaitForNotification();
    return on_scrubbed_;
  }

 private:
  PatientCall::Callback on_scrubbed_;
  absl::Notification waiting_;
};

class PatientCallTest : public testing::Test {
 protected:
  PatientCallTest() : server_(*StartClientServer({}, {&service_})) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    client_ = std::thread([this] {
      CompactionResponse response;
      const auto stub =
          etcdserverpb::KV::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
      status_ = stub->Compact(&context_, CompactionRequest(), &response);
    });
  }
  ~PatientCallTest() override { server_->Shutdown(); }

  grpc::Status Result() {
    client_.join();
    return status_;
  }

  WaitingService service_;
  std::unique_ptr<grpc::Server> server_;
  grpc::ClientContext context_;
  grpc::Status status_;
  std::thread client_;
};

TEST_F(PatientCallTest, EndsWithTheRemoval) {
  std::move(service_.OnScrubbed())(absl::OkStatus());
  EXPECT_TRUE(Result().ok());
}

TEST_F(PatientCallTest, PassesOnAFailure) {
  std::move(service_.OnScrubbed())(absl::CancelledError("the store closes"));
  EXPECT_EQ(Result().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(PatientCallTest, EndsWhenTheClientGivesUp) {
  PatientCall::Callback& on_scrubbed = service_.OnScrubbed();
  context_.TryCancel();
  EXPECT_EQ(Result().error_code(), grpc::StatusCode::CANCELLED);
  server_->Shutdown();  // returns: the server holds nothing of the call any more
  std::move(on_scrubbed)(absl::OkStatus());
}

TEST_F(PatientCallTest, EndsWhenTheServerStops) {
  PatientCall::Callback& on_scrubbed = service_.OnScrubbed();
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(Result().ok());
  std::move(on_scrubbed)(absl::OkStatus());
}

}  // namespace
}  // namespace pontoon::kv
