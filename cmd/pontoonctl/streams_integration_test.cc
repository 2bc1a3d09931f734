// Watches, leases, locks and elections against real servers: for the time being those of etcd 3.4
// only. Pontoon has no Watch and Lease services yet; where it has, these tests are to run against
// it as well (PONTOONCTL_TEST_SERVER).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/pontoonctl/integration.h"
#include "cmd/pontoonctl/test_server.h"

namespace pontoon::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// One server for all tests; each uses keys of its own.
class StreamsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new TestCluster(FreshFolder("streams"), 1);
    const Result ready = RunAt(cluster_->endpoints(), {"--timeout", kPatience, "get", "ready"});
    ASSERT_EQ(ready.code, ExitCode::kOk) << ready.err;
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  static Result Execute(const std::vector<std::string>& arguments) {
    return RunAt(cluster_->endpoints(), arguments);
  }
  static std::string Out(const std::vector<std::string>& arguments) {
    return OutAt(cluster_->endpoints(), arguments);
  }
  static std::unique_ptr<Background> Start(const std::vector<std::string>& arguments) {
    return std::make_unique<Background>(cluster_->endpoints(), arguments);
  }

  // Puts a key; the revision of it.
  static std::string Put(const std::string& key, const std::string& value) {
    return nlohmann::json::parse(
        Out({"put", key, value, "--output", "json"}))["header"]["revision"];
  }

  // The ID of a new lease.
  static std::string Grant() {
    const std::vector<std::string> words = absl::StrSplit(Out({"lease", "grant", "60"}), ' ');
    return words[1];
  }

  static std::string LeaseOf(const std::string& key) {
    const auto kv = nlohmann::json::parse(Out({"get", key, "--output", "json"}))["kvs"][0];
    int64_t lease = 0;
    EXPECT_TRUE(absl::SimpleAtoi(kv["lease"].get<std::string>(), &lease));
    return absl::StrCat(absl::Hex(lease));
  }

  static TestCluster* cluster_;
};

TestCluster* StreamsTest::cluster_ = nullptr;

// The next lines, with '/' between.
std::string Lines(Background& program, int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) absl::StrAppend(&lines, program.ReadLine(), "/");
  return lines;
}

TEST_F(StreamsTest, WatchPrintsWhatHappenedAndWhatHappens) {
  const std::string first = Put("w1a", "1");
  Put("w1b", "2");
  Out({"del", "w1a"});
  const auto watch = Start({"watch", "w1", "--prefix", "--rev", first, "--prev-kv"});
  EXPECT_EQ(Lines(*watch, 11), "PUT/w1a/1/PUT/w1b/2/DELETE/w1a/1/w1a//");
  Put("w1b", "3");
  EXPECT_EQ(Lines(*watch, 5), "PUT/w1b/2/w1b/3/");
  watch->Signal(SIGINT);
  EXPECT_EQ(watch->Wait(), 0);
  EXPECT_EQ(watch->ReadLine(), "");
  EXPECT_EQ(watch->err(), "");
}

TEST_F(StreamsTest, WatchOfARangeAsJson) {
  const std::string first = Put("w2a", "1");
  Put("w2b", "2");
  Put("w2c", "3");
  const auto watch = Start({"watch", "w2b", "w2c", "--rev", first, "--output", "json"});
  const auto response = nlohmann::json::parse(watch->ReadLine());
  ASSERT_EQ(response["events"].size(), 1u);
  EXPECT_EQ(response["events"][0]["kv"]["value"], "Mg==");
}

TEST_F(StreamsTest, WatchSaysThatItsRevisionIsCompacted) {
  const std::string first = Put("w3", "1");
  const std::string second = Put("w3", "2");
  Put("w3", "3");
  Out({"compact", second});
  const Result result = Execute({"watch", "w3", "--rev", first});
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_EQ(result.err,
            absl::StrCat("pontoonctl: watch: revision ", first,
                         " has been compacted: what happened before revision ", second,
                         " is forgotten; read the keys anew, or watch with --rev ", second, "\n"));
}

