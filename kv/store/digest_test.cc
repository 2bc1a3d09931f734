// The digest of the state: equal where the same was done, and different where it was not.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/store/state_digest.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;

Command PutCommand(int number) {
  Command command;
  *command.mutable_put() = PutOf("key" + std::to_string(number % 7), std::to_string(number));
  return command;
}

StateDigest DigestOf(StoreHarness& h) { return h.store().View()->digest(); }

TEST(StateDigest, DependsOnWhatIsMixedInAndOnTheOrder) {
  StateDigest ab, ba, abc;
  ab.Mix("a");
  ab.Mix("b");
  ba.Mix("b");
  ba.Mix("a");
  abc = ab;
  abc.Mix(uint64_t{3});
  EXPECT_NE(ab, ba);
  EXPECT_NE(ab, abc);
  EXPECT_NE(ab, StateDigest());
}

// It is compared between members on machines of any kind, and kept on disk.
TEST(StateDigest, IsAFormat) {
  StateDigest digest;
  digest.Mix("pontoon");
  digest.Mix(uint64_t{1} << 40);
  EXPECT_EQ(digest.value(), 12560587436012049677u);
}

TEST(DigestTest, IsTheSameInBatchesOfAnySize) {
  StoreHarness one_by_one, at_once;
  std::vector<Command> commands;
  for (int i = 0; i < 50; ++i) commands.push_back(PutCommand(i));
  for (const Command& command : commands) one_by_one.Apply(command);
  at_once.ApplyAll(commands);
  EXPECT_EQ(DigestOf(one_by_one), DigestOf(at_once));
}

TEST(DigestTest, DoesNotDependOnWhoWantsTheResult) {
  StoreHarness wanted, unwanted;
  Command command;
  command.mutable_txn()->add_success()->mutable_request_range()->set_key("a");
  *command.mutable_txn()->add_success()->mutable_request_put() = PutOf("a", "1");
  wanted.Apply(command);
  unwanted.ApplyUnwanted(command);
  EXPECT_EQ(DigestOf(wanted), DigestOf(unwanted));
}

TEST(DigestTest, TellsApartWhatDiffersInAnything) {
  StoreHarness base, value, term, nothing;
  base.Put("a", "1");
  value.Put("a", "2");
  term.SetTerm(Term(2));
  term.Put("a", "1");
  nothing.Delete("a");
  EXPECT_NE(DigestOf(base), DigestOf(value));
  EXPECT_NE(DigestOf(base), DigestOf(term));
  EXPECT_NE(DigestOf(nothing), StateDigest()) << "an entry without effect counts, too";
}

TEST(DigestTest, DoesNotDependOnWhatIsRemovedInTheBackground) {
  StoreHarness scrubbed, not_scrubbed;
  for (StoreHarness* h : {&scrubbed, &not_scrubbed}) {
    h->Put("a", "1");
    h->Put("a", "2");
    EXPECT_TRUE(h->Compact(3).ok());
  }
  scrubbed.executor().RunDue();
  for (StoreHarness* h : {&scrubbed, &not_scrubbed}) h->Put("a", "3");
  EXPECT_EQ(DigestOf(scrubbed), DigestOf(not_scrubbed));
}

TEST(DigestTest, GoesOnAfterARestartAndASnapshot) {
  StoreHarness whole, restarted, installed;
  whole.Put("a", "1");
  restarted.Put("a", "1");
  restarted.Reopen();
  installed.InstallFrom(&restarted);
  for (StoreHarness* h : {&whole, &restarted, &installed}) h->Put("b", "2");
  EXPECT_EQ(DigestOf(restarted), DigestOf(whole));
  EXPECT_EQ(DigestOf(installed), DigestOf(whole));
}

TEST(DigestTest, IsKeptForCommonIndexes) {
  StoreHarness h;
  std::vector<StateDigest> digests{StateDigest()};  // by index
  constexpr uint64_t kEntries = 2 * KvStore::kDigestStep + 5;
  std::vector<Command> batch;
  for (uint64_t i = 1; i <= kEntries; ++i) {
    batch.push_back(PutCommand(static_cast<int>(i)));
    const bool on_a_step = i % KvStore::kDigestStep == 0;
    if (!on_a_step && batch.size() < 300 && i < kEntries) continue;
    h.ApplyAll(batch);
    batch.clear();
    digests.resize(i + 1);
    digests[i] = DigestOf(h);
  }
  for (uint64_t step : {KvStore::kDigestStep, 2 * KvStore::kDigestStep, kEntries}) {
    EXPECT_EQ(h.store().DigestAt(LogIndex(step)), digests[step]) << step;
  }
  EXPECT_EQ(h.store().DigestAt(LogIndex(kEntries - 1)), std::nullopt);
  EXPECT_EQ(h.store().DigestAt(LogIndex(kEntries + 1)), std::nullopt);
}

}  // namespace
}  // namespace pontoon::kv
