// What is removed after a compaction, and what is not.

#include "kv/store/scrubber.h"

#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/layout.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::TxnRequest;
using storage::v1::Command;

// The versions that are in the database, in order of revision: "2.0 a=1", "3.0 a deleted". Fails
// the test where the two histories disagree.
std::vector<std::string> Versions(const std::string& dir) {
  std::vector<std::string> versions;
  std::map<EventId, std::string> from_history;
  for (const auto& [record_key, value] : DumpRecords(dir)) {
    if (std::optional<EventId> id = ParseEventKey(record_key)) {
      std::optional<Event> event = DecodeEvent(*id, value);
      EXPECT_TRUE(event.has_value());
      std::string text = absl::StrCat(id->main.value(), ".", id->sub, " ", std::string(event->key));
      bool is_put = event->kind == EventKind::kPut;
      versions.push_back(is_put ? absl::StrCat(text, "=", std::string(event->state.value))
                                : absl::StrCat(text, " deleted"));
      EXPECT_EQ(from_history.count(*id), 1u) << text;
    }
    std::string key;
    EventId id;
    if (ParseHistoryKey(record_key, &key, &id)) from_history[id] = key;
  }
  EXPECT_EQ(versions.size(), from_history.size());
  return versions;
}

using V = std::vector<std::string>;

class ScrubberTest : public testing::Test {
 protected:
  // Closes the store, looks, and opens it again.
  V VersionsLeft() {
    h_.Close();
    V versions = Versions(h_.dir());
    h_.Open();
    return versions;
  }

  void CompactAndScrub(int64_t revision) {
    ASSERT_TRUE(h_.Compact(revision).ok());
    h_.executor().RunDue();
  }

  StoreHarness h_;
};

TEST_F(ScrubberTest, NothingIsRemovedWithoutACompaction) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  h_.executor().RunDue();
  EXPECT_EQ(VersionsLeft(), (V{"2.0 a=1", "3.0 a=2"}));
}

TEST_F(ScrubberTest, OverwrittenVersionsGo) {
  h_.Put("a", "1");
  h_.Put("b", "1");
  h_.Put("a", "2");
  h_.Put("a", "3");
  h_.Put("a", "4");
  CompactAndScrub(5);
  EXPECT_EQ(VersionsLeft(), (V{"3.0 b=1", "5.0 a=3", "6.0 a=4"}));
  EXPECT_EQ(h_.All(5), "a=3 b=1") << "the compacted revision remains right";
  EXPECT_EQ(h_.All(6), "a=4 b=1");
}

TEST_F(ScrubberTest, TombstonesGoWithWhatTheyDeleted) {
  h_.Put("a", "1");
  h_.Delete("a");
  h_.Put("b", "1");
  CompactAndScrub(4);
  EXPECT_EQ(VersionsLeft(), (V{"4.0 b=1"}));
  EXPECT_EQ(h_.All(4), "b=1");
}

TEST_F(ScrubberTest, EventsOfTheCompactedRevisionStayForWatches) {
  h_.Put("a", "1");
  h_.Delete("a");
  CompactAndScrub(3);
  EXPECT_EQ(VersionsLeft(), (V{"3.0 a deleted"}));
  EXPECT_EQ(h_.All(3), "");
  h_.Put("b", "1");
  CompactAndScrub(4);
  EXPECT_EQ(VersionsLeft(), (V{"4.0 b=1"})) << "and go with the next compaction";
}

TEST_F(ScrubberTest, AVersionThatIsNeededStaysHoweverOld) {
  h_.Put("old", "1");
  for (int i = 0; i < 5; ++i) h_.Put("a", absl::StrCat(i));
  CompactAndScrub(6);
  EXPECT_EQ(VersionsLeft(), (V{"2.0 old=1", "6.0 a=3", "7.0 a=4"}));
  h_.Delete("old");
  CompactAndScrub(7);
  EXPECT_EQ(VersionsLeft(), (V{"2.0 old=1", "7.0 a=4", "8.0 old deleted"}));
  EXPECT_EQ(h_.All(7), "a=4 old=1");
  CompactAndScrub(8);
  EXPECT_EQ(VersionsLeft(), (V{"7.0 a=4", "8.0 old deleted"}));
}

TEST_F(ScrubberTest, ManyVersionsOfOneRevision) {
  h_.Put("a", "0");
  TxnRequest txn;  // a put and a delete of one key, which nested transactions can do
  TxnRequest first, second;
  *first.add_success() = Op(PutOf("a", "1"));
  *second.add_success() = Op(DeleteOf("a"));
  *txn.add_success() = Op(first);
  *txn.add_success() = Op(second);
  *txn.add_success() = Op(PutOf("b", "1"));
  h_.Txn(txn);
  h_.Put("c", "1");
  CompactAndScrub(3);
  EXPECT_EQ(VersionsLeft(), (V{"3.0 a=1", "3.1 a deleted", "3.2 b=1", "4.0 c=1"}));
  EXPECT_EQ(h_.All(3), "b=1");
  CompactAndScrub(4);
  EXPECT_EQ(VersionsLeft(), (V{"3.2 b=1", "4.0 c=1"}));
}

