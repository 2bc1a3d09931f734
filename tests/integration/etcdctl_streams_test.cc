// Commands of etcdctl that go on, or that others wait for: watches, leases, locks, elections,
// mirrors; and those of maintenance. What they say is compared with what they say of a real etcd.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/integration/cluster.h"
#include "tests/integration/etcdctl_comparison.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using ::testing::HasSubstr;

class EtcdctlStreamsTest : public EtcdctlComparison {
 protected:
  // Several commands at a time, and what they print.
  using Scenario = std::function<std::string(Side&)>;

  // Plays it on both sides, which must print the same. That is returned.
  std::string CompareScenario(const Scenario& scenario) {
    const std::string want = scenario(etcd_);
    const std::string got = scenario(pontoon_);
    EXPECT_EQ(got, want);
    return got;
  }

  // Grants a lease on both sides, which is then called `name`.
  void CompareGrant(const std::string& words, const std::string& name) {
    CompareScenario([&](Side& side) { return side.RunAndName({words}, 1, "lease ", name); });
  }
};

// Waits until just so many keys begin with `prefix`.
void AwaitKeys(Side& side, const std::string& prefix, int count) {
  auto request = PrefixRange(prefix);
  request.set_count_only(true);
  const auto is_so = [&] {
    const auto answer = side.cluster().client(0).Range(request);
    return answer.ok() && answer.response.count() == count;
  };
  EXPECT_TRUE(Eventually(is_so)) << count << " keys with " << prefix;
}

// Without lines that repeat the one before: how often they come depends on the time.
std::string WithoutRepetitions(const std::string& output) {
  std::vector<std::string> lines = absl::StrSplit(output, '\n');
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return absl::StrJoin(lines, "\n");
}

// ---- Watches

std::vector<Step> History() {
  return {{"put w/a 1"},
          {"put w/b 2"},
          {"put other 3"},
          {"put w/a 4"},
          {"del w/b"},
          {"put w/b ''"},
          {"put 'w/a key' 'and so'"},
          {"put w/c 5"},
          {"del --prefix w/a"},
          {"put w/c --ignore-value"},
          {"put w/d end"}};
}

// What a watch prints that tells the history up to the put of "end", and then of puts through the
// other nodes; `number` sets this watch apart from others. One put at a time: then each has an
// answer of its own, with its revision.
std::string WatchAndPut(Side& side, const std::string& words, int number) {
  const auto watch = side.Begin({words}, 0);
  watch->AwaitOutput("end");
  std::string said;
  for (const int node : {1, 2}) {
    const std::string value = absl::StrCat("value-", number, "-", node);
    said += side.Run({absl::StrCat("put w/d", node, " ", value)}, node);
    watch->AwaitOutput(value);
  }
  return said + watch->Interrupt();
}

TEST_F(EtcdctlStreamsTest, WatchesTellTheHistoryAndGoOn) {
  Compare(History());
  int number = 0;
  for (const char* words : {"watch --prefix w/ --rev=1", "watch --prefix w/ --rev=5",
                            "watch --prefix w/ --rev=1 --prev-kv", "watch w/b w/e --rev=7",
                            "watch --prefix w/ --rev=1 -w fields", "watch w/d x --rev=1"}) {
    SCOPED_TRACE(words);
    ++number;
    const std::string said =
        CompareScenario([&](Side& side) { return WatchAndPut(side, words, number); });
    EXPECT_THAT(said, HasSubstr(absl::StrCat("value-", number, "-2")));
  }
}

TEST_F(EtcdctlStreamsTest, WatchesAnswerInJson) {
  Compare(History());
  CompareScenario([](Side& side) {
    const auto watch = side.Begin({"watch --prefix w/ --rev=1 --prev-kv -w json"}, 1);
    watch->AwaitOutput("ZW5k");  // end
    std::string said = side.Run({"put w/a later"}, 2);
    watch->AwaitOutput("bGF0ZXI=");
    return said + watch->Interrupt();
  });
}

