// What is there after a restart, a crash, or damage.

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/layout.h"
#include "kv/store/meta.h"
#include "kv/store/store_harness.h"
#include "leveldb/db.h"
#include "raft/base/check.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

namespace fs = std::filesystem;
using storage::v1::Command;

// Entry n puts n to the keys "a" and "b", so what is there can be told from the applied index.
Command Numbered(uint64_t n) {
  Command command;
  *command.mutable_txn()->add_success() = Op(PutOf("a", absl::StrCat(n)));
  *command.mutable_txn()->add_success() = Op(PutOf("b", absl::StrCat(n)));
  return command;
}

// Fails the test unless the store is as after its applied index.
void ExpectWhole(StoreHarness* h) {
  uint64_t applied = h->store().Applied().index.value();
  EXPECT_EQ(h->revision(), static_cast<int64_t>(applied) + 1);
  if (applied == 0) {
    EXPECT_EQ(h->All(), "");
    return;
  }
  EXPECT_EQ(h->All(), absl::StrCat("a=", applied, " b=", applied));
  if (applied > 1) {
    EXPECT_EQ(h->All(static_cast<int64_t>(applied)),
              absl::StrCat("a=", applied - 1, " b=", applied - 1));
  }
}

std::string AnyTableOf(const std::string& dir) {
  for (const fs::directory_entry& file : fs::directory_iterator(dir)) {
    if (file.path().extension() == ".ldb") return file.path();
  }
  ADD_FAILURE() << "no table in " << dir;
  return "";
}

std::string FirstGeneration(const std::string& dir) {
  return absl::StrCat(dir, "/", GenerationName(LogIndex(0)));
}

void PutRecord(const std::string& dir, const std::string& key, const std::string& value) {
  leveldb::DB* opened = nullptr;
  leveldb::Options options;
  options.create_if_missing = true;
  ASSERT_TRUE(leveldb::DB::Open(options, dir, &opened).ok());
  std::unique_ptr<leveldb::DB> db(opened);
  ASSERT_TRUE(db->Put(leveldb::WriteOptions(), key, value).ok());
}

absl::Status OpenStatus(const std::string& dir) {
  return KvStore::Open(dir, StoreOptions()).status();
}

void ExpectAdvice(const absl::Status& status, const std::string& dir) {
  EXPECT_TRUE(absl::StrContains(status.message(), dir)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "remove this folder")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "rebuilt")) << status;
}

TEST(RecoveryTest, EverythingIsThereAfterARestart) {
  StoreHarness h;
  h.Put("a", "1");
  h.Put("b", "1");
  h.Delete("a");
  ASSERT_TRUE(h.Compact(3).ok());
  LogPosition applied = h.store().Applied();
  h.Reopen();
  EXPECT_EQ(h.store().Applied(), applied);
  EXPECT_EQ(h.revision(), 4);
  EXPECT_EQ(h.store().View()->compacted(), Revision(3));
  EXPECT_EQ(h.All(), "b=1");
  EXPECT_EQ(h.All(3), "a=1 b=1");
  EXPECT_EQ(h.Put("a", "2"), 5);
}

TEST(RecoveryTest, SyncBringsEverythingToTheDisk) {
  StoreHarness h;
  for (uint64_t n = 1; n <= 5; ++n) h.Apply(Numbered(n));
  // What the disk holds is what a copy of the files shows while the store is open.
  const auto applied_on_disk = [&h] {
    const std::string copy = MakeTestFolder();
    fs::copy(h.dir(), copy, fs::copy_options::recursive);
    return StoreHarness(StoreOptions(), copy).store().Applied().index;
  };
  EXPECT_EQ(applied_on_disk(), LogIndex(0)) << "the log is the only write-ahead log";
  ASSERT_TRUE(h.store().Sync().ok());
  EXPECT_EQ(applied_on_disk(), LogIndex(5));
  ASSERT_TRUE(h.store().Sync().ok()) << "also with nothing to do";
  h.Apply(Numbered(6));
  EXPECT_EQ(applied_on_disk(), LogIndex(5));
  ExpectWhole(&h);
}

