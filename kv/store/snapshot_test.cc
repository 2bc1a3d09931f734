// Snapshots of a store, and states that are installed.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/layout.h"
#include "kv/store/meta.h"
#include "kv/store/snapshot_stream.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

namespace fs = std::filesystem;
using storage::v1::Command;
using Names = std::set<std::string>;

Names NamesIn(const std::string& dir) {
  Names names;
  for (const auto& entry : fs::directory_iterator(dir)) names.insert(entry.path().filename());
  return names;
}

std::string First() { return GenerationName(LogIndex(0)); }

std::string StreamOf(StoreHarness* h) {
  auto source = h->store().OpenSnapshot();
  EXPECT_TRUE(source.ok()) << source.status();
  return ReadAll(source->get());
}

// A sink of `h` for what `from` holds now, with nothing in it.
std::unique_ptr<SnapshotSink> Begin(StoreHarness* h, StoreHarness* from) {
  auto sink = h->store().BeginSnapshot(from->store().Applied());
  EXPECT_TRUE(sink.ok()) << sink.status();
  return *std::move(sink);
}

std::unique_ptr<SnapshotSink> Finished(StoreHarness* h, StoreHarness* from) {
  std::unique_ptr<SnapshotSink> sink = Begin(h, from);
  EXPECT_TRUE(sink->Write(StreamOf(from)).ok());
  const absl::Status finished = sink->Finish();
  EXPECT_TRUE(finished.ok()) << finished;
  return sink;
}

// What a store would find that starts on the files as they are now.
struct AfterCrash {
  explicit AfterCrash(const std::string& dir)
      : copy([&dir] {
          const std::string to = MakeTestFolder();
          fs::copy(dir, to, fs::copy_options::recursive);
          return to;
        }()),
        h(StoreOptions(), copy) {}

  const std::string copy;
  StoreHarness h;
};

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    from_.Put("a", "1");
    from_.Put("b", "1");
    from_.Put("a", "2");
    from_.Delete("b");
  }

  StoreHarness from_;  // after four entries
  StoreHarness to_;    // after none
};

TEST_F(SnapshotTest, IsTheStateAtItsPosition) {
  auto source = from_.store().OpenSnapshot();
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->position(), (LogPosition{LogIndex(4), Term(1)}));
  StoreHarness copy;
  copy.InstallFrom(&from_);

  from_.Put("a", "3");
  from_.Delete("a");
  ASSERT_TRUE(from_.Compact(from_.revision()).ok());
  from_.executor().RunDue();
  std::unique_ptr<SnapshotSink> sink = *to_.store().BeginSnapshot((*source)->position());
  ASSERT_TRUE(sink->Write(ReadAll(source->get())).ok());
  ASSERT_TRUE(sink->Finish().ok());
  ASSERT_TRUE(to_.Install(std::move(sink)).ok());
  EXPECT_EQ(to_.store().Applied(), (LogPosition{LogIndex(4), Term(1)}));
  EXPECT_EQ(to_.All(), "a=2");
  to_.Close();
  to_.executor().DropAll();
  copy.Close();
  copy.executor().DropAll();
  EXPECT_EQ(DumpRecords(to_.dir()), DumpRecords(copy.dir()));
}

TEST_F(SnapshotTest, AnInstalledStateIsAsGoodAsAnAppliedOne) {
  ASSERT_TRUE(from_.Compact(3).ok());
  to_.InstallFrom(&from_);
  EXPECT_EQ(to_.store().Applied(), from_.store().Applied());
  EXPECT_EQ(to_.store().View()->applied(), from_.store().Applied());
  EXPECT_EQ(to_.revision(), from_.revision());
  for (int64_t revision = 1; revision <= from_.revision(); ++revision) {
    EXPECT_EQ(to_.All(revision), from_.All(revision)) << revision;
  }
  EXPECT_EQ(to_.All(2), kErrCompacted.text);
  EXPECT_EQ(to_.All(3), "a=1 b=1");
  for (StoreHarness* h : {&from_, &to_}) {
    EXPECT_EQ(h->Put("b", "3"), 6);
    EXPECT_EQ(h->Describe("b"), "6/6/1/0 3");
    EXPECT_EQ(h->Describe("a"), "2/4/2/0 2");
    h->executor().RunDue();
    h->Close();
  }
  EXPECT_EQ(DumpRecords(to_.dir()), DumpRecords(from_.dir()));
  to_.Open();
  EXPECT_EQ(to_.All(), "a=2 b=3");
}

