#include "cmd/pontoon/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "raft/storage/segmented_log.h"

namespace pontoon {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Entries 5 to 9; 5 and 6 of term 2, the others of term 4.
raft::RecoveredLog SomeLog() {
  return {.hard_state = {Term{4}, NodeId{1}},
          .base = {LogIndex{4}, Term{1}},
          .last = LogIndex{9},
          .terms = {{LogIndex{5}, Term{2}}, {LogIndex{7}, Term{4}}}};
}

TEST(Reconcile, AStateWithinItsLogIsFine) {
  const struct { uint64_t index, term; } kCases[] = {{4, 1}, {5, 2}, {6, 2}, {7, 4}, {9, 4}};
  for (const auto& c : kCases) {
    const auto fate = Reconcile(SomeLog(), {LogIndex{c.index}, Term{c.term}});
    ASSERT_TRUE(fate.ok()) << fate.status();
    EXPECT_EQ(*fate, LogFate::kKeep);
  }
}

TEST(Reconcile, AFreshMemberIsFine) {
  const auto fate = Reconcile(raft::RecoveredLog{}, LogPosition{});
  ASSERT_TRUE(fate.ok()) << fate.status();
  EXPECT_EQ(*fate, LogFate::kKeep);
}

TEST(Reconcile, AStateAheadOfItsLogReplacesIt) {
  const auto fate = Reconcile(SomeLog(), {LogIndex{10}, Term{4}});
  ASSERT_TRUE(fate.ok()) << fate.status();
  EXPECT_EQ(*fate, LogFate::kReset);
}

TEST(Reconcile, WhatDoesNotFitIsRefused) {
  const auto problem = [](const raft::RecoveredLog& log, LogPosition applied) {
    return std::string(Reconcile(log, applied).status().message());
  };
  EXPECT_THAT(problem(SomeLog(), {LogIndex{3}, Term{1}}),
              HasSubstr("the state ends at entry 3, and the log begins after entry 4"));
  EXPECT_THAT(problem(SomeLog(), {LogIndex{7}, Term{2}}),
              HasSubstr("entry 7 is of term 4 in the log, and was applied as one of term 2"));
  EXPECT_THAT(problem(raft::RecoveredLog{}, {LogIndex{3}, Term{1}}),
              HasSubstr("the log is empty, and the state ends at entry 3"));
}

// A data folder of the test's own, and what happens to it.
class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    config_.name = "a";
    config_.data_dir =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(config_.data_dir);  // of an earlier run
    config_.initial_cluster.members = {{"a", Url{"a", 2380}}, {"b", Url{"b", 2380}}};
  }

  DataFolder Folder() { return *DataFolder::Open(FileSystem::Posix(), config_); }

  static Entry NoOp(uint64_t index, Term term) {
    Entry entry;
    entry.index = LogIndex{index};
    entry.term = term;
    return entry;
  }

  static void AppendTo(raft::LogStore* log, Term term, std::vector<Entry> entries) {
    PersistBatch batch;
    batch.hard_state = HardState{term, kNoNode};
    batch.entries = std::move(entries);
    ASSERT_TRUE(log->Write(std::span(&batch, 1)).ok());
  }

  static void ApplyTo(kv::KvStore* store, const std::vector<Entry>& entries) {
    std::vector<ApplyItem> items(entries.size());
    for (size_t i = 0; i < items.size(); ++i) items[i].entry = entries[i];
    ASSERT_TRUE(store->Apply(items).ok());
  }

  Config config_;
};

TEST_F(StorageTest, BeginsWithTheFoundersAsVoters) {
  const DataFolder folder = Folder();
  const auto storage = OpenStorage(FileSystem::Posix(), folder, {});
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_EQ(storage->restored.last, LogIndex{0});
  EXPECT_EQ(storage->restored.applied, LogIndex{0});
  EXPECT_EQ(storage->restored.membership.voters.size(), 2u);
  EXPECT_TRUE(storage->restored.membership.IsVoter(folder.identity().member));
}

TEST_F(StorageTest, AStateThatIsAheadIsKept) {
  const DataFolder folder = Folder();
  const std::vector<Entry> entries = {NoOp(1, Term{1}), NoOp(2, Term{1}), NoOp(3, Term{2})};
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    AppendTo(storage->log.get(), Term{1}, {entries[0]});
    ApplyTo(storage->store.get(), entries);
  }
  for (int start = 0; start < 2; ++start) {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    EXPECT_EQ(storage->restored.base, (LogPosition{LogIndex{3}, Term{2}}));
    EXPECT_EQ(storage->restored.last, LogIndex{3});
    EXPECT_THAT(storage->restored.terms, IsEmpty());
    EXPECT_EQ(storage->restored.applied, LogIndex{3});
    EXPECT_EQ(storage->restored.hard_state.term, Term{start == 0 ? 2u : 3u});
    if (start == 0) AppendTo(storage->log.get(), Term{3}, {});
  }
}

TEST_F(StorageTest, ALogThatIsGoneIsNotMadeUpFor) {
  const DataFolder folder = Folder();
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    ApplyTo(storage->store.get(), {NoOp(1, Term{1})});
  }
  const auto again = OpenStorage(FileSystem::Posix(), folder, {});
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition) << again.status();
}

}  // namespace
}  // namespace pontoon
