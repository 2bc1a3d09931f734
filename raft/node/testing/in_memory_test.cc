#include "raft/node/testing/in_memory.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace pontoon::raft {
namespace {

void Apply(Journal* journal, const std::string& command) {
  ApplyItem item;
  item.entry = {.index = journal->Applied().index.Next(),
                .term = Term(1),
                .kind = EntryKind::kCommand,
                .request = {},
                .payload = std::make_shared<const std::string>(command)};
  ASSERT_TRUE(journal->Apply({&item, 1}).ok());
}

TEST(JournalTest, TakesTheStateOfAnotherOne) {
  Journal from, to;
  for (const char* command : {"a", "", "ccc"}) Apply(&from, command);
  Apply(&to, "other");
  std::unique_ptr<SnapshotSource> source = *from.OpenSnapshot();
  Apply(&from, "later");

  std::unique_ptr<SnapshotSink> sink = *to.BeginSnapshot(source->position());
  for (std::string piece = *source->Read(5); !piece.empty(); piece = *source->Read(5)) {
    ASSERT_TRUE(sink->Write(piece).ok());
  }
  ASSERT_TRUE(sink->Finish().ok());
  EXPECT_EQ(to.commands(), (std::vector<std::string>{"other"})) << "not before it is installed";
  ASSERT_TRUE(to.Install(std::move(sink)).ok());
  EXPECT_EQ(to.Applied(), (LogPosition{LogIndex(3), Term(1)}));
  EXPECT_EQ(to.commands(), (std::vector<std::string>{"a", "", "ccc"}));
  EXPECT_FALSE(to.BeginSnapshot({LogIndex(3), Term(1)}).ok()) << "it is there already";
}

TEST(JournalTest, FailsOnceItIsBroken) {
  Journal journal;
  EXPECT_TRUE(journal.Sync().ok());
  journal.Break();
  EXPECT_FALSE(journal.Sync().ok());
}

PersistBatch Batch(uint64_t first, std::vector<uint64_t> terms) {
  PersistBatch batch;
  for (const uint64_t term : terms) {
    batch.entries.push_back({.index = LogIndex(first++),
                             .term = Term(term),
                             .kind = EntryKind::kNoOp,
                             .request = {},
                             .payload = nullptr});
  }
  return batch;
}

// A log of entries 1..5 of terms 1 1 2 2 3.
class MemoryLogTest : public testing::Test {
 protected:
  MemoryLogTest() { Write(Batch(1, {1, 1, 2, 2, 3})); }

  void Write(const PersistBatch& batch) { ASSERT_TRUE(log_.Write({&batch, 1}).ok()); }

  std::vector<uint64_t> ReadTerms(uint64_t first) const {
    std::vector<uint64_t> terms;
    const auto entries = log_.Read(LogIndex(first), LogIndex(100), SIZE_MAX);
    if (!entries.ok()) return terms;
    for (const Entry& entry : *entries) {
      EXPECT_EQ(entry.index, LogIndex(first + terms.size()));
      terms.push_back(entry.term.value());
    }
    return terms;
  }

  MemoryLog log_;
};

TEST_F(MemoryLogTest, DropsAPrefix) {
  const uint64_t bytes = log_.SizeBytes();
  ASSERT_TRUE(log_.DropPrefix(LogIndex(3)).ok());
  ASSERT_TRUE(log_.DropPrefix(LogIndex(2)).ok());
  EXPECT_EQ(log_.base(), (LogPosition{LogIndex(3), Term(2)}));
  EXPECT_EQ(log_.SizeBytes(), bytes / 5 * 2);
  EXPECT_EQ(ReadTerms(3), std::vector<uint64_t>());
  EXPECT_EQ(ReadTerms(4), (std::vector<uint64_t>{2, 3}));
  PersistBatch batch = Batch(5, {4, 4});
  batch.truncate_from = LogIndex(5);
  Write(batch);
  EXPECT_EQ(ReadTerms(4), (std::vector<uint64_t>{2, 4, 4}));
  const RecoveredLog recovered = log_.Recovered();
  EXPECT_EQ(recovered.base, log_.base());
  EXPECT_EQ(recovered.last, LogIndex(6));
  EXPECT_EQ(recovered.terms,
            (std::vector<TermRun>{{LogIndex(4), Term(2)}, {LogIndex(5), Term(4)}}));
}

TEST_F(MemoryLogTest, GoesOnAfterAReset) {
  PersistBatch batch = Batch(11, {5, 5});
  batch.reset_to = LogPosition{LogIndex(10), Term(4)};
  Write(batch);
  EXPECT_EQ(log_.base(), batch.reset_to);
  EXPECT_EQ(ReadTerms(5), std::vector<uint64_t>());
  EXPECT_EQ(ReadTerms(11), (std::vector<uint64_t>{5, 5}));
  ASSERT_TRUE(log_.ResetTo({LogIndex(20), Term(5)}, "").ok());
  EXPECT_EQ(log_.Recovered().last, LogIndex(20));
  EXPECT_EQ(log_.SizeBytes(), 0u);
}

TEST_F(MemoryLogTest, KnowsTheMemberships) {
  const Membership first{.voters = {NodeId(1)}};
  const Membership second{.voters = {NodeId(2)}};
  PersistBatch batch = Batch(6, {3, 3});
  for (size_t i : {0, 1}) {
    batch.entries[i].kind = EntryKind::kMembership;
    batch.entries[i].payload =
        std::make_shared<const std::string>(EncodeMembership(i == 0 ? first : second));
  }
  Write(batch);
  const MembershipHistory::Item at6{LogIndex(6), {}, first};
  const MembershipHistory::Item at7{LogIndex(7), {}, second};
  EXPECT_EQ(log_.Recovered().memberships, (std::vector{at6, at7}));
  ASSERT_TRUE(log_.DropPrefix(LogIndex(6)).ok());
  EXPECT_EQ(log_.Recovered().memberships, (std::vector{at6, at7}));
  ASSERT_TRUE(log_.ResetTo({LogIndex(20), Term(5)}, "").ok());
  EXPECT_EQ(log_.Recovered().memberships, std::vector{at6}) << "what was before the log stays";
  ASSERT_TRUE(log_.ResetTo({LogIndex(30), Term(5)}, EncodeMembership(second)).ok());
  EXPECT_EQ(log_.Recovered().memberships,
            (std::vector{MembershipHistory::Item{LogIndex(30), {}, second}}));
}

TEST_F(MemoryLogTest, NothingChangesOnceItIsBroken) {
  log_.Break();
  EXPECT_FALSE(log_.DropPrefix(LogIndex(3)).ok());
  EXPECT_FALSE(log_.ResetTo({LogIndex(20), Term(5)}, "").ok());
  EXPECT_EQ(ReadTerms(1), (std::vector<uint64_t>{1, 1, 2, 2, 3}));
}

}  // namespace
}  // namespace pontoon::raft
