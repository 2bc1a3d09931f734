#include "cmd/pontoonctl/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Long enough for a slow machine.
const absl::Duration kLong = absl::Seconds(30);

// One stream that a test's server has accepted.
class Stream {
 public:
  using Wire = grpc::ServerReaderWriter<WatchResponse, WatchRequest>;

  Stream(const WatchCreateRequest& create, bool requires_leader, Wire* wire)
      : create(create), requires_leader(requires_leader), wire_(wire) {}

  void Send(const WatchResponse& response) { wire_->Write(response); }

  void SendCreated(int64_t revision) {
    WatchResponse response;
    response.mutable_header()->set_revision(revision);
    response.set_created(true);
    Send(response);
  }

  void SendEvents(const std::vector<int64_t>& revisions) {
    WatchResponse response;
    response.mutable_header()->set_revision(1000);  // of the store, far beyond these
    for (int64_t revision : revisions) {
      response.add_events()->mutable_kv()->set_mod_revision(revision);
    }
    Send(response);
  }

  // Until the client has gone.
  void AwaitEnd() {
    WatchRequest request;
    while (wire_->Read(&request)) {
    }
  }

  const WatchCreateRequest create;
  const bool requires_leader;

 private:
  Wire* const wire_;
};

// A server that does with each stream, counted from 0, as the test says.
class FakeServer : public etcdserverpb::Watch::Service {
 public:
  using Script = std::function<grpc::Status(int, Stream&)>;

  explicit FakeServer(Script script) : script_(std::move(script)) {
    int port = 0;
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port)
                  .RegisterService(this)
                  .BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  Endpoint endpoint() const { return *Endpoint::Parse(address_); }

  grpc::Status Watch(grpc::ServerContext* context, Stream::Wire* wire) override {
    WatchRequest request;
    if (!wire->Read(&request)) return grpc::Status::CANCELLED;
    const auto& metadata = context->client_metadata();
    const auto leader = metadata.find("hasleader");
    Stream stream(request.create_request(), leader != metadata.end() && leader->second == "true",
                  wire);
    return script_(streams_++, stream);
  }

