// What a watcher is promised, while nodes are killed, leaders change, history is compacted and
// clients are slow: every change once, in order; or to be told what was compacted away.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "kv/client/key_prefix.h"
#include "raft/base/prng.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Watch;
using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

constexpr char kPrefix[] = "unique/";
// Written last, and after all others in the order of revisions.
constexpr char kLastKey[] = "unique/~";

// Counts what the slow ones wait for.
class Beat {
 public:
  void Tick() {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  // No more waiting.
  void End() {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  void AwaitNext() {
    absl::MutexLock lock(&mutex_);
    const uint64_t now = count_;
    const auto reached = [this, now] {
      mutex_.AssertHeld();
      return ended_ || count_ > now;
    };
    mutex_.Await(absl::Condition(&reached));
  }

 private:
  absl::Mutex mutex_;
  uint64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

// A client that watches all keys from revision 1 on, goes on with the next node where a stream
// breaks, and ends when it has seen kLastKey.
class Observer {
 public:
  enum class Pace { kFast, kSlow };

  Observer(const Cluster& cluster, int first_node, Pace pace, Beat* beat)
      : pace_(pace), beat_(beat), node_(first_node) {
    for (const int node : cluster.AllNodes()) addresses_.push_back(cluster.address(node));
    thread_ = std::thread([this] {
      while (!done_ && fault_.empty() && absl::Now() < deadline_) WatchOnce();
      if (!done_ && fault_.empty()) fault_ = "did not see the last key in time";
    });
  }
  ~Observer() { Join(); }

  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  // After Join. What is wrong with what was seen, in words, if these are all changes by revision.
  std::string FaultIn(const std::map<int64_t, std::pair<std::string, std::string>>& truth) const {
    if (!fault_.empty()) return fault_;
    for (const auto& [revision, change] : seen_) {
      const auto found = truth.find(revision);
      if (found == truth.end()) return absl::StrCat("nothing happened at revision ", revision);
      if (found->second != change) return absl::StrCat("another change at revision ", revision);
    }
    for (const auto& [revision, change] : truth) {
      const bool compacted =
          std::any_of(gaps_.begin(), gaps_.end(), [revision = revision](const auto& gap) {
            return revision >= gap.first && revision < gap.second;
          });
      if (!compacted && !seen_.contains(revision)) {
        return absl::StrCat("revision ", revision, " was left out");
      }
    }
    return "";
  }
  bool is_slow() const { return pace_ == Pace::kSlow; }
  int streams() const { return streams_; }
  size_t seen() const { return seen_.size(); }
  size_t gaps() const { return gaps_.size(); }

 private:
  void WatchOnce() {
    ++streams_;
    const auto channel =
        grpc::CreateChannel(addresses_[static_cast<size_t>(node_++) % addresses_.size()],
                            grpc::InsecureChannelCredentials());
    const auto stub = Watch::NewStub(channel);
    grpc::ClientContext context;
    context.set_wait_for_ready(true);  // a node that is down comes back
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    const auto stream = stub->Watch(&context);
    WatchRequest request;
    auto* const create = request.mutable_create_request();
    *create = ForPrefix<WatchCreateRequest>(kPrefix);
    create->set_start_revision(next_);
    WatchResponse response;
    if (stream->Write(request)) {
      while (fault_.empty() && !done_ && stream->Read(&response) && Take(response)) {
        if (pace_ == Pace::kSlow) beat_->AwaitNext();
      }
    }
    context.TryCancel();
    stream->Finish();
  }

  // False: the stream is of no more use.
  bool Take(const WatchResponse& response) {
    if (response.canceled()) {
      if (response.compact_revision() <= next_) {
        fault_ = absl::StrCat("cancelled at ", next_, " without need: ", response.DebugString());
      }
      gaps_.emplace_back(next_, response.compact_revision());
      next_ = response.compact_revision();
      return false;
    }
    for (const mvccpb::Event& event : response.events()) {
      const int64_t revision = event.kv().mod_revision();
      if (revision < next_ || revision > response.header().revision()) {
        fault_ = absl::StrCat("revision ", revision, " came where ", next_, " or later could; ",
                              "header ", response.header().revision());
        return false;
      }
      seen_[revision] = {event.kv().key(), event.kv().value()};
      next_ = revision + 1;  // each key is written by itself
      done_ = event.kv().key() == kLastKey;
    }
    return true;
  }

  const Pace pace_;
  Beat* const beat_;
  const absl::Time deadline_ = absl::Now() + absl::Minutes(4);
  std::vector<std::string> addresses_;
  int node_;

  // Of the thread until it is joined.
  int64_t next_ = 1;
  std::map<int64_t, std::pair<std::string, std::string>> seen_;
  std::vector<std::pair<int64_t, int64_t>> gaps_;  // compacted away: from, to but without it
  int streams_ = 0;
  bool done_ = false;
  std::string fault_;

  std::thread thread_;
};

int64_t RevisionOf(Client& client) {
  return client.Get("unique/", ReadMode::kSerializable).response.header().revision();
}

TEST(WatchTest, NothingIsLostWhileNodesDieAndHistoryIsCompacted) {
  Cluster cluster(
      {.heartbeat_interval = absl::Milliseconds(50), .election_timeout = absl::Milliseconds(300)});
  ASSERT_OK(cluster.StartAll());
  Beat beat;
  std::vector<std::unique_ptr<Observer>> observers;
  for (int i = 0; i < 9; ++i) {
    const auto pace = i < 6 ? Observer::Pace::kFast : Observer::Pace::kSlow;
    observers.push_back(std::make_unique<Observer>(cluster, i, pace, &beat));
  }
  UniqueWriters writers(&cluster, {.writers = 8, .prefix = kPrefix, .timeout = absl::Seconds(2)});
  writers.Begin();
  Prng prng(7);
  for (int round = 0; round < 8; ++round) {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
    ASSERT_TRUE(writers.WaitForAcknowledged(200 * (round + 1), Cluster::kPatience));
    const int victim =
        prng.Below(2) == 0 ? leader : static_cast<int>(prng.Below(cluster.AllNodes().size()));
    cluster.Kill(victim);
    beat.Tick();
    const int other = (victim + 1) % cluster.size();
    if (round % 2 == 1) {
      const int64_t revision = RevisionOf(cluster.client(other));
      cluster.client(other).Compact(revision - static_cast<int64_t>(prng.Below(100)));
    }
    ASSERT_OK(cluster.Start(victim));
    beat.Tick();
  }
  writers.End();
  beat.End();
  ASSERT_OK(cluster.WaitForLeader());
  ASSERT_OK(cluster.client(0).Put(kLastKey, "the end"));

  const auto all = cluster.client(0).Range(PrefixRange(kPrefix));
  ASSERT_OK(all);
  std::map<int64_t, std::pair<std::string, std::string>> truth;
  for (const mvccpb::KeyValue& kv : all.response.kvs()) {
    ASSERT_EQ(kv.create_revision(), kv.mod_revision());
    truth[kv.mod_revision()] = {kv.key(), kv.value()};
  }
  size_t gaps = 0;
  int streams = 0;
  for (const auto& observer : observers) {
    observer->Join();
    EXPECT_EQ(observer->FaultIn(truth), "");
    // What is compacted before a slow one has read it may be nearly everything.
    EXPECT_GT(observer->seen(), observer->is_slow() ? 0 : truth.size() / 10);
    gaps += observer->gaps();
    streams += observer->streams();
  }
  EXPECT_GT(truth.size(), 500u);
  EXPECT_GT(streams, 9) << "no stream ever broke: nothing was tried";
  RecordProperty("changes", static_cast<int>(truth.size()));
  RecordProperty("streams", streams);
  RecordProperty("gaps", static_cast<int>(gaps));
  std::cout << truth.size() << " changes, " << streams << " streams, " << gaps << " gaps\n";
}

}  // namespace
}  // namespace pontoon::testing