TEST_F(StreamsTest, WatchRunsACommandForEachEvent) {
  const std::string first = Put("w4", "one two");
  Out({"del", "w4"});
  const auto watch =
      Start({"watch", "w4", "--rev", first, "--", "sh", "-c",
             "echo \"$PONTOON_WATCH_REVISION $PONTOON_WATCH_EVENT_TYPE $PONTOON_WATCH_KEY\" "
             "\"($PONTOON_WATCH_VALUE) $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_VALUE\""});
  int64_t revision = 0;
  ASSERT_TRUE(absl::SimpleAtoi(first, &revision));
  EXPECT_EQ(Lines(*watch, 8), absl::StrCat("PUT/w4/one two/DELETE/w4//", revision,
                                           " PUT w4 (one two) \"PUT\" \"one two\"/", revision + 1,
                                           " DELETE w4 () \"DELETE\" \"\"/"));
  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait(), 0);
}

TEST_F(StreamsTest, WatchEndsWhereItsCommandFails) {
  const std::string first = Put("w5", "1");
  const Result result = Execute({"watch", "w5", "--rev", first, "--", "sh", "-c", "exit 9"});
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_EQ(result.err,
            absl::StrCat("pontoonctl: watch: \"sh -c exit 9\" ended with exit code 9 at "
                         "revision ",
                         first, "\n"));
  EXPECT_THAT(Execute({"watch", "w5", "--rev", first, "--", "no-such-program"}).err,
              HasSubstr("cannot run no-such-program: No such file"));
}

TEST(ThreeServersStreamsTest, WatchGoesOnWhenItsServerDies) {
  TestCluster cluster(FreshFolder("dying"), 3);
  ASSERT_EQ(RunAt(cluster.endpoints(), {"--timeout", kPatience, "put", "k", "1"}).code,
            ExitCode::kOk);
  // At the first endpoint that answers.
  Background watch(cluster.endpoints(), {"watch", "k", "--rev", "1", "--timeout", kPatience});
  EXPECT_EQ(Lines(watch, 3), "PUT/k/1/");
  cluster.Kill(0);
  const std::string others = absl::StrCat(cluster.endpoint(1), ",", cluster.endpoint(2));
  // Waits for a leader: without one a put could have an unknown outcome.
  ASSERT_EQ(RunAt(others, {"--timeout", kPatience, "get", "k"}).code, ExitCode::kOk);
  for (const char* value : {"2", "3"}) {
    const Result put = RunAt(others, {"--timeout", kPatience, "put", "k", value});
    ASSERT_EQ(put.code, ExitCode::kOk) << put.err;
  }
  EXPECT_EQ(Lines(watch, 6), "PUT/k/2/PUT/k/3/");
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait(), 0);
  EXPECT_THAT(watch.err(), StartsWith("going on elsewhere: "));
}

