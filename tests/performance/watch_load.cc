// Watches an etcd v3 server from many watchers, and measures what they cost it: memory while
// nothing happens, and the time from a put to its event. See --help.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/latency_histogram.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/performance/load.h"

namespace pontoon {
namespace {

using Clock = std::chrono::steady_clock;
using etcdserverpb::KV;
using etcdserverpb::Watch;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;
using load::Fail;
using load::ResidentBytes;

struct Options {
  std::string endpoint;
  int pid = 0;
  int watchers = 10000;
  int connections = 10;
  int streams_per_connection = 1;
  int keys = 0;  // 0: as many as watchers
  double rate = 0;
  double seconds = 10;
};

struct Tally {
  load::Counter created, events, puts;
  std::mutex mutex;
  ctl::LatencyHistogram delays;       // guarded by mutex
  ctl::LatencyHistogram put_latency;  // guarded by mutex
  std::atomic<uint64_t> puts_failed = 0;
};

std::string KeyOf(int number) { return absl::StrFormat("watched/%08d", number); }

// A stream with a number of watchers.
class WatchStream final : public grpc::ClientBidiReactor<WatchRequest, WatchResponse> {
 public:
  WatchStream(std::shared_ptr<grpc::Channel> channel, int first, int count, int keys, Tally* tally)
      : stub_(Watch::NewStub(channel)),
        next_(first),
        end_(first + count),
        keys_(keys),
        tally_(tally) {
    stub_->async()->Watch(&context_, this);
    StartRead(&response_);
    RequestNext();
    StartCall();
  }

  void Stop() {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

  void OnWriteDone(bool ok) override {
    if (ok && next_ < end_) RequestNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.created()) tally_->created.Add(1);
    if (response_.canceled()) Fail("a watcher was cancelled: " + response_.cancel_reason());
    if (response_.events_size() > 0) Record();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status&) override {
    std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

 private:
  void RequestNext() {
    request_.mutable_create_request()->set_key(KeyOf(next_++ % keys_));
    StartWrite(&request_);
  }

  // A value is the time at which its put was due.
  void Record() {
    const int64_t now = Clock::now().time_since_epoch().count();
    {
      std::lock_guard lock(tally_->mutex);
      for (const mvccpb::Event& event : response_.events()) {
        int64_t due = 0;
        if (!absl::SimpleAtoi(event.kv().value(), &due)) Fail("somebody else writes");
        tally_->delays.Record(absl::Nanoseconds(now - due));
      }
    }
    tally_->events.Add(static_cast<uint64_t>(response_.events_size()));
  }

  const std::unique_ptr<Watch::Stub> stub_;
  grpc::ClientContext context_;
  WatchRequest request_;
  WatchResponse response_;
  int next_;
  const int end_;
  const int keys_;
  Tally* const tally_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;  // guarded by mutex_
};

struct PutCall {
  grpc::ClientContext context;
  etcdserverpb::PutRequest request;
  etcdserverpb::PutResponse response;
  Clock::time_point due;
};

// Puts at a rate, whether or not the server keeps up, to one key after the other.
uint64_t PutAtRate(const Options& options, KV::Stub* kv, Tally* tally) {
  const auto begin = Clock::now();
  const uint64_t total = static_cast<uint64_t>(options.rate * options.seconds);
  for (uint64_t i = 0; i < total; ++i) {
    const auto due = begin + std::chrono::nanoseconds(
                                 static_cast<int64_t>(1e9 * static_cast<double>(i) / options.rate));
    std::this_thread::sleep_until(due);
    auto* const call = new PutCall;
    call->due = due;
    call->request.set_key(KeyOf(static_cast<int>(i % static_cast<uint64_t>(options.keys))));
    call->request.set_value(absl::StrCat(due.time_since_epoch().count()));
    kv->async()->Put(&call->context, &call->request, &call->response,
                     [call, tally](grpc::Status s) {
                       if (!s.ok()) ++tally->puts_failed;
                       {
                         std::lock_guard lock(tally->mutex);
                         tally->put_latency.Record(absl::FromChrono(Clock::now() - call->due));
                       }
                       tally->puts.Add(1);
                       delete call;
                     });
  }
  return total;
}

void Run(const Options& options) {
  Tally tally;
  nlohmann::json report;
  const auto channels = load::Connect(options.endpoint, options.connections);
  const int64_t before = options.pid > 0 ? ResidentBytes(options.pid) : 0;

  const int streams = options.connections * options.streams_per_connection;
  std::vector<std::unique_ptr<WatchStream>> watches;
  int first = 0;
  for (int i = 0; i < streams; ++i) {
    const int count = (options.watchers - first) / (streams - i);
    const auto& channel = channels[static_cast<size_t>(i % options.connections)];
    watches.push_back(std::make_unique<WatchStream>(channel, first, count, options.keys, &tally));
    first += count;
  }
  tally.created.AwaitAtLeast(static_cast<uint64_t>(options.watchers), "watchers");
  report["watchers"] = options.watchers;
  report["streams"] = streams;
  if (options.pid > 0) report["memory_bytes"] = ResidentBytes(options.pid) - before;  // can shrink

  if (options.rate > 0) {
    const auto kv = KV::NewStub(load::Connect(options.endpoint, 1).front());
    const uint64_t puts = PutAtRate(options, kv.get(), &tally);
    tally.puts.AwaitAtLeast(puts, "answers to puts");
    if (tally.puts_failed > 0) Fail(absl::StrCat(tally.puts_failed.load(), " puts failed"));
    const int watchers_of_a_key = options.watchers / options.keys;
    tally.events.AwaitAtLeast(puts * static_cast<uint64_t>(watchers_of_a_key), "events");
    std::lock_guard lock(tally.mutex);
    report["events"] = tally.delays.count();
    report["put_p50_us"] = absl::ToDoubleMicroseconds(tally.put_latency.Quantile(0.5));
    report["put_p99_us"] = absl::ToDoubleMicroseconds(tally.put_latency.Quantile(0.99));
    report["delay_p50_us"] = absl::ToDoubleMicroseconds(tally.delays.Quantile(0.5));
    report["delay_p99_us"] = absl::ToDoubleMicroseconds(tally.delays.Quantile(0.99));
  }
  for (const auto& watch : watches) watch->Stop();
  std::cout << report.dump() << std::endl;
}

}  // namespace
}  // namespace pontoon

int main(int argc, char** argv) {
  pontoon::Options options;
  CLI::App app(
      "Watches an etcd v3 server from many watchers, and prints as JSON how much its memory grew "
      "by "
      "them, and how long puts and events took.");
  app.add_option("--endpoint", options.endpoint, "HOST:PORT of the server")->required();
  app.add_option("--pid", options.pid, "process of the server, to read its resident memory");
  app.add_option("--watchers", options.watchers, "in all")->check(CLI::PositiveNumber);
  app.add_option("--connections", options.connections, "")->check(CLI::PositiveNumber);
  app.add_option("--streams", options.streams_per_connection, "on each connection")
      ->check(CLI::PositiveNumber);
  app.add_option("--keys", options.keys, "that they watch in turn; by default each one of its own")
      ->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "puts a second; 0: none")->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", options.seconds, "of puts")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (options.keys == 0) options.keys = options.watchers;
  if (options.watchers % options.keys != 0) {
    pontoon::load::Fail("--watchers must be a multiple of --keys");
  }
  pontoon::Run(options);
}
