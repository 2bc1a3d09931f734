// What kv/client promises, with real servers that are killed, paused and started again.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "kv/client/client.h"
#include "kv/client/lease_keeper.h"
#include "kv/client/lock.h"
#include "kv/client/once_writer.h"
#include "kv/client/outcome.h"
#include "kv/client/session.h"
#include "kv/client/watch.h"
#include "kv/errors.h"
#include "tests/integration/calls.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::TxnRequest;
using ::testing::IsEmpty;

constexpr absl::Duration kTimeout = absl::Seconds(60);  // of a call, elections and all

class ClientLibraryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.WaitForLeader());
  }

  std::unique_ptr<pontoon::Client> Connect(pontoon::ClientOptions options = {}) {
    options.endpoints = absl::StrSplit(cluster_.Endpoints(), ',');
    options.timeout = kTimeout;
    return Made(options);
  }
  // To one node alone.
  std::unique_ptr<pontoon::Client> ConnectTo(int node) {
    return Made(
        {.endpoints = {cluster_.address(node)}, .timeout = kTimeout, .discovers_members = false});
  }
  static std::unique_ptr<pontoon::Client> Made(const pontoon::ClientOptions& options) {
    auto client = pontoon::Client::Create(options);
    EXPECT_OK(client);
    return *std::move(client);
  }

  // Kills the leader, waits for another one, and starts the node again.
  void ReplaceLeader() {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
    cluster_.Kill(leader);
    ASSERT_OK(cluster_.WaitForLeader());
    ASSERT_OK(cluster_.Start(leader));
    ASSERT_OK(cluster_.WaitForCatchUp(leader));
  }

  Cluster cluster_;
};

// Adds one to the number in `key`, as kv/client/examples/counter.cc does.
absl::Status AddOne(Kv& kv, const std::string& key) {
  for (;;) {
    const auto got = kv.Get(key);
    if (!got.ok()) return got.status();
    int64_t value = 0;
    TxnRequest txn;
    etcdserverpb::Compare& compare = *txn.add_compare();
    compare.set_key(key);
    compare.set_target(etcdserverpb::Compare::MOD);
    if (got->kv.has_value()) {
      if (!absl::SimpleAtoi(got->kv->value(), &value)) return absl::InternalError("no number");
      compare.set_mod_revision(got->kv->mod_revision());
    }
    etcdserverpb::PutRequest& put = *txn.add_success()->mutable_request_put();
    put.set_key(key);
    put.set_value(absl::StrCat(value + 1));
    const auto done = kv.Txn(txn);
    if (!done.ok()) return done.status();
    if (done->succeeded()) return absl::OkStatus();
  }
}

