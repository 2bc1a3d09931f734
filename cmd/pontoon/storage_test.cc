#include "cmd/pontoon/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pontoon {
namespace {

using testing::HasSubstr;

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

  DataFolder Folder(Origin origin = Origin::kFounder) {
    return *DataFolder::Open(
        FileSystem::Posix(), config_, [&](const Config& config) -> absl::StatusOr<Newcomer> {
          Newcomer newcomer{MakeFounder(config.name, config.initial_cluster, 7)};
          newcomer.identity.origin = origin;
          return newcomer;
        });
  }

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
  const Membership& membership = storage->restored.memberships.latest().membership;
  EXPECT_EQ(membership.voters.size(), 2u);
  EXPECT_TRUE(membership.IsVoter(folder.identity().member));
  EXPECT_EQ(membership.peer_urls.at(folder.identity().member),
            std::vector<std::string>{"http://a:2380"});
}

TEST_F(StorageTest, WhoJoinsBeginsWithAddressesAndNoVotes) {
  const DataFolder folder = Folder(Origin::kJoiner);
  const auto storage = OpenStorage(FileSystem::Posix(), folder, {});
  ASSERT_TRUE(storage.ok()) << storage.status();
  const Membership& membership = storage->restored.memberships.latest().membership;
  EXPECT_TRUE(membership.AllNodes().empty());
  EXPECT_EQ(membership.peer_urls.size(), 2u);
}

// Only a log that lost what it had synced is behind its state: this member may have acknowledged
// more than either holds.
TEST_F(StorageTest, AStateThatIsAheadOfItsLogIsRefusedEachTime) {
  const DataFolder folder = Folder();
  const std::vector<Entry> entries = {NoOp(1, Term{1}), NoOp(2, Term{1}), NoOp(3, Term{2})};
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    AppendTo(storage->log.get(), Term{2}, {entries[0]});
    ApplyTo(storage->store.get(), entries);
  }
  for (int start = 0; start < 2; ++start) {
    const absl::Status opened = OpenStorage(FileSystem::Posix(), folder, {}).status();
    EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss) << opened;
    EXPECT_THAT(std::string(opened.message()), HasSubstr(folder.log_path()));
  }
}

TEST_F(StorageTest, ALogThatIsGoneIsNotMadeUpFor) {
  const DataFolder folder = Folder();
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    ApplyTo(storage->store.get(), {NoOp(1, Term{1})});
  }
  std::filesystem::remove_all(folder.log_path());
  const absl::Status again = OpenStorage(FileSystem::Posix(), folder, {}).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kDataLoss) << again;
}

TEST_F(StorageTest, AStateIsDiscardedAndTheLogStays) {
  const DataFolder folder = Folder();
  const std::vector<Entry> entries = {NoOp(1, Term{1}), NoOp(2, Term{1})};
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    AppendTo(storage->log.get(), Term{1}, entries);
    ApplyTo(storage->store.get(), entries);
  }
  {
    const auto storage = OpenStorage(FileSystem::Posix(), folder, {}, StateChoice::kDiscard);
    ASSERT_TRUE(storage.ok()) << storage.status();
    EXPECT_EQ(storage->restored.last, LogIndex{2});
    EXPECT_EQ(storage->restored.hard_state.term, Term{1});
    EXPECT_EQ(storage->restored.applied, LogIndex{0});
    EXPECT_FALSE(std::filesystem::exists(folder.state_path() + ".discarded"));
  }
  // One that cannot be opened goes too.
  std::filesystem::remove(folder.state_path() + "/0000000000000000/CURRENT");
  EXPECT_FALSE(OpenStorage(FileSystem::Posix(), folder, {}).ok());
  EXPECT_TRUE(OpenStorage(FileSystem::Posix(), folder, {}, StateChoice::kDiscard).ok());
}

// Otherwise it would vote and acknowledge again with a log that has lost entries.
TEST_F(StorageTest, AStateThatProvesALossIsNotDiscarded) {
  const DataFolder folder = Folder();
  {
    auto storage = OpenStorage(FileSystem::Posix(), folder, {});
    ASSERT_TRUE(storage.ok()) << storage.status();
    ApplyTo(storage->store.get(), {NoOp(1, Term{1})});
  }
  const absl::Status opened =
      OpenStorage(FileSystem::Posix(), folder, {}, StateChoice::kDiscard).status();
  EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss) << opened;
  EXPECT_TRUE(std::filesystem::exists(folder.state_path()));
}

TEST_F(StorageTest, AnOnlyMemberKeepsItsState) {
  config_.initial_cluster.members.resize(1);
  const DataFolder folder = Folder();
  const absl::Status opened =
      OpenStorage(FileSystem::Posix(), folder, {}, StateChoice::kDiscard).status();
  EXPECT_EQ(opened.code(), absl::StatusCode::kFailedPrecondition) << opened;
  EXPECT_THAT(std::string(opened.message()), HasSubstr("no peers"));
}

}  // namespace
}  // namespace pontoon
