// Watches as clients see them, over gRPC.

#include "kv/watch/watch_service.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/service/client_server.h"
#include "kv/service/member.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/store/store_harness.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

constexpr ClusterId kCluster{0xc1};
constexpr NodeId kSelf{0xa1};

// A stream, with a deadline so that nothing waits for ever.
class Call {
 public:
  explicit Call(const std::shared_ptr<grpc::Channel>& channel, bool needs_leader = false)
      : stub_(etcdserverpb::Watch::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (needs_leader) context_.AddMetadata("hasleader", "true");
    stream_ = stub_->Watch(&context_);
  }
  ~Call() {
    context_.TryCancel();
    if (!finished_) stream_->Finish();
  }

  void Create(const std::string& key, int64_t start_revision = 0) {
    WatchRequest request;
    request.mutable_create_request()->set_key(key);
    request.mutable_create_request()->set_start_revision(start_revision);
    EXPECT_TRUE(stream_->Write(request));
  }
  bool WritesDone() { return stream_->WritesDone(); }
  // The next response; an empty one when the stream has ended.
  WatchResponse Read() {
    WatchResponse response;
    if (!stream_->Read(&response)) response.Clear();
    return response;
  }
  grpc::Status Finish() {
    finished_ = true;
    return stream_->Finish();
  }

 private:
  const std::unique_ptr<etcdserverpb::Watch::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<WatchRequest, WatchResponse>> stream_;
  bool finished_ = false;
};

class WatchServiceTest : public testing::Test {
 protected:
  explicit WatchServiceTest(const WatchServiceOptions& options = {})
      : replica_(kSelf, &h_.store()),
        member_({.cluster = kCluster}, &replica_, Clock::System()),
        hub_(
            &h_.store(), Clock::System(), {},
            [this](etcdserverpb::ResponseHeader* header) {
              member_.FillHeader(replica_.CurrentLeadership().term, header);
            },
            [this] { return replica_.CurrentLeadership().leader != kNoNode; },
            NewThreadExecutor("watches")),
        service_(&member_, &hub_, options) {
    auto server = StartClientServer({.addresses = {"127.0.0.1:0"}}, {&service_});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
  }
  ~WatchServiceTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  StoreHarness h_;
  InstantReplica replica_;
  const Member member_;
  WatchHub hub_;
  WatchService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

bool IsError(const grpc::Status& status, const ApiError& error) {
  return status.error_code() == static_cast<grpc::StatusCode>(error.code) &&
         status.error_message() == error.text;
}

TEST_F(WatchServiceTest, EventsArriveWithAWholeHeader) {
  Call call(channel_);
  call.Create("a");
  EXPECT_TRUE(call.Read().created());
  h_.Put("a", "1");
  EXPECT_EQ(call.Read().ShortDebugString(),
            "header { cluster_id: 193 member_id: 161 revision: 2 raft_term: 1 } events { kv { "
            "key: \"a\" create_revision: 2 mod_revision: 2 version: 1 value: \"1\" } }");
}

TEST_F(WatchServiceTest, AClientThatHasNoMoreRequestsGoesOnWatching) {
  Call call(channel_);
  call.Create("a");
  EXPECT_TRUE(call.WritesDone());
  EXPECT_TRUE(call.Read().created());
  h_.Put("a", "1");
  EXPECT_EQ(call.Read().events_size(), 1);
}

TEST_F(WatchServiceTest, WhoNeedsALeaderIsToldThatThereIsNone) {
  replica_.SetLeader(kNoNode);
  Call demanding(channel_, /*needs_leader=*/true);
  EXPECT_FALSE(demanding.Read().created());
  EXPECT_TRUE(IsError(demanding.Finish(), kErrNoLeader));
  Call content(channel_);
  content.Create("a");
  EXPECT_TRUE(content.Read().created());
}

TEST_F(WatchServiceTest, StreamsEndWithTheReason) {
  Call call(channel_);
  call.Create("a");
  EXPECT_TRUE(call.Read().created());
  hub_.EndAll(kErrStopped);
  EXPECT_FALSE(call.Read().has_header());
  EXPECT_TRUE(IsError(call.Finish(), kErrStopped));
}

TEST_F(WatchServiceTest, WhatIsNoRequestEndsTheStream) {
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/etcdserverpb.Watch/Watch", &queue);
  const auto next = [&queue] {
    void* tag;
    bool ok;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  call->StartCall(nullptr);
  next();
  const grpc::Slice garbage("\xff\xff\xff");
  call->Write(grpc::ByteBuffer(&garbage, 1), nullptr);
  next();
  grpc::Status status;
  call->Finish(&status, nullptr);
  next();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL) << status.error_message();
}

class SlowClientTest : public WatchServiceTest {
 protected:
  SlowClientTest() : WatchServiceTest({.stream_bytes_max = 64 << 10}) {}
};

// More than fits into all buffers between server and client waits as history, and comes when the
// client reads: nothing of it is lost. Meanwhile others are served.
TEST_F(SlowClientTest, TakesMemoryOfABoundedSizeAndLosesNothing) {
  Call slow(channel_), fast(channel_);
  for (Call* call : {&slow, &fast}) {
    call->Create("a");
    EXPECT_TRUE(call->Read().created());
  }
  constexpr int kPuts = 2000;
  const std::string filling(4 << 10, 'v');
  int heard = 0;
  for (int i = 1; i <= kPuts; ++i) {
    h_.Put("a", absl::StrCat(i, filling));
    while (heard < i) heard += fast.Read().events_size();
  }
  EXPECT_EQ(heard, kPuts);
  EXPECT_EQ(hub_.Stats().slow_watchers, 1) << "8 MiB wait for the slow one";
  int64_t revision = 1;
  for (int read = 0; read < kPuts;) {
    const WatchResponse response = slow.Read();
    ASSERT_GT(response.events_size(), 0);
    for (const auto& event : response.events()) {
      ASSERT_EQ(event.kv().mod_revision(), ++revision);
      ++read;
    }
  }
}

}  // namespace
}  // namespace pontoon::kv