TEST_F(SnapshotTest, ManyRecordsInManyPieces) {
  std::vector<Command> commands(2000);
  for (size_t i = 0; i < commands.size(); ++i) {
    *commands[i].mutable_put() = PutOf(absl::StrCat("key-", i % 700), std::string(1000, 'x'));
  }
  from_.ApplyAll(commands);
  const std::string stream = StreamOf(&from_);
  ASSERT_GT(stream.size(), 2000u * 1000);
  std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
  for (size_t at = 0; at < stream.size(); at += 7777) {
    ASSERT_TRUE(sink->Write(stream.substr(at, 7777)).ok());
  }
  ASSERT_TRUE(sink->Finish().ok());
  ASSERT_TRUE(to_.Install(std::move(sink)).ok());
  for (StoreHarness* h : {&from_, &to_}) {
    h->Close();
    h->executor().DropAll();
  }
  EXPECT_EQ(DumpRecords(to_.dir()), DumpRecords(from_.dir()));
}

// The target knows of "a" that it is there, and of "b" and "c" that they are not.
TEST_F(SnapshotTest, WhatIsRememberedOfTheStateBeforeIsForgotten) {
  StoreHarness to;
  to.Put("a", "old");
  to.Delete("b");
  to.Delete("c");
  from_.Delete("a");
  from_.Put("b", "2");
  to.InstallFrom(&from_);
  for (StoreHarness* h : {&from_, &to}) {
    EXPECT_EQ(h->Delete("a"), 0);
    EXPECT_EQ(h->Put("b", "3"), 8);
    EXPECT_EQ(h->Describe("b"), "7/8/2/0 3");
    h->Put("a", "new");
    EXPECT_EQ(h->Describe("a"), "9/9/1/0 new");
  }
}

TEST_F(SnapshotTest, ViewsAndSourcesOfTheStateBeforeLast) {
  to_.Put("old", "1");
  std::shared_ptr<const ReadView> view = to_.store().View();
  std::unique_ptr<SnapshotSource> source = *to_.store().OpenSnapshot();
  to_.InstallFrom(&from_);
  to_.executor().RunDue();
  const std::string installed = GenerationName(LogIndex(4));
  EXPECT_EQ(to_.All(), "a=2");
  EXPECT_EQ(NamesIn(to_.dir()), (Names{First(), installed}));
  etcdserverpb::RangeResponse response;
  ASSERT_TRUE(view->Range(RangeOf(Zero(), Zero()), &response).ok());
  EXPECT_EQ(Contents(response), "old=1");
  view.reset();
  EXPECT_EQ(NamesIn(to_.dir()), (Names{First(), installed}));

  StoreHarness third;
  std::unique_ptr<SnapshotSink> sink = *third.store().BeginSnapshot(source->position());
  ASSERT_TRUE(sink->Write(ReadAll(source.get())).ok());
  source.reset();
  EXPECT_EQ(NamesIn(to_.dir()), (Names{installed})) << "its last user is gone";
  ASSERT_TRUE(sink->Finish().ok());
  ASSERT_TRUE(third.Install(std::move(sink)).ok());
  EXPECT_EQ(third.All(), "old=1");
}

TEST_F(SnapshotTest, TheStateBeforeIsClosedByTheExecutor) {
  to_.InstallFrom(&from_);
  EXPECT_TRUE(NamesIn(to_.dir()).contains(First())) << "the applier does not wait for it";
  to_.executor().RunDue();
  EXPECT_EQ(NamesIn(to_.dir()), (Names{GenerationName(LogIndex(4))}));
}

TEST_F(SnapshotTest, OneAfterTheOther) {
  for (int i = 0; i < 5; ++i) {
    to_.InstallFrom(&from_);
    to_.Put("own", "x");
    from_.Put("own", absl::StrCat(i));
    from_.Put("more", absl::StrCat(i));
  }
  to_.InstallFrom(&from_);
  EXPECT_EQ(to_.All(), "a=2 more=4 own=4");
  to_.executor().RunDue();
  EXPECT_EQ(NamesIn(to_.dir()), (Names{GenerationName(LogIndex(14))}));
}