TEST_F(EtcdctlStreamsTest, WatchesRunACommandForEachEvent) {
  Compare(History());
  const std::string words =
      "watch --prefix w/ --rev=4 -- sh -c "
      "'echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE $ETCD_WATCH_REVISION'";
  const std::string said = CompareScenario([&](Side& side) {
    const auto watch = side.Begin({words}, 2);
    watch->AwaitOutput(R"("PUT" "w/d" "end")");
    return watch->Interrupt();
  });
  EXPECT_THAT(said, HasSubstr(R"("DELETE" "w/a key" "")"));
}

TEST_F(EtcdctlStreamsTest, WatchesAreAskedForOneByOne) {
  Compare(History());
  CompareScenario([](Side& side) {
    const auto watch = side.Begin({"watch --interactive", "watch --prefix w/ --rev=1\n"}, 1);
    watch->AwaitOutput("end");
    watch->Type("watch other --rev=1 --prev-kv\n");
    watch->AwaitOutput("other\n3");
    watch->Type("progress\n");
    watch->AwaitOutput("progress notify: 12\nprogress notify: 12");
    return watch->Interrupt();
  });
}

TEST_F(EtcdctlStreamsTest, WatchesOfWhatIsCompacted) {
  Compare(History());
  Compare({
      {"compaction 8"},
      {"watch w/a --rev=2"},
      {"watch --prefix w/ --rev=7 -w json"},
      {"watch --prefix w/ --rev=7 -w fields"},
      {"watch"},
      {"watch --from-key a"},
      {"watch a --rev=x"},
  });
  CompareScenario([](Side& side) { return WatchAndPut(side, "watch --prefix w/ --rev=9", 1); });
}

// ---- Leases

TEST_F(EtcdctlStreamsTest, Leases) {
  CompareGrant("lease grant 600", "<lease1>");
  Compare({
      {"put l/a 1 --lease=<lease1>"},
      {"get l/a -w json"},
      {"lease timetolive <lease1>"},
      {"lease timetolive <lease1> --keys"},
      {"lease timetolive <lease1> -w json"},
      {"lease timetolive <lease1> --keys -w json"},
      {"lease timetolive <lease1> --keys -w fields"},
      {"lease keep-alive --once <lease1>"},
      {"lease keep-alive --once <lease1> -w json"},
      {"lease keep-alive --once <lease1> -w fields"},
      {"lease list -w json"},
      {"lease list -w fields"},
      {"lease list -w table"},
  });
  CompareGrant("lease grant 0", "<lease2>");  // is raised to the least there is
  CompareGrant("lease grant 9000000000", "<lease3>");
  Compare({
      {"lease timetolive <lease3> --keys"},
      {"put l/b 2 --lease=<lease1>"},
      {"put l/c 3 --lease=<lease3>"},
      {"put l/d 4 --lease=<lease1>"},
      {"put l/d 5"},  // and no lease any more
      {"put l/c --ignore-value --lease=<lease1>"},
      {"put l/a 6 --ignore-lease"},
      {"get --prefix l/ -w json"},
      {"lease revoke <lease1>"},
      {"get --prefix l/ -w json"},
      {"lease revoke <lease1>"},
      {"lease timetolive <lease1>"},
      {"lease timetolive <lease1> --keys -w json"},
      {"lease keep-alive --once <lease1>"},
      {"lease keep-alive <lease1>"},
      {"put l/a 1 --lease=<lease1>"},
      {"put l/e --ignore-lease 1"},
      {"lease grant 9000000001"},
      {"lease grant"},
      {"lease grant x"},
      {"lease revoke"},
      {"lease revoke x"},
      {"lease timetolive"},
      {"lease keep-alive"},
  });
  for (Side* side : {&etcd_, &pontoon_}) {
    EXPECT_TRUE(Eventually([&] {
      return absl::StrContains(side->Run({"lease timetolive <lease2>"}, 0), "already expired");
    }));
  }
  Compare({{"lease list"}, {"lease revoke <lease3>"}, {"lease list"}});
}

