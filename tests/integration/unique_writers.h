// UniqueWriters: many clients that write and keep book of what they were told.

#ifndef PONTOON_TESTS_INTEGRATION_UNIQUE_WRITERS_H_
#define PONTOON_TESTS_INTEGRATION_UNIQUE_WRITERS_H_

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "tests/integration/client.h"
#include "tests/integration/cluster.h"
#include "tests/integration/store_state.h"

namespace pontoon::testing {

struct UniqueWritersOptions {
  int writers = 64;
  std::string prefix = "unique/";
  // What a writer does after a write of which it was not told that it was done.
  enum class OnFailure { kNextNode, kStop } on_failure = OnFailure::kNextNode;
  absl::Duration timeout = absl::Seconds(5);  // of each write
  std::vector<int> nodes = {};                // to write to; empty: all
  size_t value_bytes_min = 0;                 // shorter values are filled up
};

// Each writer is a thread with one request under way, and writes each of its keys once, with a
// value that is written nowhere else. So whatever a store holds later can be judged: an
// acknowledged write must be there, and anything that is there must have been written, once.
//
// Thread safety: Begin, End and Verify are called by one thread. The cluster must outlive the
// object.
class UniqueWriters {
 public:
  UniqueWriters(Cluster* cluster, UniqueWritersOptions options);
  ~UniqueWriters();

  // Starts the writers. May be called again after End: the book goes on.
  void Begin();

  // Waits until `count` more writes were acknowledged than when Begin was called last; false if
  // that takes longer than `timeout`.
  bool WaitForAcknowledged(size_t count, absl::Duration timeout);

  // Lets each writer finish its request, and waits for all of them.
  void End();

  // How many writes were acknowledged, in all.
  size_t acknowledged_count() const { return acknowledged_count_.load(); }

  // The longest time since Begin was called last in which no write was acknowledged. After End.
  absl::Duration longest_gap() const;

  // The most writes in a row of one writer that were not acknowledged.
  int longest_failure_run() const { return longest_failure_run_.load(); }

  // "" if `state`, the whole store under the prefix, can follow from the writes; otherwise what is
  // wrong, in words.
  std::string FaultIn(const StoreState& state) const;

 private:
  struct Write {
    std::string value;
    Outcome outcome = Outcome::kUnknown;
  };
  struct Writer {
    int number = 0;
    int next_write = 0;
    int failures_in_a_row = 0;
    std::map<std::string, Write> book;  // by key
    std::thread thread;
  };

  void Run(Writer& writer);
  Outcome WriteOnce(Writer& writer, Client& client);
  void OnAcknowledged();
  Client& ClientOf(int choice) { return *clients_[choice % clients_.size()]; }

  const UniqueWritersOptions options_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> acknowledged_count_ = 0;
  size_t acknowledged_at_begin_ = 0;
  std::atomic<int> longest_failure_run_ = 0;

  mutable absl::Mutex mutex_;  // WaitForAcknowledged waits on it, too
  absl::Time acknowledged_at_ ABSL_GUARDED_BY(mutex_);
  absl::Duration longest_gap_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_UNIQUE_WRITERS_H_