TEST_F(StreamsTest, LeasesAreGrantedShownRenewedAndRevoked) {
  EXPECT_EQ(Out({"lease", "grant", "500", "--id", "abc1"}), "lease abc1 granted with TTL(500s)\n");
  const Result twice = Execute({"lease", "grant", "500", "--id", "abc1"});
  EXPECT_EQ(twice.code, ExitCode::kFailed);
  EXPECT_THAT(twice.err, HasSubstr("lease already exists (FAILED_PRECONDITION)"));
  Out({"put", "leased/b", "1", "--lease", "abc1"});
  Out({"put", "leased/a", "1", "--lease", "abc1"});
  EXPECT_THAT(
      Out({"lease", "timetolive", "abc1", "--keys"}),
      MatchesRegex("lease abc1 granted with TTL\\(500s\\), remaining\\([0-9]+s\\), attached "
                   "keys\\(\\[leased/[ab] leased/[ab]\\]\\)\n"));
  const auto json = nlohmann::json::parse(Out({"lease", "timetolive", "abc1", "--output", "json"}));
  EXPECT_EQ(json["granted_ttl"], 500);
  EXPECT_GT(json["ttl"], 400);
  EXPECT_THAT(Out({"lease", "list"}), HasSubstr("\nabc1\n"));
  EXPECT_EQ(Out({"lease", "keep-alive", "--once", "abc1"}),
            "lease abc1 keepalived with TTL(500)\n");
  EXPECT_EQ(Out({"lease", "revoke", "abc1"}), "lease abc1 revoked\n");
  EXPECT_EQ(Out({"get", "leased/", "--prefix", "--count-only"}), "0\n");

  const Result gone = Execute({"lease", "timetolive", "abc1"});
  EXPECT_EQ(gone.code, ExitCode::kFailed);
  EXPECT_EQ(gone.out, "lease abc1 already expired\n");
  EXPECT_THAT(Execute({"lease", "revoke", "abc1"}).err,
              HasSubstr("requested lease not found (NOT_FOUND)"));
  EXPECT_THAT(Execute({"lease", "keep-alive", "--once", "abc1"}).err,
              HasSubstr("lease abc1 expired or revoked: there is no such lease, or no longer"));
}

TEST_F(StreamsTest, KeepAliveEndsWithTheLeaseOrByTheUser) {
  Out({"lease", "grant", "2", "--id", "abc2"});
  const auto keeping = Start({"lease", "keep-alive", "abc2"});
  // More often than its two seconds allow without.
  EXPECT_EQ(Lines(*keeping, 4),
            "lease abc2 keepalived with TTL(2)/lease abc2 keepalived with "
            "TTL(2)/lease abc2 keepalived with TTL(2)/lease abc2 keepalived "
            "with TTL(2)/");
  Out({"lease", "revoke", "abc2"});
  EXPECT_EQ(keeping->Wait(), 1);
  EXPECT_THAT(keeping->err(), HasSubstr("lease abc2 expired or revoked"));

  const std::string id = Grant();
  const auto interrupted = Start({"lease", "keep-alive", id});
  EXPECT_THAT(interrupted->ReadLine(), HasSubstr("keepalived with TTL(60)"));
  interrupted->Signal(SIGINT);
  EXPECT_EQ(interrupted->Wait(), 0);
}

TEST_F(StreamsTest, ALockIsHeldByOneAfterTheOther) {
  const auto first = Start({"lock", "l1"});
  const std::string first_key = first->ReadLine();
  int64_t first_token = 0;
  ASSERT_TRUE(absl::SimpleAtoi(first->ReadLine(), &first_token));
  EXPECT_EQ(first_key, absl::StrCat("l1/", LeaseOf(first_key)));
  const auto second = Start({"lock", "l1"});
  while (Out({"get", "l1/", "--prefix", "--count-only"}) != "2\n") {
  }
  first->Signal(SIGINT);
  EXPECT_EQ(first->Wait(), 0);
  EXPECT_EQ(first->err(), "");
  EXPECT_THAT(second->ReadLine(), StartsWith("l1/"));
  int64_t second_token = 0;
  ASSERT_TRUE(absl::SimpleAtoi(second->ReadLine(), &second_token));
  EXPECT_GT(second_token, first_token);
  second->Signal(SIGTERM);
  EXPECT_EQ(second->Wait(), 0);
  EXPECT_EQ(Out({"get", "l1/", "--prefix", "--count-only"}), "0\n");
}