TEST_F(EtcdctlStreamsTest, LeasesAreKeptAliveUntilTheyAreRevoked) {
  const std::string said = CompareScenario([](Side& side) {
    std::string said = side.RunAndName({"lease grant 4"}, 0, "lease ", "<lease>");
    const auto keeper = side.Begin({"lease keep-alive <lease>"}, 1);
    keeper->AwaitOutput("keepalived");
    said += side.Run({"put l 1 --lease=<lease>"}, 2);
    said += side.Run({"lease revoke <lease>"}, 2);
    said += side.Run({"get l"}, 0);
    return said + WithoutRepetitions(keeper->AwaitEnd());
  });
  EXPECT_THAT(said, HasSubstr("keepalived with TTL(4)\nlease <lease> expired or revoked.\n"));
}

// ---- Locks and elections

TEST_F(EtcdctlStreamsTest, LocksAreHeldByOneAtATime) {
  const std::string said = CompareScenario([](Side& side) {
    const auto first = side.Begin({"lock l"}, 0);
    first->AwaitOutput("l/");
    const auto second = side.Begin({"lock l --ttl=20"}, 1);
    AwaitKeys(side, "l/", 2);
    const auto third =
        side.Begin({"lock l -- sh -c 'echo I hold $ETCD_LOCK_KEY of $ETCD_LOCK_REV; exit 3'"}, 2);
    AwaitKeys(side, "l/", 3);
    EXPECT_EQ(second->Output() + third->Output(), "");

    std::string said = first->Interrupt();
    second->AwaitOutput("l/");
    AwaitKeys(side, "l/", 2);
    EXPECT_EQ(third->Output(), "");
    said += second->Interrupt();
    said += third->AwaitEnd();
    AwaitKeys(side, "l/", 0);
    return said;
  });
  EXPECT_THAT(said, HasSubstr("I hold l/LEASE of 6\n"));
  Compare({{"lock l echo free again"}, {"lock"}, {"lock l --ttl=x"}, {"lock l no-such-command"}});
}

TEST_F(EtcdctlStreamsTest, CandidatesFollowEachOther) {
  const std::string said = CompareScenario([](Side& side) {
    const auto first = side.Begin({"elect e ada"}, 0);
    first->AwaitOutput("ada");
    const auto listener = side.Begin({"elect --listen e"}, 2);
    listener->AwaitOutput("ada");
    const auto second = side.Begin({"elect e grace"}, 1);
    AwaitKeys(side, "e/", 2);
    EXPECT_EQ(second->Output(), "");
    std::string said = first->Interrupt();
    second->AwaitOutput("grace");
    listener->AwaitOutput("grace");
    said += side.Run({"get --prefix e/"}, 0);
    said += second->Interrupt();
    AwaitKeys(side, "e/", 0);
    return said + listener->Interrupt();
  });
  EXPECT_THAT(said, HasSubstr("e/LEASE\nada\ne/LEASE\ngrace\n"));
  Compare({{"elect"}, {"elect e"}, {"elect --listen e x"}});
}

// ---- Maintenance

// etcdctl can only take alarms back.
void RaiseNospace(Side& side, int node) {
  Client& client = side.cluster().client(node);
  const auto status = client.Status();
  ASSERT_OK(status);
  etcdserverpb::AlarmRequest request;
  request.set_action(etcdserverpb::AlarmRequest::ACTIVATE);
  request.set_alarm(etcdserverpb::NOSPACE);
  request.set_memberid(status.response.header().member_id());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + Cluster::kPatience));
  Answer<etcdserverpb::AlarmResponse> answer;
  const auto maintenance = etcdserverpb::Maintenance::NewStub(client.channel());
  answer.status = maintenance->Alarm(&context, request, &answer.response);
  ASSERT_OK(answer);
}

TEST_F(EtcdctlStreamsTest, AlarmsAreListedAndTakenBack) {
  Compare({{"put a 1"}, {"alarm list"}, {"alarm disarm"}});
  for (Side* side : {&etcd_, &pontoon_}) {
    RaiseNospace(*side, 0);
    RaiseNospace(*side, 2);
  }
  Compare({
      {"alarm list", "", Order::kSorted},
      {"put a 2"},
      {"txn", "\nput a 3\n\n\n"},
      {"lease grant 60"},
      {"get a"},
      {"endpoint health", "", Order::kSorted, Ask::kAllNodes},
      {"del a"},
      {"compaction 3"},
      {"alarm disarm", "", Order::kSorted},
      {"alarm list"},
      {"put a 4"},
      {"alarm"},
      {"alarm list x"},
  });
}

