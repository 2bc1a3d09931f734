#include "kv/store/record_cache.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/layout.h"

namespace pontoon::kv {
namespace {

constexpr size_t kPlenty = 1 << 20;

// Records in memory, that count how often they are asked, and can be told to fail.
class CountingRecords : public RecordReader {
 public:
  std::map<std::string, std::string, std::less<>> records;
  absl::Status failure;
  mutable int lookups = 0;

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override {
    ++lookups;
    if (!failure.ok()) return failure;
    auto found = records.find(key);
    if (found == records.end()) return false;
    *value = found->second;
    return true;
  }

  std::unique_ptr<RecordIterator> NewIterator() const override { return nullptr; }
};

std::string Text(const absl::StatusOr<bool>& exists, const std::string& value) {
  if (!exists.ok()) return std::string(exists.status().message());
  return *exists ? value : "(none)";
}

std::string Find(RecordCache& cache, const std::string& key) {
  std::string value;
  std::optional<bool> known = cache.Find(key, &value);
  return known.has_value() ? Text(*known, value) : "(not known)";
}

std::string Get(const RecordReader& records, const std::string& key) {
  std::string value;
  absl::StatusOr<bool> exists = records.Get(key, &value);
  return Text(exists, value);
}

TEST(RecordCacheTest, KnowsWhatWasNoted) {
  RecordCache cache(kPlenty);
  EXPECT_EQ(Find(cache, "a"), "(not known)");
  cache.Note("a", "1");
  cache.Note("b", std::nullopt);
  cache.Note("c", "");
  EXPECT_EQ(Find(cache, "a"), "1");
  EXPECT_EQ(Find(cache, "b"), "(none)");
  EXPECT_EQ(Find(cache, "c"), "");
}

TEST(RecordCacheTest, TheLastNoteCounts) {
  RecordCache cache(kPlenty);
  cache.Note("a", "1");
  cache.Note("a", "2");
  EXPECT_EQ(Find(cache, "a"), "2");
  cache.Note("a", std::nullopt);
  EXPECT_EQ(Find(cache, "a"), "(none)");
}

TEST(RecordCacheTest, ForgetsAll) {
  RecordCache cache(kPlenty);
  cache.Note("a", "1");
  cache.Note("b", std::nullopt);
  cache.ForgetAll();
  EXPECT_EQ(Find(cache, "a"), "(not known)");
  EXPECT_EQ(Find(cache, "b"), "(not known)");
  cache.Note("a", "2");
  EXPECT_EQ(Find(cache, "a"), "2");
}

TEST(RecordCacheTest, ItsMemoryIsBounded) {
  constexpr size_t kCapacity = 1 << 18;
  constexpr size_t kValueBytes = 1 << 10;
  RecordCache cache(kCapacity);
  size_t known = 0;
  for (int i = 0; i < 1000; ++i) cache.Note(absl::StrCat(i), std::string(kValueBytes, 'x'));
  for (int i = 0; i < 1000; ++i) {
    if (Find(cache, absl::StrCat(i)) != "(not known)") ++known;
  }
  EXPECT_LE(known, kCapacity / kValueBytes);
  EXPECT_GE(known, kCapacity / kValueBytes / 2);
  EXPECT_NE(Find(cache, "999"), "(not known)") << "the newest is the last to go";
}

TEST(CachedReaderTest, AsksOnceForTheRecordOfAKey) {
  CountingRecords base;
  base.records = {{CurrentKey("a"), "1"}};
  RecordCache cache(kPlenty);
  for (int i = 0; i < 3; ++i) {
    CachedReader reader(&base, &cache);
    EXPECT_EQ(Get(reader, CurrentKey("a")), "1");
    EXPECT_EQ(Get(reader, CurrentKey("b")), "(none)");
  }
  EXPECT_EQ(base.lookups, 2);
}

TEST(CachedReaderTest, OtherRecordsAreNotKept) {
  CountingRecords base;
  std::string event = EventKey({.main = Revision{7}});
  base.records = {{event, "a long value"}};
  RecordCache cache(kPlenty);
  CachedReader reader(&base, &cache);
  EXPECT_EQ(Get(reader, event), "a long value");
  base.records[event] = "changed without a note";
  EXPECT_EQ(Get(reader, event), "changed without a note");
}

TEST(CachedReaderTest, AFailureIsNotRemembered) {
  CountingRecords base;
  base.failure = absl::DataLossError("rot");
  RecordCache cache(kPlenty);
  CachedReader reader(&base, &cache);
  EXPECT_EQ(Get(reader, CurrentKey("a")), "rot");
  base.failure = absl::OkStatus();
  EXPECT_EQ(Get(reader, CurrentKey("a")), "(none)");
}

}  // namespace
}  // namespace pontoon::kv
