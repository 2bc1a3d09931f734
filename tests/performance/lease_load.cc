// Grants leases at an etcd v3 server, keeps them alive and lets them expire, and measures what that
// costs it. See --help.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
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

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/latency_histogram.h"
#include "cmd/pontoonctl/process_cpu.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/performance/load.h"

namespace pontoon {
namespace {

using Clock = std::chrono::steady_clock;
using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using load::Fail;
using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

constexpr int kInFlightMax = 256;  // of grants and puts

struct Options {
  std::string endpoint;
  std::vector<int> pids;
  int leases = 10000;
  int64_t ttl = 60;
  int connections = 10;
  double interval = 1;
  double seconds = 10;
  bool expire = false;
  bool leave = false;
  int look = 0;
};

double MicrosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// Lets so many calls be under way, and no more.
class Window {
 public:
  void Enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ < kInFlightMax; });
    ++inside_;
  }
  void Leave() {
    std::lock_guard lock(mutex_);
    --inside_;
    changed_.notify_all();
  }
  void AwaitEmpty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;  // guarded by mutex_
};

template <typename Request, typename Response>
struct PendingCall {
  grpc::ClientContext context;
  Request request;
  Response response;
};

// Makes `count` calls, of which `start` starts the one with a number.
template <typename Call, typename Start>
void MakeAll(int count, const char* what, Start start) {
  Window window;
  for (int i = 0; i < count; ++i) {
    window.Enter();
    auto* const call = new Call;
    start(i, call, [call, what, &window](grpc::Status status) {
      if (!status.ok()) Fail(absl::StrCat(what, ": ", status.error_message()));
      delete call;
      window.Leave();
    });
  }
  window.AwaitEmpty();
}

int64_t IdOf(int lease) { return lease + 1; }

void GrantAll(const Options& options, const Channels& channels) {
  std::vector<std::unique_ptr<Lease::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(Lease::NewStub(channel));
  using Call = PendingCall<etcdserverpb::LeaseGrantRequest, etcdserverpb::LeaseGrantResponse>;
  MakeAll<Call>(options.leases, "grant", [&](int i, Call* call, auto done) {
    call->request.set_id(IdOf(i));
    call->request.set_ttl(options.ttl);
    stubs[static_cast<size_t>(i) % stubs.size()]->async()->LeaseGrant(
        &call->context, &call->request, &call->response, std::move(done));
  });
}

// Puts a key on each lease.
void AttachAll(const Options& options, const Channels& channels) {
  std::vector<std::unique_ptr<KV::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(KV::NewStub(channel));
  using Call = PendingCall<etcdserverpb::PutRequest, etcdserverpb::PutResponse>;
  MakeAll<Call>(options.leases, "put", [&](int i, Call* call, auto done) {
    call->request.set_key(absl::StrCat("leased/", i));
    call->request.set_lease(IdOf(i));
    stubs[static_cast<size_t>(i) % stubs.size()]->async()->Put(&call->context, &call->request,
                                                               &call->response, std::move(done));
  });
}

// Renews a part of the leases on a stream of its own, one after the other, spread over each
// interval.
class Renewer {
 public:
  Renewer(const std::shared_ptr<grpc::Channel>& channel, int first, int count)
      : stub_(Lease::NewStub(channel)), first_(first), count_(count) {}

  // For `rounds` intervals.
  void Run(double interval, int rounds) {
    if (count_ == 0) return;
    grpc::ClientContext context;
    const auto stream = stub_->LeaseKeepAlive(&context);
    const size_t total = static_cast<size_t>(count_) * static_cast<size_t>(rounds);
    std::vector<Clock::time_point> due(total);
    const auto begin = Clock::now();
    for (size_t i = 0; i < total; ++i) {
      const double after = interval * static_cast<double>(i) / count_;
      due[i] = begin + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * after));
    }
    std::thread writer([&] {
      LeaseKeepAliveRequest request;
      for (size_t i = 0; i < total; ++i) {
        std::this_thread::sleep_until(due[i]);
        request.set_id(IdOf(first_ + static_cast<int>(i % static_cast<size_t>(count_))));
        if (!stream->Write(request)) Fail("the server ended a stream of renewals");
      }
      stream->WritesDone();
    });
    LeaseKeepAliveResponse response;
    for (size_t i = 0; i < total; ++i) {
      if (!stream->Read(&response)) Fail("the server ended a stream of renewals");
      if (response.ttl() <= 0) Fail(absl::StrCat("lease ", response.id(), " has expired"));
      delays_.Record(absl::FromChrono(Clock::now() - due[i]));
    }
    writer.join();
    if (!stream->Finish().ok()) Fail("a stream of renewals ended with an error");
  }

  const ctl::LatencyHistogram& delays() const { return delays_; }

 private:
  const std::unique_ptr<Lease::Stub> stub_;
  const int first_;
  const int count_;
  ctl::LatencyHistogram delays_;
};