TEST_F(StreamsTest, ALockEndsWithItsCommandAndItsExitCode) {
  const auto lock = Start({"lock", "l2", "--", "sh", "-c",
                           "echo $PONTOON_LOCK_KEY $PONTOON_LOCK_TOKEN $PONTOON_LOCK_REV "
                           "$ETCD_LOCK_KEY $ETCD_LOCK_REV; exit 7"});
  const std::vector<std::string> words = absl::StrSplit(lock->ReadLine(), ' ');
  ASSERT_EQ(words.size(), 5u);
  EXPECT_THAT(words[0], MatchesRegex("l2/[0-9a-f]+"));
  EXPECT_THAT(words[1], MatchesRegex("[0-9]+"));
  EXPECT_EQ(words[3], words[0]);
  EXPECT_EQ(words[4], words[2]);
  EXPECT_EQ(lock->Wait(), 7);
  EXPECT_EQ(Out({"get", "l2/", "--prefix", "--count-only"}), "0\n");
  EXPECT_EQ(Execute({"lock", "l2", "--", "true"}).code, ExitCode::kOk);
  EXPECT_THAT(Execute({"lock", "l2", "--", "no-such-program"}).err,
              HasSubstr("cannot run no-such-program"));
}

TEST_F(StreamsTest, WhoeverLosesTheLeaseOfALockIsTold) {
  const auto lock = Start({"lock", "l3", "--ttl", "2", "--", "sh", "-c",
                           "trap 'echo told; exit 0' TERM; echo $PONTOON_LOCK_KEY; "
                           "while :; do sleep 0.1; done"});
  const std::string key = lock->ReadLine();
  Out({"lease", "revoke", LeaseOf(key)});
  EXPECT_EQ(lock->ReadLine(), "told");
  EXPECT_EQ(lock->Wait(), static_cast<int>(ExitCode::kLeaseLost));
  EXPECT_THAT(lock->err(), HasSubstr("the lease was lost: it has expired or was revoked"));
}

TEST_F(StreamsTest, AnInterruptReachesTheCommandOfALock) {
  const auto lock = Start({"lock", "l4", "--", "sh", "-c",
                           "trap 'exit 3' INT; echo ready; while :; do sleep 0.1; done"});
  EXPECT_EQ(lock->ReadLine(), "ready");
  lock->Signal(SIGINT);
  EXPECT_EQ(lock->Wait(), 3);
}

TEST_F(StreamsTest, WhoWaitsForALockCanBeInterrupted) {
  const auto holder = Start({"lock", "l5"});
  EXPECT_THAT(holder->ReadLine(), StartsWith("l5/"));
  const auto waiting = Start({"lock", "l5"});
  while (Out({"get", "l5/", "--prefix", "--count-only"}) != "2\n") {
  }
  waiting->Signal(SIGINT);
  EXPECT_EQ(waiting->Wait(), 1);
  EXPECT_THAT(waiting->err(), HasSubstr("interrupted while it waited for its turn"));
  EXPECT_EQ(Out({"get", "l5/", "--prefix", "--count-only"}), "1\n");
}

TEST_F(StreamsTest, ElectionsAreWonInTurnAndListenedTo) {
  const auto listener = Start({"elect", "e1", "--listen"});
  const auto first = Start({"elect", "e1", "alpha"});
  const std::string first_key = first->ReadLine();
  EXPECT_THAT(first_key, StartsWith("e1/"));
  EXPECT_EQ(first->ReadLine(), "alpha");
  EXPECT_EQ(Lines(*listener, 2), first_key + "/alpha/");
  const auto second =
      Start({"elect", "e1", "beta", "--", "sh", "-c",
             "trap 'exit 3' INT; echo $PONTOON_ELECT_KEY; while :; do sleep 0.1; done"});
  while (Out({"get", "e1/", "--prefix", "--count-only"}) != "2\n") {
  }
  first->Signal(SIGINT);
  EXPECT_EQ(first->Wait(), 0);
  const std::string second_key = second->ReadLine();
  EXPECT_THAT(second_key, Not(first_key));
  // It leads until the listener has seen it: who is gone by then is never told.
  EXPECT_EQ(Lines(*listener, 2), second_key + "/beta/");
  second->Signal(SIGINT);
  EXPECT_EQ(second->Wait(), 3);
  listener->Signal(SIGINT);
  EXPECT_EQ(listener->Wait(), 0);
}

}  // namespace
}  // namespace pontoon::ctl
