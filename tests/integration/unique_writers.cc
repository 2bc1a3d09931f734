#include "tests/integration/unique_writers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"

namespace pontoon::testing {
namespace {

constexpr size_t kShownMax = 10;

}  // namespace

UniqueWriters::UniqueWriters(Cluster* cluster, UniqueWritersOptions options)
    : options_(std::move(options)) {
  const ClientOptions client{.timeout = options_.timeout,
                             .when_disconnected = WhenDisconnected::kFail};
  for (int node : options_.nodes.empty() ? cluster->AllNodes() : options_.nodes) {
    clients_.push_back(std::make_unique<Client>(cluster->address(node), client));
  }
  for (int i = 0; i < options_.writers; ++i) {
    writers_.push_back(std::make_unique<Writer>());
    writers_.back()->number = i;
  }
}

UniqueWriters::~UniqueWriters() { End(); }

void UniqueWriters::Begin() {
  CHECK(!writers_.front()->thread.joinable()) << "Begin without End";
  stopping_ = false;
  acknowledged_at_begin_ = acknowledged_count_;
  for (const auto& client : clients_) client->WaitForConnected(Cluster::kPatience);
  {
    absl::MutexLock lock(&mutex_);
    acknowledged_at_ = absl::Now();
    longest_gap_ = absl::ZeroDuration();
  }
  for (const auto& writer : writers_) {
    writer->thread = std::thread([this, w = writer.get()] { Run(*w); });
  }
}

bool UniqueWriters::WaitForAcknowledged(size_t count, absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, count] {
    return acknowledged_count_ >= acknowledged_at_begin_ + count;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), timeout);
}

void UniqueWriters::End() {
  stopping_ = true;
  for (const auto& writer : writers_) {
    if (writer->thread.joinable()) writer->thread.join();
  }
}

void UniqueWriters::Run(Writer& writer) {
  int choice = writer.number;
  while (!stopping_) {
    if (WriteOnce(writer, ClientOf(choice)) == Outcome::kOk) continue;
    if (options_.on_failure == UniqueWritersOptions::OnFailure::kStop) return;
    ClientOf(++choice).WaitForConnected(absl::Milliseconds(100));
  }
}

Outcome UniqueWriters::WriteOnce(Writer& writer, Client& client) {
  const std::string name = absl::StrFormat("%03d/%06d", writer.number, writer.next_write++);
  const std::string key = absl::StrCat(options_.prefix, name);
  Write& write = writer.book[key];
  write.value = absl::StrCat("value of ", name);
  write.value.resize(std::max(write.value.size(), options_.value_bytes_min), '.');
  write.outcome = client.Put(key, write.value).outcome();
  if (write.outcome == Outcome::kOk) {
    writer.failures_in_a_row = 0;
    OnAcknowledged();
  } else {
    const int run = ++writer.failures_in_a_row;
    int longest = longest_failure_run_;
    while (run > longest && !longest_failure_run_.compare_exchange_weak(longest, run)) {
    }
  }
  return write.outcome;
}

void UniqueWriters::OnAcknowledged() {
  absl::MutexLock lock(&mutex_);
  ++acknowledged_count_;
  const absl::Time now = absl::Now();
  longest_gap_ = std::max(longest_gap_, now - acknowledged_at_);
  acknowledged_at_ = now;
}

absl::Duration UniqueWriters::longest_gap() const {
  absl::MutexLock lock(&mutex_);
  return longest_gap_;
}

std::string UniqueWriters::FaultIn(const StoreState& state) const {
  std::vector<std::string> faults;
  size_t explained = 0;
  for (const auto& writer : writers_) {
    for (const auto& [key, write] : writer->book) {
      const auto found = state.keys.find(key);
      if (found == state.keys.end()) {
        if (write.outcome == Outcome::kOk) faults.push_back(key + " was acknowledged and is lost");
        continue;
      }
      ++explained;
      const mvccpb::KeyValue& kv = found->second;
      if (kv.value() != write.value) faults.push_back(key + " holds a value never written to it");
      if (kv.version() != 1)
        faults.push_back(absl::StrCat(key, " was written ", kv.version(), "x"));
      if (write.outcome == Outcome::kRefused) faults.push_back(key + " was refused, and is there");
    }
  }
  if (explained != state.keys.size()) {
    faults.push_back(absl::StrCat(state.keys.size() - explained, " keys were never written"));
  }
  if (faults.size() > kShownMax) {
    const size_t more = faults.size() - kShownMax;
    faults.resize(kShownMax);
    faults.push_back(absl::StrCat("and ", more, " more"));
  }
  return absl::StrJoin(faults, "\n");
}

}  // namespace pontoon::testing