double CpuSeconds(const std::vector<int>& pids) {
  double seconds = 0;
  for (const int pid : pids) {
    const absl::StatusOr<absl::Duration> used = ctl::ProcessCpuTime(pid);
    if (!used.ok()) Fail(std::string(used.status().message()));
    seconds += absl::ToDoubleSeconds(*used);
  }
  return seconds;
}

int64_t MemoryBytes(const std::vector<int>& pids) {
  int64_t bytes = 0;
  for (const int pid : pids) bytes += load::ResidentBytes(pid);
  return bytes;
}

void KeepAlive(const Options& options, const Channels& channels, nlohmann::json* report) {
  std::vector<std::unique_ptr<Renewer>> renewers;
  int first = 0;
  for (size_t i = 0; i < channels.size(); ++i) {
    const int count = (options.leases - first) / static_cast<int>(channels.size() - i);
    renewers.push_back(std::make_unique<Renewer>(channels[i], first, count));
    first += count;
  }
  const int rounds = std::max(1, static_cast<int>(options.seconds / options.interval));
  const double cpu_before = CpuSeconds(options.pids);
  std::vector<std::thread> threads;
  for (const auto& renewer : renewers) {
    threads.emplace_back([&] { renewer->Run(options.interval, rounds); });
  }
  for (std::thread& thread : threads) thread.join();
  const double cpu = CpuSeconds(options.pids) - cpu_before;

  ctl::LatencyHistogram delays;
  for (const auto& renewer : renewers) delays.Merge(renewer->delays());
  (*report)["renewals"] = delays.count();
  (*report)["renewal_p50_us"] = absl::ToDoubleMicroseconds(delays.Quantile(0.5));
  (*report)["renewal_p99_us"] = absl::ToDoubleMicroseconds(delays.Quantile(0.99));
  (*report)["cpu_us_per_renewal"] = 1e6 * cpu / static_cast<double>(delays.count());
}

// Waits until the last key of a lease is gone, and puts another one meanwhile, again and again.
void AwaitExpiry(const Options& options, const Channels& channels, nlohmann::json* report) {
  std::atomic<uint64_t> deleted = 0;
  Clock::time_point first_at, last_at;
  grpc::ClientContext context;
  const auto watches = etcdserverpb::Watch::NewStub(channels.front());
  const auto stream = watches->Watch(&context);
  etcdserverpb::WatchRequest request;
  request.mutable_create_request()->set_key("leased/");
  request.mutable_create_request()->set_range_end("leased0");
  request.mutable_create_request()->set_start_revision(1);
  request.mutable_create_request()->add_filters(etcdserverpb::WatchCreateRequest::NOPUT);
  stream->Write(request);
  std::thread watcher([&] {
    etcdserverpb::WatchResponse response;
    while (deleted < static_cast<uint64_t>(options.leases) && stream->Read(&response)) {
      if (response.events_size() == 0) continue;
      if (deleted == 0) first_at = Clock::now();
      deleted += static_cast<uint64_t>(response.events_size());
      last_at = Clock::now();
    }
  });

  ctl::LatencyHistogram puts;
  const auto kv = KV::NewStub(channels.back());
  const auto begin = Clock::now();
  while (deleted < static_cast<uint64_t>(options.leases)) {
    if (absl::FromChrono(Clock::now() - begin) > load::kPatience) {
      Fail(absl::StrCat(deleted.load(), " of ", options.leases, " leases have expired"));
    }
    grpc::ClientContext call;
    etcdserverpb::PutRequest put;
    put.set_key("beside");
    etcdserverpb::PutResponse response;
    const auto sent = Clock::now();
    if (!kv->Put(&call, put, &response).ok()) Fail("a put failed");
    puts.Record(absl::Microseconds(MicrosecondsSince(sent)));
  }
  watcher.join();
  context.TryCancel();
  (*report)["expiry_span_ms"] =
      std::chrono::duration<double, std::milli>(last_at - first_at).count();
  (*report)["put_p50_us"] = absl::ToDoubleMicroseconds(puts.Quantile(0.5));
  (*report)["put_max_us"] = absl::ToDoubleMicroseconds(puts.Max());
}