// The process is a new one, and so has LevelDB's background thread, which writes the tables.
class KilledStoreTest : public testing::TestWithParam<uint64_t> {
 protected:
  KilledStoreTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  // Applies numbered entries, three at a time, and dies with the `count`-th Apply.
  [[noreturn]] static void ApplyAndDie(const std::string& dir, uint64_t count) {
    StoreOptions options;
    options.write_buffer_bytes = 64 << 10;
    StoreHarness h(options, dir);
    uint64_t n = h.store().Applied().index.value();
    for (uint64_t i = 0; i < count; ++i, n += 3) {
      h.ApplyAll({Numbered(n + 1), Numbered(n + 2), Numbered(n + 3)});
    }
    raise(SIGKILL);
    std::abort();
  }
};

TEST_P(KilledStoreTest, HasTheStateAfterAnEarlierApply) {
  const uint64_t count = 300 + Prng(GetParam()).Below(1500);
  // The same in the process that is killed.
  const std::string dir = absl::StrCat(testing::TempDir(), "/killed_", GetParam());
  fs::create_directories(dir);
  EXPECT_EXIT(ApplyAndDie(dir, count), testing::KilledBySignal(SIGKILL), "");
  StoreHarness h(StoreOptions(), dir);
  ExpectWhole(&h);
  const uint64_t applied = h.store().Applied().index.value();
  EXPECT_EQ(applied % 3, 0u) << "one Apply is all or nothing";
  EXPECT_GT(applied, 0u) << "tables were written";
  EXPECT_LT(applied, 3 * count) << "what was in memory is gone";
  h.Apply(Numbered(applied + 1));  // the log gives it again
  ExpectWhole(&h);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KilledStoreTest, testing::Range<uint64_t>(0, 8));

TEST(RecoveryTest, AnotherFormatIsRefused) {
  StoreHarness h;
  h.Close();
  PutRecord(h.generation_dir(), "mformat", std::string("\0\0\0\0\0\0\0\1", 8));
  absl::Status status = OpenStatus(h.dir());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "version 1")) << status;
  ExpectAdvice(status, h.dir());
  const auto [key, value] = FormatRecord();
  PutRecord(h.generation_dir(), key, value);
  h.Open();
}

// It was not in a folder of its own then.
TEST(RecoveryTest, AStateOfAnEarlierVersionIsRefused) {
  const std::string dir = MakeTestFolder();
  PutRecord(dir, "mformat", std::string("\0\0\0\0\0\0\0\2", 8));
  const absl::Status status = OpenStatus(dir);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "made by an earlier version")) << status;
  ExpectAdvice(status, dir);
  RemoveFolder(dir);
}

TEST(RecoveryTest, AForeignDatabaseIsRefused) {
  std::string dir = MakeTestFolder();
  PutRecord(FirstGeneration(dir), "something", "else");
  absl::Status status = OpenStatus(dir);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  ExpectAdvice(status, dir);
  RemoveFolder(dir);
}

TEST(RecoveryTest, DamagedRecordsOfTheStoreItselfAreRefused) {
  for (const char* record : {"mapplied", "mrevision", "mcompacted", "mscrubbed", "mformat"}) {
    StoreHarness h;
    h.Put("a", "1");
    h.Close();
    PutRecord(h.generation_dir(), record, "damage");
    absl::Status status = OpenStatus(h.dir());
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << record;
    ExpectAdvice(status, h.dir());
  }
}

