#include "tests/performance/load.h"

#include <errno.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace pontoon::load {
namespace {

constexpr int64_t kPageBytes = 4096;

}  // namespace

void Fail(const std::string& what) {
  std::cerr << program_invocation_short_name << ": " << what << std::endl;
  std::_Exit(1);  // other threads are at work
}

int64_t ResidentBytes(int pid) {
  std::ifstream statm(absl::StrCat("/proc/", pid, "/statm"));
  int64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) Fail(absl::StrCat("there is no process ", pid));
  return resident * kPageBytes;
}

std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& endpoint, int count) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // otherwise all share one
  arguments.SetMaxReceiveMessageSize(-1);                   // of any size
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) {
    channels.push_back(
        grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
  }
  for (const auto& channel : channels) {
    const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kPatience);
    if (!channel->WaitForConnected(deadline)) Fail("cannot connect to " + endpoint);
  }
  return channels;
}

void Counter::Add(uint64_t count) {
  std::lock_guard lock(mutex_);
  count_ += count;
  changed_.notify_all();
}

void Counter::AwaitAtLeast(uint64_t count, const std::string& what) {
  std::unique_lock lock(mutex_);
  const bool reached = changed_.wait_for(lock, absl::ToChronoMilliseconds(kPatience),
                                         [&] { return count_ >= count; });
  if (!reached) Fail(absl::StrCat("got ", count_, " of ", count, " ", what));
}

}  // namespace pontoon::load