// The revisions of events, and how many there were of each key.
class Seen {
 public:
  void Add(const std::vector<mvccpb::Event>& events) {
    absl::MutexLock lock(&mutex_);
    for (const mvccpb::Event& event : events) {
      if (event.kv().mod_revision() <= last_revision_) out_of_order_ = true;
      last_revision_ = event.kv().mod_revision();
      ++versions_[event.kv().key()];
    }
  }
  bool AwaitRevision(int64_t revision) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return last_revision_ >= revision;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&reached), Cluster::kPatience);
  }
  std::map<std::string, int64_t> versions() {
    absl::MutexLock lock(&mutex_);
    return versions_;
  }
  bool out_of_order() {
    absl::MutexLock lock(&mutex_);
    return out_of_order_;
  }

 private:
  absl::Mutex mutex_;
  int64_t last_revision_ ABSL_GUARDED_BY(mutex_) = 0;
  bool out_of_order_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, int64_t> versions_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ClientLibraryTest, CountsWatchesAndKeepsLeasesWhileLeadersDie) {
  constexpr int kCounters = 4;  // threads, each with a session of its own, on two keys
  constexpr int kDeaths = 3;
  const auto client = Connect();
  const auto is_counter = ForPrefix<etcdserverpb::WatchCreateRequest>("count/");

  Seen seen;
  std::atomic<bool> watch_ended = false;
  const Watch watch(client.get(), is_counter,
                    {.on_events = [&](const auto& events) { seen.Add(events); },
                     .on_end = [&](const WatchEnd&) { watch_ended = true; }});
  std::atomic<bool> lease_lost = false;
  ASSERT_OK_AND_ASSIGN(
      auto lease, LeaseKeeper::Grant(client.get(),
                                     {.ttl = absl::Seconds(4),
                                      .on_lost = [&](const absl::Status&) { lease_lost = true; }}));
  etcdserverpb::PutRequest leased;
  leased.set_key("leased");
  leased.set_lease(lease->id());
  ASSERT_OK(client->Put(leased));
  const absl::Time granted = absl::Now();

  std::atomic<bool> stop = false;
  std::atomic<int64_t> added = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kCounters; ++i) {
    threads.emplace_back([&, i] {
      const auto own_client = Connect();
      const auto writer = OnceWriter::Open(own_client.get());
      EXPECT_OK(writer);
      while (!stop && writer.ok()) {
        const absl::Status counted = AddOne(**writer, absl::StrCat("count/", i % 2));
        EXPECT_OK(counted);
        if (!counted.ok()) return;
        ++added;
      }
    });
  }
  for (int death = 0; death < kDeaths; ++death) {
    const int64_t before = added;
    EXPECT_TRUE(Eventually([&] { return added >= before + 20; }));
    ReplaceLeader();
  }
  // Longer than the lease lives without renewals.
  EXPECT_TRUE(Eventually([&] { return absl::Now() - granted > absl::Seconds(12); }));
  stop = true;
  for (std::thread& thread : threads) thread.join();

  ASSERT_OK_AND_ASSIGN(const auto counts,
                       client->Range(ForPrefix<etcdserverpb::RangeRequest>("count/")));
  ASSERT_EQ(counts.kvs_size(), 2);
  int64_t sum = 0;
  std::map<std::string, int64_t> versions;
  for (const mvccpb::KeyValue& kv : counts.kvs()) {
    int64_t value = 0;
    ASSERT_TRUE(absl::SimpleAtoi(kv.value(), &value)) << kv.value();
    EXPECT_EQ(value, kv.version()) << "each write adds one";
    versions[kv.key()] = kv.version();
    sum += value;
  }
  EXPECT_EQ(sum, added) << "each increment was done once";

  ASSERT_TRUE(
      seen.AwaitRevision(std::max(counts.kvs(0).mod_revision(), counts.kvs(1).mod_revision())));
  EXPECT_EQ(seen.versions(), versions) << "each write was told once";
  EXPECT_FALSE(seen.out_of_order());
  EXPECT_FALSE(watch_ended);

  EXPECT_FALSE(lease_lost);
  EXPECT_TRUE(lease->IsAlive());
  const auto is_there = [&] {
    const auto got = client->Get("leased");
    EXPECT_OK(got);
    return got.ok() && got->kv.has_value();
  };
  EXPECT_TRUE(is_there());
  lease.reset();  // which does not revoke it
  EXPECT_TRUE(Eventually([&] { return !is_there(); }));
}

TEST_F(ClientLibraryTest, ASessionReadsWhatItWroteAtAnyMember) {
  std::vector<std::unique_ptr<pontoon::Client>> clients;
  for (const int node : cluster_.AllNodes()) clients.push_back(ConnectTo(node));
  std::string token = Session(clients[0].get()).token();
  for (int i = 0; i < 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto writer, Session::Continue(clients[i % 3].get(), token));
    ASSERT_OK(writer->Put("k", absl::StrCat(i)));
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         Session::Continue(clients[(i + 1) % 3].get(), writer->token()));
    ASSERT_OK_AND_ASSIGN(const GetResult got,
                         reader->Get("k", {.consistency = Consistency::kFollower}));
    ASSERT_TRUE(got.kv.has_value());
    EXPECT_EQ(got.kv->value(), absl::StrCat(i));
    EXPECT_EQ(got.info.consistency, Consistency::kFollower);
    token = reader->token();
  }
}

TEST_F(ClientLibraryTest, ReadsTellHowFreshTheyAre) {
  const auto client = Connect();
  ASSERT_OK(client->Put("k", "v"));
  ASSERT_OK_AND_ASSIGN(const GetResult now, client->Get("k"));
  ASSERT_TRUE(now.info.staleness.has_value());
  EXPECT_GT(now.info.revision, 1);
  EXPECT_GT(now.info.term, 0u);
  ASSERT_OK_AND_ASSIGN(
      const GetResult bounded,
      client->Get("k", {.consistency = Consistency::kFollower, .max_staleness = absl::Seconds(5)}));
  ASSERT_TRUE(bounded.info.staleness.has_value());
  EXPECT_LE(*bounded.info.staleness, absl::Seconds(5));
  EXPECT_EQ(bounded.kv->value(), "v");
}