TEST_F(SnapshotTest, ScrubbingGoesOnInTheNewState) {
  for (int i = 0; i < 1000; ++i) from_.Put("a", absl::StrCat(i));
  to_.Put("a", "0");
  to_.Put("a", "1");
  ASSERT_TRUE(to_.Compact(3).ok());  // its scrubber has work of its own waiting
  std::vector<absl::Status> scrubbed;
  to_.store().WhenScrubbed(Revision(1000),
                           [&](absl::Status status) { scrubbed.push_back(status); });

  ASSERT_TRUE(from_.Compact(1000).ok());
  from_.executor().RunOne();  // the first step of some
  from_.Put("b", "2");        // what is scrubbed shows with the next command
  to_.InstallFrom(&from_);
  EXPECT_TRUE(scrubbed.empty()) << "who waits goes on waiting";
  for (StoreHarness* h : {&from_, &to_}) {
    h->executor().RunDue();
    EXPECT_EQ(h->All(1000), "a=994");
    h->Close();
  }
  EXPECT_EQ(scrubbed, (std::vector<absl::Status>{absl::OkStatus()}));
  const std::map<std::string, std::string> records = DumpRecords(to_.dir());
  EXPECT_EQ(records, DumpRecords(from_.dir()));
  EXPECT_LT(records.size(), 30u) << "old versions are removed";
}

TEST_F(SnapshotTest, WhoeverWaitsForWhatIsScrubbedIsTold) {
  ASSERT_TRUE(from_.Compact(4).ok());
  from_.executor().RunDue();
  from_.Put("b", "2");
  std::vector<absl::Status> scrubbed;
  to_.store().WhenScrubbed(Revision(4), [&](absl::Status status) { scrubbed.push_back(status); });
  to_.InstallFrom(&from_);
  EXPECT_EQ(scrubbed, (std::vector<absl::Status>{absl::OkStatus()}));
}

TEST_F(SnapshotTest, ASinkThatIsNotInstalledLeavesNothing) {
  to_.Put("own", "1");
  const std::string stream = StreamOf(&from_);
  const Names incoming = {First(), GenerationName(LogIndex(4)) + ".incoming"};
  const Names before = {First()};
  {
    std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
    EXPECT_EQ(NamesIn(to_.dir()), incoming);
  }
  EXPECT_EQ(NamesIn(to_.dir()), before);
  {
    std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
    ASSERT_TRUE(sink->Write(stream).ok());
    EXPECT_EQ(NamesIn(to_.dir()), incoming);
  }
  EXPECT_EQ(NamesIn(to_.dir()), before);
  {
    std::unique_ptr<SnapshotSink> sink = Finished(&to_, &from_);
    EXPECT_EQ(NamesIn(to_.dir()), (Names{First(), GenerationName(LogIndex(4))}));
  }
  EXPECT_EQ(NamesIn(to_.dir()), before);
  EXPECT_EQ(to_.All(), "own=1");
  to_.InstallFrom(&from_);
  EXPECT_EQ(to_.All(), "a=2");
}

TEST_F(SnapshotTest, WhatIsNotAWholeSnapshotIsRefused) {
  const std::string stream = StreamOf(&from_);
  std::string changed = stream;
  changed[stream.size() / 2] ^= 1;
  StoreHarness other;
  other.Put("a", "1");
  for (const std::string& bytes : {std::string(), stream.substr(0, stream.size() - 1), changed,
                                   stream + "x", StreamOf(&other)}) {
    std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
    sink->Write(bytes).IgnoreError();
    EXPECT_EQ(sink->Finish().code(), absl::StatusCode::kDataLoss);
    sink.reset();
    EXPECT_EQ(NamesIn(to_.dir()), (Names{First()}));
  }
}