TEST(RecoveryTest, DamagedFilesAreRefused) {
  struct Row {
    const char* what;
    void (*damage)(const std::string& dir);
  };
  for (const Row& row : {
           Row{"garbage in CURRENT",
               [](const std::string& dir) { std::ofstream(dir + "/CURRENT") << "garbage"; }},
           Row{"CURRENT is missing", [](const std::string& dir) { fs::remove(dir + "/CURRENT"); }},
           Row{"a table is missing", [](const std::string& dir) { fs::remove(AnyTableOf(dir)); }},
       }) {
    StoreHarness h;
    h.Put("a", "1");
    h.Close();  // makes a table of it
    row.damage(h.generation_dir());
    absl::Status status = OpenStatus(h.dir());
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << row.what;
    ExpectAdvice(status, h.dir());
  }
}

TEST(RecoveryTest, RotInATableIsSeenByReadsAndStopsApply) {
  StoreHarness h;
  Prng random(1);
  std::string incompressible;  // fills a block of its own
  while (incompressible.size() < 10000) incompressible.push_back(static_cast<char>(random.Next()));
  // A put of "a" looks at its small record alone, but for the previous value.
  h.Put("b", incompressible);
  h.Put("a", incompressible);
  h.Close();
  {
    std::fstream table(AnyTableOf(h.generation_dir()),
                       std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(15000);  // into the second value
    table << "rot";
  }
  h.Open();
  EXPECT_EQ(h.RangeStatus(RangeOf("a")).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(h.RangeStatus(RangeOf("a", "b")).code(), absl::StatusCode::kDataLoss);

  std::vector<ApplyItem> items(1);
  items[0].entry.index = h.store().Applied().index.Next();
  items[0].entry.kind = EntryKind::kCommand;
  Command command;
  *command.mutable_put() = PutOf("a", "2");
  command.mutable_put()->set_prev_kv(true);
  items[0].wants_result = true;
  items[0].entry.payload = std::make_shared<std::string>(command.SerializeAsString());
  EXPECT_EQ(h.store().Apply(items).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(h.store().Applied().index, LogIndex(2));
}

TEST(RecoveryTest, ARecordThatMakesNoSenseIsDamage) {
  StoreHarness h;
  h.Put("a", "1");
  h.Put("a", "2");
  h.Close();
  PutRecord(h.generation_dir(), CurrentKey("bad"), "");
  PutRecord(h.generation_dir(), EventKey(EventId{Revision(2), 0}), "");
  h.Open();
  EXPECT_EQ(h.RangeStatus(RangeOf("bad")).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(h.RangeStatus(RangeOf("a", Zero())).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(h.Get("a"), "2");
  etcdserverpb::RangeRequest old = RangeOf("a");
  old.set_revision(2);
  EXPECT_EQ(h.RangeStatus(old).code(), absl::StatusCode::kDataLoss);
}

TEST(RecoveryTest, AGenerationHoldsWhatItsNameSays) {
  StoreHarness h;
  h.Put("a", "1");
  h.Close();
  const std::string first = h.generation_dir();
  const auto named = [&h](uint64_t index) {
    return absl::StrCat(h.dir(), "/", GenerationName(LogIndex(index)));
  };
  fs::rename(first, named(2));
  const absl::Status status = OpenStatus(h.dir());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  ExpectAdvice(status, named(2));
  fs::rename(named(2), named(1));
  h.Open();
  EXPECT_EQ(h.All(), "a=1");
}

TEST(RecoveryTest, AStoreIsOpenOnce) {
  StoreHarness h;
  absl::Status status = OpenStatus(h.dir());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), h.dir())) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "remove")) << status;
}

TEST(RecoveryTest, ACrashBeforeTheFirstRecordIsAFreshStart) {
  std::string dir = MakeTestFolder();
  {
    leveldb::Options options;
    options.create_if_missing = true;
    leveldb::DB* db = nullptr;
    ASSERT_TRUE(leveldb::DB::Open(options, FirstGeneration(dir), &db).ok());
    delete db;
  }
  EXPECT_TRUE(OpenStatus(dir).ok());
  RemoveFolder(dir);
}

}  // namespace
}  // namespace pontoon::kv
