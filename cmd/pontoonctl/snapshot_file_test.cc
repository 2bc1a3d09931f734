#include "cmd/pontoonctl/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "cmd/pontoonctl/sha256.h"
#include "kv/store/layout.h"
#include "kv/store/snapshot_stream.h"

namespace pontoon::ctl {
namespace {

using Format = SnapshotSummary::Format;
using ::testing::HasSubstr;

std::string WithDigest(const std::string& bytes) {
  Sha256 sha256;
  sha256.Add(bytes);
  return bytes + sha256.Finish();
}

// A snapshot of ours with `keys` keys of two versions each, filled up as docs/formats.md says.
std::string PontoonSnapshot(int keys) {
  std::map<std::string, std::string> records;
  const LogPosition position{LogIndex(7), Term(3)};
  for (const auto& record :
       {kv::FormatRecord(), kv::AppliedRecord(position), kv::DigestRecord(kv::StateDigest()),
        kv::RevisionRecord(kv::Revision(2 * keys + 1))}) {
    records.insert(record);
  }
  for (int i = 0; i < keys; ++i) {
    records[kv::CurrentKey("key" + std::to_string(i))] = "state";
    records[kv::EventKey({kv::Revision(2 * i + 2)})] = "event";
    records[kv::EventKey({kv::Revision(2 * i + 3)})] = std::string(1000, 'x');
  }
  kv::SnapshotStreamWriter writer(position);
  for (const auto& [key, value] : records) writer.Add(key, value);
  writer.End();
  std::string stream = writer.Take(writer.ready_bytes());
  stream.resize((stream.size() + 511) / 512 * 512, '\0');
  return WithDigest(stream);
}

absl::StatusOr<SnapshotSummary> Inspect(const std::string& bytes) {
  std::istringstream in(bytes);
  return InspectSnapshot(in, bytes.size());
}

TEST(SnapshotFile, OfPontoonShowsWhatIsInIt) {
  for (int keys : {0, 1, 5000}) {
    const std::string bytes = PontoonSnapshot(keys);
    const auto summary = Inspect(bytes);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->format, Format::kPontoon);
    EXPECT_EQ(summary->bytes, bytes.size());
    ASSERT_TRUE(summary->contents.has_value());
    EXPECT_EQ(summary->contents->keys, static_cast<uint64_t>(keys));
    EXPECT_EQ(summary->contents->versions, static_cast<uint64_t>(2 * keys));
    EXPECT_EQ(summary->contents->meta.revision, kv::Revision(2 * keys + 1));
    EXPECT_EQ(summary->contents->meta.applied, (LogPosition{LogIndex(7), Term(3)}));
  }
}

TEST(SnapshotFile, EveryByteOfOursCounts) {
  const std::string good = PontoonSnapshot(1);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(Inspect(bad).ok()) << "byte " << i;
  }
  // A digest that fits does not help what is cut off or damaged inside.
  const std::string stream = good.substr(0, good.size() - kSha256Bytes);
  const std::string unfilled = stream.substr(0, stream.find_last_not_of('\0') + 1);
  EXPECT_THAT(Inspect(WithDigest(unfilled.substr(0, unfilled.size() - 1))).status().message(),
              HasSubstr("cut off"));
  std::string filled_with_more = stream;
  filled_with_more.back() = 'x';
  EXPECT_THAT(Inspect(WithDigest(filled_with_more)).status().message(),
              HasSubstr("bytes after its end"));
  std::string damaged = stream;
  damaged[stream.size() / 2] ^= 1;
  EXPECT_EQ(Inspect(WithDigest(damaged)).status().code(), absl::StatusCode::kDataLoss);
}

// The head of a bbolt file: a page's head, the magic, and whatever.
TEST(SnapshotFile, OfEtcdIsToldAsSuch) {
  const std::string good =
      WithDigest(std::string(16, '\0') + "\xed\xda\x0c\xed" + std::string(5000, 'x'));
  const auto summary = Inspect(good);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->format, Format::kEtcd);
  EXPECT_FALSE(summary->contents.has_value());
  std::string bad = good;
  bad[4000] ^= 1;
  EXPECT_THAT(Inspect(bad).status().message(), HasSubstr("SHA-256 at its end is not that"));
}

TEST(SnapshotFile, OtherFilesAreNone) {
  for (const std::string& bytes : {std::string(), std::string("text"), std::string(5000, 'x')}) {
    EXPECT_EQ(Inspect(bytes).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace pontoon::ctl
