// What the flags of bench have it ask.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/integration.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A server without keys, which notes what it is asked.
class FakeServer : public etcdserverpb::KV::Service {
 public:
  FakeServer() {
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_)
                  .RegisterService(this)
                  .BuildAndStart();
  }

  std::string endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

  std::vector<RangeRequest> TakeRequests() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(requests_, {});
  }

  grpc::Status Range(grpc::ServerContext*, const RangeRequest* request, RangeResponse*) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(*request);
    return grpc::Status::OK;
  }

 private:
  int port_ = 0;
  absl::Mutex mutex_;
  std::vector<RangeRequest> requests_ ABSL_GUARDED_BY(mutex_);
  // Last, so that no call outlives what it uses.
  std::unique_ptr<grpc::Server> server_;
};

Result RunGet(const FakeServer& server, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {"bench", "get", "--total", "5", "--clients", "2"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return RunAt(server.endpoint(), arguments);
}

TEST(BenchGet, AsksEachTimeForTheConsistencyOfItsFlags) {
  const struct {
    std::vector<std::string> flags;
    const char* request;  // but for the key
  } cases[] = {
      {{}, ""},
      {{"--serializable"}, "serializable: true"},
      {{"--consistency", "linearizable"}, "read_options { }"},
      {{"--consistency", "lease"}, "read_options { consistency: LEASE }"},
      {{"--consistency", "follower"}, "serializable: true read_options { consistency: FOLLOWER }"},
      {{"--max-staleness", "2s"},
       "serializable: true read_options { consistency: FOLLOWER max_staleness { seconds: 2 } }"},
      {{"--serializable", "--min-revision", "7"},
       "serializable: true read_options { consistency: FOLLOWER min_revision: 7 }"},
  };
  FakeServer server;
  for (const auto& c : cases) {
    EXPECT_EQ(RunGet(server, c.flags).err, "");
    std::vector<std::string> texts;
    for (RangeRequest& request : server.TakeRequests()) {
      EXPECT_THAT(request.key(), StartsWith(kBenchPrefix));
      request.clear_key();
      texts.push_back(request.ShortDebugString());
    }
    EXPECT_THAT(texts, SizeIs(5));
    EXPECT_THAT(texts, Each(c.request));
  }
}

TEST(BenchGet, SendsNothingIfItsFlagsMakeNoSense) {
  const struct {
    std::vector<std::string> flags;
    const char* message;
  } cases[] = {
      {{"--consistency", "strong"}, "--consistency"},
      {{"--serializable", "--consistency", "lease"}, "--serializable is --consistency follower"},
      {{"--consistency", "lease", "--max-staleness", "1s"},
       "--max-staleness is for follower reads"},
      {{"--max-staleness", "5"}, "bad --max-staleness \"5\""},
  };
  FakeServer server;
  for (const auto& c : cases) {
    const Result result = RunGet(server, c.flags);
    EXPECT_EQ(result.code, ExitCode::kUsage) << ::testing::PrintToString(c.flags);
    EXPECT_THAT(result.err, HasSubstr(c.message));
  }
  EXPECT_THAT(server.TakeRequests(), IsEmpty());
}

TEST(BenchPut, HasNoConsistencyToChoose) {
  const Result result = RunAt(FakeServer().endpoint(), {"bench", "put", "--consistency", "lease"});
  EXPECT_EQ(result.code, ExitCode::kUsage);
  EXPECT_THAT(result.err, HasSubstr("--consistency"));
}

}  // namespace
}  // namespace pontoon::ctl