TEST_F(EtcdctlStreamsTest, Defragmentation) {
  Compare({
      {"put a 1"},
      {"defrag"},
      {"defrag", "", Order::kAsPrinted, Ask::kAllNodes},
      {"defrag --cluster", "", Order::kSorted},
      {"endpoint health --cluster", "", Order::kSorted},
      {"endpoint status --cluster", "", Order::kSorted},
      {"get a"},
  });
}

// Hashes are of what a store has on its disk, so they differ; but not between the members.
std::string WithNumberedHashes(const std::string& output) {
  static const std::regex kHash(R"re((, |"hash":|"Hash" : )([0-9]+))re");
  std::map<std::string, size_t> numbers;
  std::string result;
  auto rest = output.cbegin();
  for (std::sregex_iterator it(output.begin(), output.end(), kHash), end; it != end; ++it) {
    const size_t number = numbers.try_emplace((*it)[2], numbers.size()).first->second;
    absl::StrAppend(&result, std::string(rest, (*it)[0].first), (*it)[1].str(), "HASH", number);
    rest = (*it)[0].second;
  }
  return result + std::string(rest, output.cend());
}

TEST_F(EtcdctlStreamsTest, HashesOfAllMembersAreEqual) {
  Compare(History());
  Compare({{"compaction --physical 4"}});
  for (const char* words : {"endpoint hashkv", "endpoint hashkv --rev=7", "endpoint hashkv -w json",
                            "endpoint hashkv --rev=5 -w fields", "endpoint hashkv --rev=3",
                            "endpoint hashkv --rev=99"}) {
    SCOPED_TRACE(words);
    const std::string said = CompareScenario([&](Side& side) {
      return WithNumberedHashes(side.Run({words, "", Order::kAsPrinted, Ask::kAllNodes}, 0));
    });
    EXPECT_THAT(said, ::testing::Not(HasSubstr("HASH1")));
  }
}

TEST_F(EtcdctlStreamsTest, SnapshotsAreSaved) {
  Compare(History());
  Compare({
      // In two threads: what it says of the stream may come before or after the rest.
      {"snapshot save <folder>/saved", "", Order::kSorted},
      {"snapshot save <folder>/saved", "", Order::kAsPrinted, Ask::kAllNodes},
      {"snapshot save <folder>/no/such/folder"},
      {"snapshot save"},
      {"snapshot status <folder>/nothing"},
      {"snapshot status"},
  });
  // A snapshot of Pontoon is no database of etcd's, and is not taken for one.
  const Step status{"snapshot status <folder>/saved"};
  EXPECT_THAT(etcd_.Run(status, 0), HasSubstr("-- exit code 0\n"));
  EXPECT_EQ(pontoon_.Run(status, 0), "-- out:\n-- err:\nError: invalid database\n-- exit code 1\n");
}

// ---- Mirrors

TEST_F(EtcdctlStreamsTest, MirrorsFollow) {
  Compare(History());
  const std::string said = CompareScenario([](Side& side) {
    const auto mirror = side.Begin({"make-mirror --prefix=w/ --dest-prefix=mirror/ <client2>"}, 0);
    AwaitKeys(side, "mirror/", 3);
    side.Run({"txn", "\nput w/e later\ndel w/c\nput w/f later\n\n\n"}, 1);
    side.Run({"del w/b"}, 2);
    side.Run({"put w/d changed"}, 2);
    EXPECT_TRUE(
        Eventually([&] { return absl::StrContains(side.Run({"get mirror/d"}, 2), "changed"); }));
    mirror->Interrupt();
    return side.Run({"get --prefix mirror/"}, 1);
  });
  EXPECT_THAT(said, HasSubstr("mirror/d\nchanged\nmirror/e\nlater\nmirror/f\nlater\n"));
}

}  // namespace
}  // namespace pontoon::testing