// A stream of records that are none of a store at that position.
TEST_F(SnapshotTest, RecordsThatAreNotTheStateAreRefused) {
  const LogPosition position{LogIndex(4), Term(1)};
  const MetaRecord applied = AppliedRecord(position);
  const MetaRecord other = AppliedRecord({LogIndex(4), Term(2)});
  const MetaRecord digest = DigestRecord(StateDigest());
  const MetaRecord format = FormatRecord();
  const MetaRecord revision = RevisionRecord(Revision(5));
  const MetaRecord bad_alarms = {AlarmsRecord({}).first, "?"};
  const MetaRecord old_format = {format.first, std::string("\0\0\0\0\0\0\0\1", 8)};
  const MetaRecord bad_scrubbed = {ScrubbedRecord({}).first, "?"};
  using Records = std::vector<MetaRecord>;
  struct Row {
    const char* what;
    Records records;
    bool good;
  };
  for (const Row& row : {
           Row{"a state", Records{applied, digest, format, revision}, true},
           Row{"nothing", Records{}, false},
           Row{"another term", Records{other, digest, format, revision}, false},
           Row{"no digest", Records{applied, format, revision}, false},
           Row{"no format", Records{applied, digest, revision}, false},
           Row{"another format", Records{applied, digest, old_format, revision}, false},
           Row{"no revision", Records{applied, digest, format}, false},
           Row{"bad alarms", Records{bad_alarms, applied, digest, format, revision}, false},
           Row{"bad scrubbed", Records{applied, digest, format, revision, bad_scrubbed}, false},
       }) {
    SnapshotStreamWriter writer(position);
    for (const auto& [key, value] : row.records) writer.Add(key, value);
    writer.End();
    std::unique_ptr<SnapshotSink> sink = *to_.store().BeginSnapshot(position);
    ASSERT_TRUE(sink->Write(writer.Take(writer.ready_bytes())).ok()) << row.what;
    EXPECT_EQ(sink->Finish().code(), row.good ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss)
        << row.what;
  }
}