// A paused member takes connections and answers nothing. Its connection is given up nine seconds
// after its last sign of life, and then whoever waits for it is answered by another one after all.
// Reads have less time than that: they are answered only if they ask a second member.
TEST_F(ClientLibraryTest, ReadsGoOnBesideAPausedMember) {
  constexpr absl::Duration kReadTimeout = absl::Seconds(6);
  // No attempt is given up before its read is.
  const auto client = Connect({.attempt_timeout = kTimeout});
  ASSERT_OK(client->Put("k", "v"));
  const auto read = [](pontoon::Client& from) {
    return from.Get("k", {.consistency = Consistency::kFollower, .timeout = kReadTimeout});
  };
  std::map<uint64_t, int> answers;
  for (int i = 0; i < 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const GetResult got, read(*client));
    ++answers[got.info.member_id];
  }
  // The nearest, or one of several that are about as near.
  const uint64_t nearest =
      std::max_element(answers.begin(), answers.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->first;
  for (int node = 0; node < cluster_.size(); ++node) {
    ASSERT_OK_AND_ASSIGN(const GetResult got, read(*ConnectTo(node)));
    if (got.info.member_id == nearest) cluster_.Pause(node);
  }
  for (int i = 0; i < 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const GetResult got, read(*client));
    EXPECT_NE(got.info.member_id, nearest);
  }
}

TEST_F(ClientLibraryTest, AFenceKeepsOutWhoLostTheLock) {
  const auto first_client = Connect();
  const auto second_client = Connect();
  std::atomic<bool> first_lost = false;
  ASSERT_OK_AND_ASSIGN(
      const auto first,
      Lock::Acquire(first_client.get(), {.name = "job", .value = "first"}, Cluster::kPatience,
                    [&](const absl::Status&) { first_lost = true; }));
  EXPECT_TRUE(first->IsHeld());
  ASSERT_OK(first_client->Put("guarded", "first", {.fence = first->fence()}));
  const auto too_early =
      Lock::Acquire(second_client.get(), {.name = "job"}, absl::Milliseconds(300));
  EXPECT_TRUE(absl::IsDeadlineExceeded(too_early.status())) << too_early.status();

  // Behind the back of the first, as if its lease had run out while it was paused.
  const std::string id = first->fence().key.substr(std::string("job/").size());
  etcdserverpb::LeaseRevokeRequest revoke;
  int64_t lease = 0;
  ASSERT_TRUE(absl::SimpleHexAtoi(id, &lease)) << id;
  revoke.set_id(lease);
  const Fence fence = first->fence();
  const auto revoked = Call<etcdserverpb::Lease>(cluster_.client(0),
                                                 &etcdserverpb::Lease::Stub::LeaseRevoke, revoke);
  ASSERT_OK(revoked);

  ASSERT_OK_AND_ASSIGN(
      const auto second,
      Lock::Acquire(second_client.get(), {.name = "job", .value = "second"}, Cluster::kPatience));
  EXPECT_GT(second->fence().create_revision, fence.create_revision);
  ASSERT_OK(second_client->Put("guarded", "second", {.fence = second->fence()}));
  const auto late = first_client->Put("guarded", "first", {.fence = fence});
  EXPECT_TRUE(kv::Is(late.status(), kv::kErrFenced)) << late.status();
  EXPECT_FALSE(IsOutcomeUnknown(late.status()));
  ASSERT_OK_AND_ASSIGN(const GetResult guarded, second_client->Get("guarded"));
  EXPECT_EQ(guarded.kv->value(), "second");
  EXPECT_TRUE(Eventually([&] { return first_lost.load(); }));
  EXPECT_FALSE(first->IsHeld());

  ASSERT_OK_AND_ASSIGN(const auto holder, second_client->Range(HolderRequest("job")));
  ASSERT_EQ(holder.kvs_size(), 1);
  EXPECT_EQ(holder.kvs(0).value(), "second");
  ASSERT_OK(second->Release());
  ASSERT_OK_AND_ASSIGN(const auto nobody, second_client->Range(HolderRequest("job")));
  EXPECT_EQ(nobody.kvs_size(), 0);
}

TEST_F(ClientLibraryTest, ALockSurvivesTheDeathOfTheLeader) {
  const auto client = Connect();
  const auto other = Connect();
  std::atomic<bool> lost = false;
  ASSERT_OK_AND_ASSIGN(const auto lock,
                       Lock::Acquire(client.get(), {.name = "job"}, Cluster::kPatience,
                                     [&](const absl::Status&) { lost = true; }));
  std::atomic<bool> other_holds = false;
  const Lock waiting(other.get(), {.name = "job"}, {.on_held = [&] { other_holds = true; }});
  ReplaceLeader();
  ReplaceLeader();
  EXPECT_TRUE(lock->IsHeld());
  EXPECT_FALSE(other_holds);
  EXPECT_FALSE(lost);
  ASSERT_OK(lock->Release());
  EXPECT_TRUE(Eventually([&] { return other_holds.load(); }));
}

}  // namespace
}  // namespace pontoon::testing
