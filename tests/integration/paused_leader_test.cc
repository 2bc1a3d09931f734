// The leader's process stands still for three election timeouts and continues, believing that it
// leads: no acknowledged write is lost, and nobody reads from it what has been overwritten.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

constexpr int kPauses = 5;
constexpr int kReaders = 4;
constexpr int kLateReaders = 8;
constexpr char kRegister[] = "register";

// One key whose value only rises, one writer, and readers that hold what they read against what was
// acknowledged before they asked.
class RisingRegister {
 public:
  ~RisingRegister() {
    AwaitLateReads();
    End();
  }

  // Writes through `writing`, in turn, and reads through `reading`, by several threads.
  void Begin(Cluster& cluster, const std::vector<int>& writing, int reading) {
    stopping_ = false;
    threads_.emplace_back([this, &cluster, writing] { Write(cluster, writing); });
    for (int i = 0; i < kReaders; ++i) {
      threads_.emplace_back([this, &cluster, reading] { Read(cluster.address(reading)); });
    }
  }

  void End() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Readers of a node that stands still: it must be awake while they connect. Each then asks once.
  void ConnectLateReaders(const std::string& address) {
    late_clients_.clear();
    for (int i = 0; i < kLateReaders; ++i) {
      late_clients_.push_back(std::make_unique<Client>(address, kReading));
      ASSERT_TRUE(late_clients_.back()->WaitForConnected(Cluster::kPatience));
    }
  }
  void BeginLateReads() {
    for (const auto& client : late_clients_) {
      late_threads_.emplace_back([this, c = client.get()] { late_reads_ += ReadOnce(*c); });
    }
  }
  void AwaitLateReads() {
    for (std::thread& thread : late_threads_) thread.join();
    late_threads_.clear();
  }

  int64_t acknowledged() const { return acknowledged_; }
  int64_t reads() const { return reads_; }
  int64_t late_reads() const { return late_reads_; }
  // Of reads that gave less than what was acknowledged before they began.
  int64_t stale_reads() const { return stale_reads_; }

 private:
  // Values of one width compare as text as they do as numbers.
  static std::string Text(int64_t value) { return absl::StrFormat("%012d", value); }

  // Sets the register to `value` unless it is already higher: a write whose outcome is unknown may
  // still be under way, and must not come after the next one.
  static etcdserverpb::TxnRequest RaiseTo(int64_t value) {
    etcdserverpb::TxnRequest txn;
    etcdserverpb::Compare& higher = *txn.add_compare();
    higher.set_key(kRegister);
    higher.set_target(etcdserverpb::Compare::VALUE);
    higher.set_result(etcdserverpb::Compare::GREATER);
    higher.set_value(Text(value));
    etcdserverpb::PutRequest& put = *txn.add_failure()->mutable_request_put();
    put.set_key(kRegister);
    put.set_value(Text(value));
    return txn;
  }

  void Write(Cluster& cluster, const std::vector<int>& nodes) {
    const ClientOptions options{.timeout = absl::Seconds(1)};
    std::vector<std::unique_ptr<Client>> clients;
    for (int node : nodes) {
      clients.push_back(std::make_unique<Client>(cluster.address(node), options));
    }
    while (!stopping_) {
      const int64_t value = ++last_tried_;
      const auto answer = clients[value % clients.size()]->Txn(RaiseTo(value));
      if (answer.ok() && !answer.response.succeeded()) acknowledged_ = value;
    }
  }

  void Read(const std::string& address) {
    Client client(address, kReading);
    while (!stopping_) ReadOnce(client);
  }

  // False if there was no answer.
  bool ReadOnce(Client& client) {
    const int64_t at_least = acknowledged_;
    const auto answer = client.Get(kRegister);
    if (!answer.ok()) return false;
    int64_t value = 0;
    if (answer.response.count() > 0 && !absl::SimpleAtoi(answer.response.kvs(0).value(), &value)) {
      ADD_FAILURE() << "not a value of ours: " << answer.response.kvs(0).value();
    }
    ++reads_;
    if (value < at_least) ++stale_reads_;
    return true;
  }

  static constexpr ClientOptions kReading{.timeout = absl::Seconds(5)};

  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<Client>> late_clients_;
  std::vector<std::thread> late_threads_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> last_tried_ = 0;
  std::atomic<int64_t> acknowledged_ = 0;
  std::atomic<int64_t> reads_ = 0;
  std::atomic<int64_t> late_reads_ = 0;
  std::atomic<int64_t> stale_reads_ = 0;
};

class PausedLeaderTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.StartAll()); }

  // Stops the leader's process for three election timeouts, in which the others go on.
  void PauseLeaderOnce() {
    ASSERT_OK_AND_ASSIGN(const int paused, cluster_.WaitForLeader());
    register_.Begin(cluster_, cluster_.AllNodesBut(paused), paused);
    writers_.Begin();
    ASSERT_TRUE(writers_.WaitForAcknowledged(200, Cluster::kPatience));
    register_.ConnectLateReaders(cluster_.address(paused));
    cluster_.Pause(paused);
    const absl::Time end_of_pause = absl::Now() + 3 * cluster_.options().election_timeout;
    const int64_t acknowledged_at_pause = register_.acknowledged();
    ASSERT_OK_AND_ASSIGN(const int successor, cluster_.WaitForLeader());
    EXPECT_NE(successor, paused);
    WriteUntil(end_of_pause, successor);
    EXPECT_GT(register_.acknowledged(), acknowledged_at_pause);

    // The questions that lie before the old leader when it awakes, and believes that it still
    // leads: asked now, when its own state is far behind. The readers above asked before the pause;
    // what they may be told does not show whether a quorum was heard.
    const int64_t late_reads_before = register_.late_reads();
    register_.BeginLateReads();
    WriteSome(successor);
    const int64_t reads_at_end = register_.reads();
    cluster_.Continue(paused);
    ASSERT_OK(cluster_.WaitForCatchUp(paused));
    ASSERT_OK(cluster_.WaitForLeader());
    register_.AwaitLateReads();
    writers_.End();
    register_.End();
    EXPECT_GT(register_.reads(), reads_at_end) << "nothing was read after the pause";
    EXPECT_GT(register_.late_reads(), late_reads_before);
  }

  // Takes as long as it takes a request to reach a socket, and more.
  void WriteSome(int node) {
    for (int i = 0; i < 50; ++i) ASSERT_OK(cluster_.client(node).Put("other", "write"));
  }

  // Spends the time until `end` with writes, which prove that the others do not need the leader.
  void WriteUntil(absl::Time end, int node) {
    while (absl::Now() < end) ASSERT_OK(cluster_.client(node).Put("other", "write"));
  }

  Cluster cluster_;
  RisingRegister register_;
  UniqueWriters writers_{&cluster_, {.writers = 8, .timeout = absl::Seconds(2)}};
};

TEST_F(PausedLeaderTest, LosesNoWriteAndReadsNothingStale) {
  for (int pause = 1; pause <= kPauses; ++pause) {
    SCOPED_TRACE(::testing::Message() << "pause " << pause);
    PauseLeaderOnce();
    if (HasFailure()) return;
  }
  EXPECT_EQ(register_.stale_reads(), 0) << "of " << register_.reads();
  for (int node : cluster_.AllNodes()) {
    ASSERT_OK_AND_ASSIGN(const StoreState state,
                         ReadState(cluster_.client(node), "unique/", ReadMode::kLinearizable));
    EXPECT_EQ(writers_.FaultIn(state), "") << "on node " << node;
  }
}

}  // namespace
}  // namespace pontoon::testing
