// Whether the other tests here can fail: the book of UniqueWriters, the comparisons, the processes
// and the cluster, tried on made-up faults and on a real etcd.

#include <signal.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/files.h"
#include "tests/integration/ports.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FilesTest, LastLinesCountsFromTheEnd) {
  const TempFolder folder;
  const auto file = folder.path() / "f";
  WriteFile(file, "a\nb\nc\n");
  EXPECT_EQ(LastLines(file, 2), "b\nc\n");
  EXPECT_EQ(LastLines(file, 3), "a\nb\nc\n");
  EXPECT_EQ(LastLines(file, 9), "a\nb\nc\n");
  WriteFile(file, "");
  EXPECT_EQ(LastLines(file, 2), "");
}

TEST(FilesTest, WordsAreWaitedFor) {
  const TempFolder folder;
  const auto file = folder.path() / "f";
  EXPECT_FALSE(WaitForWords(file, "there", absl::ZeroDuration()));
  std::thread writer([&] {
    WriteFile(file, "is it the");
    WriteFile(file, "it is there");
  });
  EXPECT_TRUE(WaitForWords(file, "there", Cluster::kPatience));
  writer.join();
  EXPECT_TRUE(WaitForWords(file, "there", absl::ZeroDuration())) << "without another change";
  EXPECT_FALSE(WaitForWords(file, "away", absl::Milliseconds(1)));
}

TEST(FilesTest, TreesFollowLinks) {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path() / "a/b");
  WriteFile(folder.path() / "a/b/f", std::string("\0x", 2));
  std::filesystem::create_symlink("b", folder.path() / "a/link");
  const auto tree = ReadTree(folder.path());
  EXPECT_THAT(tree, ::testing::ElementsAre(::testing::Pair("a/b/f", std::string("\0x", 2)),
                                           ::testing::Pair("a/link/f", std::string("\0x", 2))));
}

TEST(FilesTest, DifferencesAreNamed) {
  EXPECT_EQ(DifferenceOf({{"a", "1"}}, {{"a", "1"}}), "");
  EXPECT_EQ(DifferenceOf({{"a", "1"}}, {{"a", "2"}}), "a has other content: 1 bytes for 1");
  EXPECT_EQ(DifferenceOf({{"a", "1"}}, {}), "a is missing");
  EXPECT_EQ(DifferenceOf({}, {{"a", "1"}}), "a should not be there");
}

TEST(ProcessTest, TellsHowAProcessEnded) {
  CommandOptions command;
  command.argv = {"sh", "-c", "cat; echo $COLOUR >&2; exit 7"};
  command.env = {"COLOUR=green"};
  command.input = "from stdin";
  ASSERT_OK_AND_ASSIGN(const CommandResult result, RunCommand(command));
  EXPECT_EQ(result.exit, (ExitStatus{.code = 7, .signal = {}}));
  EXPECT_EQ(result.out, "from stdin");
  EXPECT_EQ(result.err, "green\n");
  EXPECT_EQ(RunCommand({"/no/such/program"}).status().code(), absl::StatusCode::kNotFound);
}

