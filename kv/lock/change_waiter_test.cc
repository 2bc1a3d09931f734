#include "kv/lock/change_waiter.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "proto/command.pb.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;

// Waits for the same thing until it is told not to.
class CountingWaiter final : public ChangeWaiter::Waiter {
 public:
  explicit CountingWaiter(std::string what) : what_(std::move(what)) {}

  std::optional<std::string> Look(const ReadView& view) override {
    ++looks;
    seen = view.revision();
    return waits ? std::optional(what_) : std::nullopt;
  }

  bool waits = true;
  int looks = 0;
  Revision seen;

 private:
  const std::string what_;
};

class ChangeWaiterTest : public testing::Test {
 protected:
  ChangeWaiterTest()
      : dir_(absl::StrCat(testing::TempDir(), "/",
                          testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(dir_);  // of an earlier run
    auto store = KvStore::Open(dir_, StoreOptions());
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    executor_ = std::make_unique<ManualExecutor>(&clock_);
    changes_ = std::make_unique<ChangeWaiter>(store_.get(), executor_.get());
  }
  ~ChangeWaiterTest() override {
    changes_->Close();
    executor_.reset();
  }

  void Apply(const Command& command) {
    ApplyItem item;
    item.entry.index = store_->Applied().index.Next();
    item.entry.term = Term{1};
    item.entry.kind = EntryKind::kCommand;
    item.entry.payload = std::make_shared<std::string>(command.SerializeAsString());
    ASSERT_TRUE(store_->Apply(std::span(&item, 1)).ok());
  }
  void Put(const std::string& key) {
    Command command;
    command.mutable_put()->set_key(key);
    Apply(command);
  }
  void Delete(const std::string& key) {
    Command command;
    command.mutable_delete_range()->set_key(key);
    Apply(command);
  }
  void Compact(Revision revision) {
    Command command;
    command.mutable_compaction()->set_revision(revision.value());
    Apply(command);
  }
  std::shared_ptr<CountingWaiter> Wait(const std::string& what) {
    auto waiter = std::make_shared<CountingWaiter>(what);
    changes_->LookSoon(waiter);
    executor_->RunDue();
    return waiter;
  }

  const std::string dir_;
  ManualClock clock_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<ManualExecutor> executor_;
  std::unique_ptr<ChangeWaiter> changes_;
};

TEST_F(ChangeWaiterTest, WakesWhoseKeyHasChanged) {
  Put("a");
  const auto a = Wait("a");
  const auto b = Wait("b");
  EXPECT_EQ(a->looks, 1);
  Put("ab");
  Put("b");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 1);
  EXPECT_EQ(b->looks, 2);
  Delete("a");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  EXPECT_EQ(a->seen, Revision(5));
  EXPECT_EQ(b->looks, 2);
  Put("a");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 3) << "it went on waiting";
}

TEST_F(ChangeWaiterTest, WakesWhoWaitsForTheKeysUnderAName) {
  const auto ab = Wait("a/b/");
  for (const char* const other : {"a/b", "a/bc/d", "b/a/b/c", "a/"}) Put(other);
  executor_->RunDue();
  EXPECT_EQ(ab->looks, 1);
  Put("a/b/c");
  executor_->RunDue();
  EXPECT_EQ(ab->looks, 2);
  Put("a/b/c/d");
  executor_->RunDue();
  EXPECT_EQ(ab->looks, 3);
}

TEST_F(ChangeWaiterTest, ManyChangesAreOneLook) {
  const auto a = Wait("a");
  for (int i = 0; i < 10; ++i) Put("a");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
}

TEST_F(ChangeWaiterTest, WhoDoesNotWaitIsNotWoken) {
  const auto a = Wait("a");
  a->waits = false;
  changes_->LookSoon(a);
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  EXPECT_EQ(a.use_count(), 1) << "it is forgotten";
  Put("a");
  EXPECT_FALSE(executor_->RunDue()) << "nobody is interested";
}

TEST_F(ChangeWaiterTest, WhoLooksTwiceWaitsOnce) {
  const auto a = std::make_shared<CountingWaiter>("a");
  changes_->LookSoon(a);
  changes_->LookSoon(a);
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  Put("a");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 3);
  a->waits = false;
  Put("a");
  executor_->RunDue();
  EXPECT_EQ(a.use_count(), 1);
  Put("b");
  EXPECT_FALSE(executor_->RunDue());
}

TEST_F(ChangeWaiterTest, AChangeBetweenTheLooksIsNotMissed) {
  const auto a = Wait("a");
  const auto b = std::make_shared<CountingWaiter>("b");
  Put("a");
  changes_->LookSoon(b);
  Put("b");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  EXPECT_EQ(b->looks, 1);
  EXPECT_EQ(b->seen, Revision(3)) << "it has seen the change";
}

// The events between may be gone with the compaction.
TEST_F(ChangeWaiterTest, WakesAllIfItMayHaveMissedSomething) {
  const auto a = Wait("a");
  Put("b");
  Put("b");
  Compact(Revision(3));
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  Put("b");
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
}

// Of a state that takes the place of the present one not all events are known.
TEST_F(ChangeWaiterTest, AnInstalledStateWakesAll) {
  const auto a = Wait("a");
  const std::string other_dir = dir_ + "_other";
  std::filesystem::remove_all(other_dir);
  auto other = KvStore::Open(other_dir, StoreOptions());
  ASSERT_TRUE(other.ok()) << other.status();
  std::swap(store_, *other);
  Put("b");
  std::swap(store_, *other);
  auto source = (*other)->OpenSnapshot();
  ASSERT_TRUE(source.ok()) << source.status();
  auto sink = store_->BeginSnapshot((*source)->position());
  ASSERT_TRUE(sink.ok()) << sink.status();
  for (;;) {
    const absl::StatusOr<std::string> bytes = (*source)->Read(1 << 20);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    if (bytes->empty()) break;
    ASSERT_TRUE((*sink)->Write(*bytes).ok());
  }
  ASSERT_TRUE((*sink)->Finish().ok());
  ASSERT_TRUE(store_->Install(*std::move(sink)).ok());
  executor_->RunDue();
  EXPECT_EQ(a->looks, 2);
  EXPECT_EQ(a->seen, Revision(2));
}

}  // namespace
}  // namespace pontoon::kv