// Asks how long some of the leases live, evenly chosen; all must be there.
void Look(const Options& options, const Channels& channels, nlohmann::json* report) {
  const auto stub = Lease::NewStub(channels.front());
  std::mutex mutex;
  std::vector<int64_t> left;  // guarded by mutex
  using Call =
      PendingCall<etcdserverpb::LeaseTimeToLiveRequest, etcdserverpb::LeaseTimeToLiveResponse>;
  MakeAll<Call>(options.look, "time to live", [&](int i, Call* call, auto done) {
    const int64_t lease = int64_t{i} * options.leases / options.look;
    call->request.set_id(IdOf(static_cast<int>(lease)));
    const auto look = [&, call, done](const grpc::Status& status) {
      if (status.ok()) {
        if (call->response.ttl() <= 0) Fail(absl::StrCat("lease ", call->request.id(), " is gone"));
        if (call->response.grantedttl() != options.ttl) Fail("a lease has another TTL");
        std::lock_guard lock(mutex);
        left.push_back(call->response.ttl());
      }
      done(status);
    };
    stub->async()->LeaseTimeToLive(&call->context, &call->request, &call->response, look);
  });
  const auto [least, most] = std::minmax_element(left.begin(), left.end());
  (*report)["left_min_s"] = *least;
  (*report)["left_max_s"] = *most;
}

void Run(const Options& options) {
  nlohmann::json report = {{"leases", options.leases}};
  const Channels channels = load::Connect(options.endpoint, options.connections);
  if (options.look > 0) {
    Look(options, channels, &report);
    std::cout << report.dump() << std::endl;
    return;
  }
  const int64_t memory_before = MemoryBytes(options.pids);
  const auto begin = Clock::now();
  GrantAll(options, channels);
  report["grants_per_second"] = 1e6 * options.leases / MicrosecondsSince(begin);
  report["memory_bytes"] = MemoryBytes(options.pids) - memory_before;  // can shrink
  if (options.expire) {
    AttachAll(options, channels);
    AwaitExpiry(options, channels, &report);
  } else if (!options.leave) {
    KeepAlive(options, channels, &report);
  }
  std::cout << report.dump() << std::endl;
}

}  // namespace
}  // namespace pontoon

int main(int argc, char** argv) {
  pontoon::Options options;
  CLI::App app(
      "Grants leases at an etcd v3 server, keeps them alive, and prints as JSON how much memory "
      "and processor time they cost it, and how long renewals took. With --expire it puts a key on "
      "each lease instead and lets all expire: how long that takes, and what it does to other "
      "puts. "
      "With --leave it only grants them, and with --look it asks for those that it left.");
  app.add_option("--endpoint", options.endpoint, "HOST:PORT of the server")->required();
  app.add_option("--pids", options.pids, "processes of the cluster, to read what they use")
      ->delimiter(',');
  app.add_option("--leases", options.leases, "in all")->check(CLI::PositiveNumber);
  app.add_option("--ttl", options.ttl, "of each, in seconds")->check(CLI::PositiveNumber);
  app.add_option("--connections", options.connections, "with a stream of renewals on each")
      ->check(CLI::PositiveNumber);
  app.add_option("--interval", options.interval, "seconds in which each lease is renewed once")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "of renewals")->check(CLI::PositiveNumber);
  CLI::Option* const expire = app.add_flag("--expire", options.expire, "let them expire");
  CLI::Option* const leave = app.add_flag("--leave", options.leave, "leave them there");
  CLI::Option* const look =
      app.add_option("--look", options.look, "grant none; ask how long so many of them still live");
  expire->excludes(leave)->excludes(look);
  leave->excludes(look);
  CLI11_PARSE(app, argc, argv);
  pontoon::Run(options);
}