TEST_F(ScrubberTest, WorksInStepsAndGoesOnAfterARestart) {
  constexpr int kPuts = 2000;
  std::vector<Command> commands(kPuts);
  for (int i = 0; i < kPuts; ++i) *commands[i].mutable_put() = PutOf("a", absl::StrCat(i));
  h_.ApplyAll(commands);
  ASSERT_TRUE(h_.Compact(kPuts + 1).ok());

  size_t left = VersionsLeft().size();
  EXPECT_EQ(left, static_cast<size_t>(kPuts)) << "nothing happens in Apply";
  int rounds = 0;
  for (; left > 1; ++rounds) {
    ASSERT_TRUE(h_.executor().RunOne()) << "it goes on by itself";
    size_t now = VersionsLeft().size();  // closes the store in the middle of the work
    EXPECT_LT(now, left);
    left = now;
    ASSERT_LT(rounds, kPuts);
  }
  EXPECT_GT(rounds, 3);
  EXPECT_EQ(VersionsLeft(), (V{absl::StrCat(kPuts + 1, ".0 a=", kPuts - 1)}));
}

TEST_F(ScrubberTest, ACompactionInTheMiddleOfTheWork) {
  std::vector<Command> commands(1000);
  for (int i = 0; i < 1000; ++i) {
    if (i % 2 == 0) {
      *commands[i].mutable_put() = PutOf(absl::StrCat("k", i % 10), "x");
    } else {
      *commands[i].mutable_delete_range() = DeleteOf(absl::StrCat("k", (i - 1) % 10));
    }
  }
  h_.ApplyAll(commands);
  for (int64_t revision : {601, 603, 800, 1001}) {
    ASSERT_TRUE(h_.Compact(revision).ok());
    h_.executor().RunOne();
  }
  h_.executor().RunDue();
  EXPECT_EQ(VersionsLeft(), (V{"1001.0 k8 deleted"}));
}

// One revision can have more events than a step looks at.
TEST_F(ScrubberTest, ALargeRevisionIsNoObstacle) {
  std::vector<Command> commands(1001);
  for (int i = 0; i < 1000; ++i) *commands[i].mutable_put() = PutOf(absl::StrCat("k", i), "x");
  *commands[1000].mutable_delete_range() = DeleteOf(Zero(), Zero());
  h_.ApplyAll(commands);
  ASSERT_TRUE(h_.Compact(1002).ok());
  for (int i = 0; i < 6; ++i) {
    h_.executor().RunOne();
    VersionsLeft();  // restarts in the middle of the target revision
  }
  h_.Put("last", "x");
  ASSERT_TRUE(h_.Compact(1003).ok());
  h_.executor().RunDue();
  EXPECT_EQ(VersionsLeft(), (V{"1003.0 last=x"}));
}

TEST_F(ScrubberTest, SaysWhenItIsDone) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  ASSERT_TRUE(h_.Compact(3).ok());
  std::vector<std::string> calls;
  auto note = [&](const char* name) {
    return [&calls, name](absl::Status status) {
      calls.push_back(absl::StrCat(name, " ", status.ToString()));
    };
  };
  h_.store().WhenScrubbed(Revision(3), note("three"));
  h_.store().WhenScrubbed(Revision(2), note("two"));
  h_.store().WhenScrubbed(Revision(4), note("four"));
  EXPECT_EQ(calls, V{}) << "not before the work";
  h_.executor().RunDue();
  EXPECT_EQ(calls, (V{"three OK", "two OK"}));
  h_.store().WhenScrubbed(Revision(3), note("late"));
  EXPECT_EQ(calls.back(), "late OK");
  h_.Close();
  EXPECT_EQ(calls.back(), "four CANCELLED: the store is closing");
  h_.executor().RunDue();  // what is still posted does no harm
}

TEST_F(ScrubberTest, WorksBesideTheApplier) {
  StoreOptions options;
  std::unique_ptr<Executor> thread = NewThreadExecutor("scrubber");
  options.scrub_executor = thread.get();
  StoreHarness h(options);
  for (int i = 0; i < 300; ++i) {
    h.Put(absl::StrCat("k", i % 7), absl::StrCat(i));
    if (i % 3 == 0) h.Delete(absl::StrCat("k", i % 5));
    int64_t revision = h.revision();
    std::string all = h.All();
    if (i % 10 == 9) {
      ASSERT_TRUE(h.Compact(revision).ok());
    }
    EXPECT_EQ(h.All(revision), all);
  }
  int64_t revision = h.revision();
  h.Put("end", "x");
  ASSERT_TRUE(h.Compact(revision + 1).ok());
  std::promise<absl::Status> done;
  h.store().WhenScrubbed(Revision(revision + 1),
                         [&](absl::Status status) { done.set_value(status); });
  EXPECT_EQ(done.get_future().get(), absl::OkStatus());
  std::string all = h.All();
  h.Close();
  size_t keys = std::count(all.begin(), all.end(), '=');
  EXPECT_EQ(Versions(h.dir()).size(), keys);
}

}  // namespace
}  // namespace pontoon::kv