 private:
  const Script script_;
  std::string address_;
  std::atomic<int> streams_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

WatchCreateRequest From(int64_t revision) {
  WatchCreateRequest request;
  request.set_key("k");
  request.set_start_revision(revision);
  return request;
}

std::vector<int64_t> Revisions(const WatchResponse& response) {
  std::vector<int64_t> revisions;
  for (const auto& event : response.events()) revisions.push_back(event.kv().mod_revision());
  return revisions;
}

// The revisions of the next `count` responses.
std::vector<int64_t> Take(Watcher& watcher, int count) {
  std::vector<int64_t> all;
  WatchResponse response;
  for (int i = 0; i < count; ++i) {
    if (!watcher.Next(&response)) break;
    for (int64_t revision : Revisions(response)) all.push_back(revision);
  }
  return all;
}

const grpc::Status kNoLeader(grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader");

TEST(Watcher, HandsOutEventsAndRequiresALeader) {
  FakeServer server([](int, Stream& stream) {
    EXPECT_EQ(stream.create.key(), "k");
    EXPECT_EQ(stream.create.start_revision(), 5);
    EXPECT_TRUE(stream.requires_leader);
    stream.SendCreated(20);
    stream.SendEvents({5, 6});
    stream.SendEvents({9});
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  Watcher watcher({server.endpoint()}, From(5), {.first_timeout = kLong});
  EXPECT_THAT(Take(watcher, 2), ElementsAre(5, 6, 9));
}

TEST(Watcher, GoesOnAtTheNextEndpointAfterTheLastRevision) {
  FakeServer first([](int, Stream& stream) {
    stream.SendCreated(20);
    stream.SendEvents({5, 6, 6});
    return kNoLeader;
  });
  FakeServer second([](int, Stream& stream) {
    EXPECT_EQ(stream.create.start_revision(), 7);
    stream.SendCreated(20);
    stream.SendEvents({7});
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  std::vector<std::string> interruptions;
  Watcher watcher({first.endpoint(), second.endpoint()}, From(5),
                  {.first_timeout = kLong, .on_interruption = [&](const std::string& why) {
                     interruptions.push_back(why);
                   }});
  EXPECT_THAT(Take(watcher, 2), ElementsAre(5, 6, 6, 7));
  EXPECT_THAT(interruptions, ElementsAre(HasSubstr("etcdserver: no leader")));
}

TEST(Watcher, WithoutAStartMissesNothingThatHappensWhileItIsInterrupted) {
  FakeServer server([](int count, Stream& stream) {
    EXPECT_EQ(stream.create.start_revision(), count == 0 ? 0 : 21);
    stream.SendCreated(count == 0 ? 20 : 30);
    if (count == 0) return kNoLeader;
    stream.SendEvents({25});
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  Watcher watcher({server.endpoint()}, From(0), {.first_timeout = kLong});
  EXPECT_THAT(Take(watcher, 1), ElementsAre(25));
}

TEST(Watcher, GoesOnAfterTheProgressThatItWasTold) {
  FakeServer server([](int count, Stream& stream) {
    stream.SendCreated(20);
    if (count == 0) {
      WatchResponse progress;
      progress.mutable_header()->set_revision(40);
      stream.Send(progress);
      return grpc::Status::OK;  // a stream that ends without an error is lost as well
    }
    EXPECT_EQ(stream.create.start_revision(), 41);
    stream.SendEvents({41});
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  Watcher watcher({server.endpoint()}, From(0), {.first_timeout = kLong});
  WatchResponse response;
  ASSERT_TRUE(watcher.Next(&response));
  EXPECT_EQ(response.events_size(), 0);
  EXPECT_EQ(response.header().revision(), 40);
  EXPECT_THAT(Take(watcher, 1), ElementsAre(41));
}

TEST(Watcher, SaysWhatIsCompacted) {
  FakeServer server([](int, Stream& stream) {
    stream.SendCreated(20);
    WatchResponse compacted;
    compacted.set_canceled(true);
    compacted.set_compact_revision(9);
    stream.Send(compacted);
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  Watcher watcher({server.endpoint()}, From(5), {.first_timeout = kLong});
  WatchResponse response;
  EXPECT_FALSE(watcher.Next(&response));
  EXPECT_EQ(watcher.end().reason, Watcher::End::Reason::kCompacted);
  EXPECT_EQ(watcher.end().next_revision, 5);
  EXPECT_EQ(watcher.end().first_revision, 9);
}

TEST(Watcher, ARefusalIsFinal) {
  FakeServer by_status([](int, Stream&) {
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no watches here");
  });
  FakeServer by_response([](int, Stream& stream) {
    WatchResponse refused;
    refused.set_created(true);
    refused.set_canceled(true);
    refused.set_cancel_reason("etcdserver: permission denied");
    stream.Send(refused);
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  for (const auto& [server, why] :
       {std::pair(&by_status, "no watches here (UNIMPLEMENTED)"),
        std::pair(&by_response, "the server refuses it: etcdserver: permission denied")}) {
    Watcher watcher({server->endpoint()}, From(0), {.first_timeout = kLong});
    WatchResponse response;
    EXPECT_FALSE(watcher.Next(&response));
    EXPECT_EQ(watcher.end().reason, Watcher::End::Reason::kFailed);
    EXPECT_EQ(watcher.end().message, why);
  }
}

TEST(Watcher, GivesUpIfNoServerAcceptsItInTime) {
  FakeServer server([](int, Stream&) { return kNoLeader; });
  Watcher watcher({server.endpoint()}, From(0), {.first_timeout = absl::Milliseconds(100)});
  WatchResponse response;
  EXPECT_FALSE(watcher.Next(&response));
  EXPECT_THAT(watcher.end().message, HasSubstr("etcdserver: no leader"));
  Watcher nowhere({*Endpoint::Parse("127.0.0.1:1")}, From(0),
                  {.first_timeout = absl::Milliseconds(100)});
  EXPECT_FALSE(nowhere.Next(&response));
  EXPECT_THAT(nowhere.end().message, HasSubstr("127.0.0.1:1 (Connection refused)"));
}

TEST(Watcher, CancelEndsIt) {
  std::promise<void> accepted;
  FakeServer server([&](int, Stream& stream) {
    stream.SendCreated(20);
    accepted.set_value();
    stream.AwaitEnd();
    return grpc::Status::OK;
  });
  Watcher watcher({server.endpoint()}, From(0), {.first_timeout = kLong});
  std::thread canceller([&] {
    accepted.get_future().wait();
    watcher.Cancel();
  });
  WatchResponse response;
  EXPECT_FALSE(watcher.Next(&response));
  EXPECT_EQ(watcher.end().reason, Watcher::End::Reason::kCancelled);
  EXPECT_FALSE(watcher.Next(&response));
  canceller.join();
}

}  // namespace
}  // namespace pontoon::ctl
