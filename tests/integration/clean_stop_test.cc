// SIGTERM on the leader: it hands its leadership over first, so that who writes through the other
// nodes hardly notices, ends with exit code 0, and comes back with its data. Where there is nobody
// to take over it does not wait; nor does it when it is told a second time.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"

namespace pontoon::testing {
namespace {

constexpr int kRounds = 5;

// Writes one value after another through one node, and keeps the longest time between two
// acknowledgements.
class SteadyWriter {
 public:
  SteadyWriter(const std::string& address, std::string key)
      : client_(address), key_(std::move(key)), thread_([this] { Run(); }) {}
  ~SteadyWriter() { End(); }

  void End() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // Only after End.
  absl::Duration longest_gap() const { return longest_gap_; }
  int failures() const { return failures_; }
  int acknowledged() const { return acknowledged_; }

 private:
  void Run() {
    absl::Time last = absl::Now();
    for (int i = 0; !stopping_; ++i) {
      if (!client_.Put(key_, absl::StrCat(i)).ok()) {
        ++failures_;
        continue;
      }
      const absl::Time now = absl::Now();
      longest_gap_ = std::max(longest_gap_, now - last);
      last = now;
      ++acknowledged_;
    }
  }

  Client client_;
  const std::string key_;
  absl::Duration longest_gap_ = absl::ZeroDuration();
  int failures_ = 0;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class CleanStopTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.StartAll()); }

  // Puts a key through `node`: returns once the cluster has made that much progress.
  void MakeProgress(int node, int writes) {
    for (int i = 0; i < writes; ++i) ASSERT_OK(cluster_.client(node).Put("progress", "x"));
  }

  void StopLeaderOnce() {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
    const std::vector<int> others = cluster_.AllNodesBut(leader);
    SteadyWriter first(cluster_.address(others[0]), "steady/a");
    SteadyWriter second(cluster_.address(others[1]), "steady/b");
    MakeProgress(others[0], 20);
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster_.Stop(leader));
    EXPECT_EQ(exit, (ExitStatus{.code = 0}));
    ASSERT_OK(cluster_.WaitForLeader());
    MakeProgress(others[1], 20);
    first.End();
    second.End();
    longest_gaps_.push_back(std::max(first.longest_gap(), second.longest_gap()));
    for (const SteadyWriter* writer : {&first, &second}) {
      EXPECT_EQ(writer->failures(), 0);
      EXPECT_GT(writer->acknowledged(), 0);
    }
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.WaitForCatchUp(leader));
  }

  Cluster cluster_;
  std::vector<absl::Duration> longest_gaps_;  // one for each stop
};

TEST_F(CleanStopTest, LeaderHandsOverBeforeItStops) {
  for (int round = 1; round <= kRounds; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    StopLeaderOnce();
    if (HasFailure()) return;
  }
  // Without a hand-over each of them is longer.
  for (const absl::Duration gap : longest_gaps_) {
    EXPECT_LT(gap, cluster_.options().election_timeout);
  }
}

TEST_F(CleanStopTest, AllNodesStopTogetherAndKeepTheirData) {
  ASSERT_OK(cluster_.client(0).Put("kept", "value"));
  for (int node : cluster_.AllNodes()) cluster_.BeginStop(node);
  for (int node : cluster_.AllNodes()) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster_.Stop(node));
    EXPECT_EQ(exit, (ExitStatus{.code = 0})) << "node " << node;
  }
  ASSERT_OK(cluster_.StartAll());
  for (int node : cluster_.AllNodes()) {
    const auto answer = cluster_.client(node).Get("kept");
    ASSERT_OK(answer);
    ASSERT_EQ(answer.response.count(), 1);
    EXPECT_EQ(answer.response.kvs(0).value(), "value");
  }
}

TEST_F(CleanStopTest, ASecondSignalEndsItAtOnce) {
  ASSERT_OK(cluster_.client(0).Put("kept", "value"));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  // So that it waits for a successor in vain.
  for (int node : cluster_.AllNodesBut(leader)) cluster_.Pause(node);
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster_.StopAtOnce(leader));
  EXPECT_EQ(exit, (ExitStatus{.code = 1}));
  for (int node : cluster_.AllNodesBut(leader)) cluster_.Continue(node);
  ASSERT_OK(cluster_.StartAll());
  EXPECT_EQ(cluster_.client(leader).Get("kept").response.count(), 1);
}

// Longer than anything else that a stop waits for.
constexpr absl::Duration kLongElectionTimeout = absl::Seconds(5);

TEST(LastNodeTest, DoesNotWaitForASuccessor) {
  Cluster cluster({.election_timeout = kLongElectionTimeout});
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  for (int node : cluster.AllNodesBut(leader)) ASSERT_OK(cluster.Stop(node));
  const absl::Time begin = absl::Now();
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster.Stop(leader));
  EXPECT_EQ(exit, (ExitStatus{.code = 0}));
  EXPECT_LT(absl::Now() - begin, kLongElectionTimeout);
}

// Opens a pipe for writing once the node, which has yet to serve, reads from it; -1 if it never
// does.
int OpenOnceRead(const std::filesystem::path& pipe, Client& client) {
  int fd = -1;
  const absl::Time deadline = absl::Now() + Cluster::kPatience;
  while (fd == -1 && absl::Now() < deadline) {
    client.WaitForConnected(absl::Milliseconds(20));
    fd = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  }
  return fd;
}

// A pipe stands in the place of a file, and nothing comes out of it: a start that takes for ever.
TEST(StopDuringStartTest, EndsItAtOnce) {
  Cluster cluster({.node_count = 1});
  ASSERT_OK(cluster.StartAll());
  cluster.Kill(0);
  const std::filesystem::path pipe = cluster.data_folder(0) / "state/0000000000000000/CURRENT";
  std::filesystem::remove(pipe);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_OK(cluster.Start(0));
  const int writing_end = OpenOnceRead(pipe, cluster.client(0));
  ASSERT_NE(writing_end, -1);
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, cluster.Stop(0));
  EXPECT_EQ(exit, (ExitStatus{.code = 1}));
  close(writing_end);
}

}  // namespace
}  // namespace pontoon::testing
