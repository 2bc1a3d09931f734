// What programs share that load a server to measure it. Their errors end them.

#ifndef PONTOON_TESTS_PERFORMANCE_LOAD_H_
#define PONTOON_TESTS_PERFORMANCE_LOAD_H_

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pontoon::load {

// The longest that anything here waits for a server.
inline constexpr absl::Duration kPatience = absl::Minutes(2);

// What a measurement cannot go on without.
[[noreturn]] void Fail(const std::string& what);

int64_t ResidentBytes(int pid);

// Connections of their own, all of them made.
std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& endpoint, int count);

// Counts up, and lets one thread wait for a number.
//
// Thread safety: all methods may be called from any thread.
class Counter {
 public:
  void Add(uint64_t count);
  void AwaitAtLeast(uint64_t count, const std::string& what);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t count_ = 0;
};

}  // namespace pontoon::load

#endif  // PONTOON_TESTS_PERFORMANCE_LOAD_H_
