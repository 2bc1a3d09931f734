#include "kv/store/write_overlay.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

// Records in memory, that can be told to fail.
class FakeRecords : public RecordReader {
 public:
  std::map<std::string, std::string, std::less<>> records;
  absl::Status failure;

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override {
    if (!failure.ok()) return failure;
    auto found = records.find(key);
    if (found == records.end()) return false;
    *value = found->second;
    return true;
  }

  std::unique_ptr<RecordIterator> NewIterator() const override {
    return std::make_unique<Iterator>(this);
  }

 private:
  class Iterator : public RecordIterator {
   public:
    explicit Iterator(const FakeRecords* parent) : parent_(parent), at_(parent->records.end()) {}
    bool Valid() const override { return parent_->failure.ok() && at_ != parent_->records.end(); }
    void Seek(std::string_view target) override { at_ = parent_->records.lower_bound(target); }
    void Next() override { ++at_; }
    std::string_view key() const override { return at_->first; }
    std::string_view value() const override { return at_->second; }
    absl::Status status() const override { return parent_->failure; }

   private:
    const FakeRecords* parent_;
    std::map<std::string, std::string, std::less<>>::const_iterator at_;
  };
};

std::string Get(const RecordReader& records, const std::string& key) {
  std::string value;
  return *records.Get(key, &value) ? value : "(none)";
}

std::string From(const RecordReader& records, const std::string& target) {
  std::string all;
  auto iterator = records.NewIterator();
  for (iterator->Seek(target); iterator->Valid(); iterator->Next()) {
    absl::StrAppend(&all, std::string(iterator->key()), "=", std::string(iterator->value()), " ");
  }
  EXPECT_TRUE(iterator->status().ok());
  return all;
}

std::string Changes(const WriteOverlay& overlay) {
  std::string all;
  overlay.ForEach([&](std::string_view key, std::optional<std::string_view> value) {
    absl::StrAppend(&all, std::string(key), value.has_value() ? "=" : "-",
                    std::string(value.value_or("")), " ");
  });
  return all;
}

TEST(WriteOverlayTest, ReadsThroughToTheBase) {
  FakeRecords base;
  base.records = {{"a", "1"}, {"b", "2"}};
  WriteOverlay overlay(&base);
  EXPECT_EQ(Get(overlay, "a"), "1");
  EXPECT_EQ(Get(overlay, "x"), "(none)");
  EXPECT_EQ(From(overlay, ""), "a=1 b=2 ");
}

TEST(WriteOverlayTest, ChangesHideTheBase) {
  FakeRecords base;
  base.records = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "5"}};
  WriteOverlay overlay(&base);
  overlay.Put("b", "new");
  overlay.Delete("c");
  overlay.Delete("absent");
  overlay.Put("d", "4");
  overlay.Delete("e");
  overlay.Put("f", "6");
  EXPECT_EQ(Get(overlay, "b"), "new");
  EXPECT_EQ(Get(overlay, "c"), "(none)");
  EXPECT_EQ(From(overlay, ""), "a=1 b=new d=4 f=6 ");
  EXPECT_EQ(From(overlay, "c"), "d=4 f=6 ");
  EXPECT_EQ(From(overlay, "g"), "");
  EXPECT_EQ(From(base, ""), "a=1 b=2 c=3 e=5 ") << "the base is not touched";
}

TEST(WriteOverlayTest, TheLastChangeOfAKeyCounts) {
  FakeRecords base;
  WriteOverlay overlay(&base);
  overlay.Put("a", "1");
  overlay.Delete("a");
  EXPECT_EQ(Get(overlay, "a"), "(none)");
  overlay.Put("a", "2");
  EXPECT_EQ(From(overlay, ""), "a=2 ");
  EXPECT_EQ(Changes(overlay), "a=2 ");
}

TEST(WriteOverlayTest, EachChangeIsVisitedInOrder) {
  FakeRecords base;
  base.records = {{"a", "1"}};
  WriteOverlay overlay(&base);
  overlay.Put("c", "3");
  overlay.Delete("b");
  overlay.Put("a", "");
  EXPECT_EQ(Changes(overlay), "a= b- c=3 ");
}

TEST(WriteOverlayTest, FailuresOfTheBaseAreSeen) {
  FakeRecords base;
  base.records = {{"a", "1"}};
  base.failure = absl::DataLossError("rot");
  WriteOverlay overlay(&base);
  overlay.Put("b", "2");
  std::string value;
  EXPECT_EQ(overlay.Get("a", &value).status(), base.failure);
  auto iterator = overlay.NewIterator();
  iterator->Seek("");
  EXPECT_FALSE(iterator->Valid()) << "the walk would skip what cannot be read";
  EXPECT_EQ(iterator->status(), base.failure);
}

TEST(WriteOverlayTest, MatchesAMapUnderRandomChanges) {
  Prng random(7);
  for (int round = 0; round < 200; ++round) {
    FakeRecords base;
    for (int i = 0; i < 10; ++i) base.records[std::string(1, 'a' + random.Below(26))] = "base";
    FakeRecords expected;
    expected.records = base.records;
    WriteOverlay overlay(&base);
    for (int i = 0; i < 15; ++i) {
      std::string key(1, static_cast<char>('a' + random.Below(26)));
      if (random.Below(2) == 0) {
        overlay.Put(key, absl::StrCat(i));
        expected.records[key] = absl::StrCat(i);
      } else {
        overlay.Delete(key);
        expected.records.erase(key);
      }
      std::string from(1, static_cast<char>('a' + random.Below(26)));
      ASSERT_EQ(From(overlay, from), From(expected, from));
    }
  }
}

}  // namespace
}  // namespace pontoon::kv