TEST(ProcessTest, KillsWhatTakesTooLong) {
  CommandOptions command;
  command.argv = {"tail", "-f", "/dev/null"};
  command.timeout = absl::Milliseconds(100);
  EXPECT_EQ(RunCommand(command).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(ProcessTest, DestructorEndsTheProcess) {
  ProcessOptions options;
  options.argv = {"tail", "-f", "/dev/null"};
  ASSERT_OK_AND_ASSIGN(auto process, Process::Start(options));
  const pid_t pid = process->pid();
  EXPECT_TRUE(process->Running());
  process = nullptr;
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(PortReservationTest, NeverGivesAPortTwice) {
  std::vector<PortReservation> ports;
  std::set<uint16_t> numbers;
  for (int i = 0; i < 100; ++i) {
    ports.emplace_back();
    numbers.insert(ports.back().port());
  }
  EXPECT_EQ(numbers.size(), ports.size());
}

TEST(OutcomeTest, OnlyDefiniteErrorsAreRefusals) {
  using grpc::StatusCode;
  EXPECT_EQ(OutcomeOf(grpc::Status::OK), Outcome::kOk);
  EXPECT_EQ(OutcomeOf(grpc::Status(StatusCode::INVALID_ARGUMENT, "")), Outcome::kRefused);
  EXPECT_EQ(OutcomeOf(grpc::Status(StatusCode::UNAVAILABLE, "")), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf(grpc::Status(StatusCode::UNAVAILABLE, "etcdserver: no leader")),
            Outcome::kRefused);
  EXPECT_EQ(OutcomeOf(grpc::Status(StatusCode::UNAVAILABLE, "etcdserver: server stopped")),
            Outcome::kRefused);
  EXPECT_EQ(
      OutcomeOf(grpc::Status(StatusCode::UNAVAILABLE,
                             "etcdserver: request timed out, possibly due to connection lost")),
      Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf(grpc::Status(StatusCode::DEADLINE_EXCEEDED, "")), Outcome::kUnknown);
}

// Three etcd servers, which stay up from the first test to the last.
class EtcdClusterTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster(ClusterOptions{.program = Program::kEtcd});
    ASSERT_OK(cluster_->StartAll());
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  static Cluster* cluster_;
};

Cluster* EtcdClusterTest::cluster_ = nullptr;

TEST_F(EtcdClusterTest, FindsTheNewLeaderAfterAKill) {
  ASSERT_OK_AND_ASSIGN(const int first, cluster_->WaitForLeader());
  cluster_->Kill(first);
  ASSERT_OK_AND_ASSIGN(const int second, cluster_->WaitForLeader());
  EXPECT_NE(first, second);
  ASSERT_OK(cluster_->client(second).Put("k", "v"));
  ASSERT_OK(cluster_->StartAll());
  ASSERT_OK(cluster_->WaitForCatchUp(first));
  EXPECT_EQ(cluster_->client(first).Get("k", ReadMode::kSerializable).response.count(), 1);
}

TEST_F(EtcdClusterTest, FindsTheNewLeaderAfterAPause) {
  ASSERT_OK_AND_ASSIGN(const int first, cluster_->WaitForLeader());
  cluster_->Pause(first);
  ASSERT_OK_AND_ASSIGN(const int second, cluster_->WaitForLeader());
  EXPECT_NE(first, second);
  cluster_->Continue(first);
  ASSERT_OK_AND_ASSIGN(const int third, cluster_->WaitForLeader());
  EXPECT_NE(first, third);
}

TEST_F(EtcdClusterTest, SaysWhichNodeEndedByItself) {
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_->WaitForLeader());
  const int victim = (leader + 1) % cluster_->size();
  cluster_->BeginStop(victim);
  absl::Status found;
  while (found.ok()) found = cluster_->WaitForLeader().status();
  EXPECT_EQ(found.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(found.message()), HasSubstr("ended by itself"));
  ASSERT_OK(cluster_->Stop(victim));
  ASSERT_OK(cluster_->StartAll());
}

TEST_F(EtcdClusterTest, TheBookOfTheWritersFindsFaults) {
  UniqueWriters writers(cluster_, {.writers = 4, .prefix = "book/"});
  writers.Begin();
  ASSERT_TRUE(writers.WaitForAcknowledged(50, Cluster::kPatience));
  writers.End();
  ASSERT_OK_AND_ASSIGN(const StoreState state,
                       ReadState(cluster_->client(0), "book/", ReadMode::kLinearizable));
  EXPECT_THAT(writers.FaultIn(state), IsEmpty());

  StoreState lost = state;
  lost.keys.erase(lost.keys.begin());
  EXPECT_THAT(writers.FaultIn(lost), HasSubstr("was acknowledged and is lost"));
  EXPECT_THAT(DifferenceOf(state, lost), HasSubstr("is missing"));

  StoreState changed = state;
  changed.keys.begin()->second.set_value("made up");
  EXPECT_THAT(writers.FaultIn(changed), HasSubstr("holds a value never written to it"));
  EXPECT_THAT(DifferenceOf(state, changed), HasSubstr("version 1 of"));

  StoreState twice = state;
  twice.keys.begin()->second.set_version(2);
  EXPECT_THAT(writers.FaultIn(twice), HasSubstr("was written 2x"));

  StoreState more = state;
  more.keys["book/made up"] = mvccpb::KeyValue();
  EXPECT_THAT(writers.FaultIn(more), HasSubstr("1 keys were never written"));
  EXPECT_THAT(DifferenceOf(state, more), HasSubstr("should not be there"));
}

TEST_F(EtcdClusterTest, StatesAreReadInPages) {
  UniqueWriters writers(cluster_, {.writers = 64, .prefix = "pages/"});
  writers.Begin();
  ASSERT_TRUE(writers.WaitForAcknowledged(11'000, absl::Minutes(1)));
  writers.End();
  ASSERT_OK(cluster_->WaitForCatchUp(2));
  ASSERT_OK_AND_ASSIGN(const StoreState state,
                       ReadState(cluster_->client(2), "pages/", ReadMode::kSerializable));
  EXPECT_GE(state.keys.size(), 11'000u);
  EXPECT_THAT(writers.FaultIn(state), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const StoreState first,
                       ReadState(cluster_->client(0), "", ReadMode::kLinearizable));
  ASSERT_OK_AND_ASSIGN(const StoreState second,
                       ReadState(cluster_->client(1), "", ReadMode::kLinearizable));
  EXPECT_THAT(DifferenceOf(first, second), IsEmpty());
}

}  // namespace
}  // namespace pontoon::testing
