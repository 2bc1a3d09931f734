#include "raft/storage/entry_codec.h"

#include <gtest/gtest.h>

#include <memory>

#include "raft/storage/little_endian.h"

namespace pontoon::raft {
namespace {

Entry Command(std::string payload) {
  return Entry{.index = LogIndex(7),
               .term = Term(3),
               .kind = EntryKind::kCommand,
               .request = {.origin = NodeId(2), .sequence = 99},
               .payload = std::make_shared<const std::string>(std::move(payload))};
}

std::string Encoded(const Entry& entry) {
  std::string bytes;
  EncodeEntry(entry, &bytes);
  EXPECT_EQ(bytes.size(), EncodedEntryBytes(entry));
  return bytes;
}

// The bytes of a command with the field at `offset` replaced.
template <typename T>
std::string With(size_t offset, T value) {
  std::string bytes = Encoded(Command("hello"));
  std::string field;
  AppendLittleEndian(value, &field);
  return bytes.replace(offset, field.size(), field);
}

bool Decodes(absl::string_view bytes) {
  const absl::string_view before = bytes;
  const absl::StatusOr<EntryView> entry = DecodeEntry(&bytes);
  if (entry.ok()) return true;
  EXPECT_EQ(entry.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(bytes.data(), before.data());
  EXPECT_EQ(bytes.size(), before.size());
  return false;
}

TEST(EntryCodec, DecodesWhatItEncoded) {
  const std::string bytes = Encoded(Command("hello")) + Encoded(Command(""));
  absl::string_view input = bytes;
  const Entry entry = DecodeEntry(&input)->ToEntry();
  EXPECT_EQ(entry.index, LogIndex(7));
  EXPECT_EQ(entry.term, Term(3));
  EXPECT_EQ(entry.kind, EntryKind::kCommand);
  EXPECT_EQ(entry.request, (RequestId{NodeId(2), 99}));
  EXPECT_EQ(*entry.payload, "hello");
  EXPECT_EQ(*DecodeEntry(&input)->ToEntry().payload, "") << "an empty command is not no command";
  EXPECT_TRUE(input.empty());
}

TEST(EntryCodec, ANoOpHasNoPayload) {
  const std::string bytes = Encoded(Entry{.index = LogIndex(1),
                                          .term = Term(1),
                                          .kind = EntryKind::kNoOp,
                                          .request = {},
                                          .payload = nullptr});
  absl::string_view input = bytes;
  const Entry entry = DecodeEntry(&input)->ToEntry();
  EXPECT_EQ(entry.kind, EntryKind::kNoOp);
  EXPECT_EQ(entry.payload, nullptr);
}

TEST(EntryCodec, AMembershipComesBackAsItWas) {
  Entry membership = Command("any bytes");
  membership.kind = EntryKind::kMembership;
  const std::string bytes = Encoded(membership);
  absl::string_view input = bytes;
  const Entry entry = DecodeEntry(&input)->ToEntry();
  EXPECT_EQ(entry.kind, EntryKind::kMembership);
  EXPECT_EQ(entry.request, membership.request);
  EXPECT_EQ(*entry.payload, "any bytes");
}

// The layout is on the disks of clusters: a change of it needs a new frame version.
TEST(EntryCodec, TheLayoutIsFixed) {
  const std::string expected =
      std::string("\x07\0\0\0\0\0\0\0", 8) + std::string("\x03\0\0\0\0\0\0\0", 8) +
      std::string("\x02\0\0\0\0\0\0\0", 8) + std::string("\x63\0\0\0\0\0\0\0", 8) +
      std::string("\x05\0\0\0", 4) + std::string("\x01\0\0\0", 4) + "hello";
  EXPECT_EQ(Encoded(Command("hello")), expected);
}

TEST(EntryCodec, RefusesFieldsOutOfRange) {
  EXPECT_TRUE(Decodes(With<uint64_t>(0, UINT64_MAX - 1)));
  EXPECT_FALSE(Decodes(With<uint64_t>(0, 0))) << "index";
  EXPECT_FALSE(Decodes(With<uint64_t>(0, UINT64_MAX))) << "index";
  EXPECT_FALSE(Decodes(With<uint64_t>(8, 0))) << "term";
  EXPECT_FALSE(Decodes(With<uint64_t>(8, UINT64_MAX))) << "term";
  EXPECT_FALSE(Decodes(With<uint32_t>(32, 6))) << "length";
  EXPECT_FALSE(Decodes(With<uint32_t>(32, UINT32_MAX))) << "length";
  EXPECT_FALSE(Decodes(With<uint8_t>(36, 0))) << "no-op with a payload";
  EXPECT_FALSE(Decodes(With<uint8_t>(36, 3))) << "kind";
  std::string membership = Encoded(Command(""));
  membership[36] = 2;
  EXPECT_FALSE(Decodes(membership)) << "membership without a payload";
  EXPECT_FALSE(Decodes(With<uint8_t>(37, 1))) << "zeros";
}

TEST(EntryCodec, RefusesEveryPrefix) {
  const std::string bytes = Encoded(Command("hello"));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(Decodes(bytes.substr(0, size)));
}

}  // namespace
}  // namespace pontoon::raft