TEST_F(SnapshotTest, OnlyForALaterStateAndOneSinkForAnIndex) {
  to_.Put("own", "1");
  const auto code = [this](uint64_t index) {
    return to_.store().BeginSnapshot({LogIndex(index), Term(1)}).status().code();
  };
  EXPECT_EQ(code(0), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(1), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(2), absl::StatusCode::kOk);
  std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
  EXPECT_EQ(code(4), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(code(5), absl::StatusCode::kOk);
  ASSERT_TRUE(sink->Write(StreamOf(&from_)).ok());
  ASSERT_TRUE(sink->Finish().ok());
  EXPECT_EQ(code(4), absl::StatusCode::kAlreadyExists);
  sink.reset();
  EXPECT_EQ(code(4), absl::StatusCode::kOk);
}

TEST_F(SnapshotTest, DamageOnTheWayOutIsSeen) {
  from_.Put("fills the first block", std::string(10000, 'x'));
  from_.Put("has one of its own", std::string(100000, 'x'));
  from_.Close();
  for (const auto& file : fs::directory_iterator(from_.generation_dir())) {
    if (file.path().extension() != ".ldb" || file.file_size() < 50000) continue;
    std::fstream table(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(30000);
    table << "rot";
  }
  from_.Open();
  std::unique_ptr<SnapshotSource> source = *from_.store().OpenSnapshot();
  absl::StatusOr<std::string> piece = source->Read(1000);
  for (int i = 0; piece.ok() && !piece->empty(); ++i) {
    ASSERT_LT(i, 1000);
    piece = source->Read(1000);
  }
  EXPECT_EQ(piece.status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SnapshotTest, StatsAreOfThePresentState) {
  to_.Put("own", std::string(1 << 20, 'x'));
  ASSERT_TRUE(to_.store().Sync().ok());
  ASSERT_GT(to_.store().Stats().disk_bytes, 1u << 20);
  std::shared_ptr<const ReadView> keeps_the_old_state = to_.store().View();
  to_.InstallFrom(&from_);
  const KvStore::Statistics stats = to_.store().Stats();
  EXPECT_GT(stats.disk_bytes, 0u);
  EXPECT_LT(stats.disk_bytes, 1u << 20);
  EXPECT_EQ(stats.revision, from_.store().Stats().revision);
}

TEST_F(SnapshotTest, ACrashBeforeTheEndKeepsTheStateBefore) {
  to_.Put("own", "1");
  ASSERT_TRUE(to_.store().Sync().ok());
  std::unique_ptr<SnapshotSink> sink = Begin(&to_, &from_);
  ASSERT_TRUE(sink->Write(StreamOf(&from_)).ok());
  AfterCrash after(to_.dir());
  EXPECT_EQ(after.h.All(), "own=1");
  EXPECT_EQ(NamesIn(after.copy), (Names{First()}));
}

TEST_F(SnapshotTest, ACrashAfterTheEndBringsTheNewState) {
  to_.Put("own", "1");
  ASSERT_TRUE(to_.store().Sync().ok());
  std::unique_ptr<SnapshotSink> sink = Finished(&to_, &from_);
  AfterCrash finished(to_.dir());
  EXPECT_EQ(finished.h.All(), "a=2");
  EXPECT_EQ(finished.h.store().Applied(), from_.store().Applied());
  EXPECT_EQ(NamesIn(finished.copy), (Names{GenerationName(LogIndex(4))}));

  ASSERT_TRUE(to_.Install(std::move(sink)).ok());
  AfterCrash installed(to_.dir());
  EXPECT_EQ(installed.h.All(), "a=2") << "it was durable before";
  EXPECT_EQ(NamesIn(installed.copy), (Names{GenerationName(LogIndex(4))}));
}

TEST_F(SnapshotTest, TheStateThatHasAppliedMoreIsTaken) {
  std::unique_ptr<SnapshotSink> sink = Finished(&to_, &from_);
  for (int i = 0; i < 5; ++i) to_.Put("own", absl::StrCat(i));
  ASSERT_TRUE(to_.store().Sync().ok());
  AfterCrash after(to_.dir());
  EXPECT_EQ(after.h.All(), "own=4");
  EXPECT_EQ(NamesIn(after.copy), (Names{First()}));
}

// Of an old state that was being removed, any files can be missing.
TEST_F(SnapshotTest, ACrashWhileTheOldStateIsRemoved) {
  to_.InstallFrom(&from_);
  to_.executor().RunDue();
  AfterCrash after([this] {
    const std::string retired = absl::StrCat(to_.dir(), "/", First(), ".retired");
    fs::create_directory(retired);
    std::ofstream(retired + "/000005.ldb") << "what was left";
    return to_.dir();
  }());
  EXPECT_EQ(after.h.All(), "a=2");
  EXPECT_EQ(NamesIn(after.copy), (Names{GenerationName(LogIndex(4))}));
}

TEST_F(SnapshotTest, ReadersDoNotMeetTheInstallation) {
  std::unique_ptr<Executor> thread = NewThreadExecutor("scrubber");
  StoreOptions options;
  options.scrub_executor = thread.get();
  StoreHarness to(options);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    int64_t last = 0;
    while (!done) {
      std::shared_ptr<const ReadView> view = to.store().View();
      etcdserverpb::RangeResponse response;
      ASSERT_TRUE(view->Range(RangeOf(Zero(), Zero()), &response).ok());
      EXPECT_GE(view->revision().value(), last);
      last = view->revision().value();
      ASSERT_TRUE(to.store().Sync().ok());
      EXPECT_GE(to.store().Stats().revision.value(), last);
      EXPECT_TRUE(to.store().OpenSnapshot().ok());
    }
  });
  for (int i = 0; i < 20; ++i) {
    from_.Put("a", absl::StrCat(i));
    ASSERT_TRUE(from_.Compact(from_.revision()).ok());
    to.InstallFrom(&from_);
    EXPECT_EQ(to.Get("a"), absl::StrCat(i));
    for (StoreHarness* h : {&to, &from_}) h->Put("b", absl::StrCat(i));
  }
  done = true;
  reader.join();
  EXPECT_EQ(to.All(), from_.All());
}

using SnapshotDeathTest = SnapshotTest;

TEST_F(SnapshotDeathTest, OnlyAFinishedSinkOfALaterStateIsInstalled) {
  std::unique_ptr<SnapshotSink> unfinished = Begin(&to_, &from_);
  EXPECT_DEATH((void)to_.store().Install(std::move(unfinished)), "not finished");
  unfinished.reset();
  std::unique_ptr<SnapshotSink> late = Finished(&to_, &from_);
  for (int i = 0; i < 4; ++i) to_.Put("own", "x");
  EXPECT_DEATH((void)to_.store().Install(std::move(late)), "never goes back");
}

}  // namespace
}  // namespace pontoon::kv
