#include "raft/storage/log_format.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace pontoon::raft {
namespace {

constexpr FramePlace kPlace{.sequence = 3, .offset = 64};

SegmentHeader Header() {
  return {.sequence = 3, .previous = {LogIndex(499), Term(7)}, .start = SegmentStart::kContinues};
}

std::string FrameOf(const std::vector<std::string>& payloads, FrameHeader* header = nullptr) {
  std::vector<Entry> entries;
  for (const std::string& payload : payloads) {
    entries.push_back({.index = LogIndex(500 + entries.size()),
                       .term = Term(7),
                       .kind = EntryKind::kCommand,
                       .request = {},
                       .payload = std::make_shared<const std::string>(payload)});
  }
  std::vector<const Entry*> pointers;
  for (const Entry& entry : entries) pointers.push_back(&entry);
  std::string bytes;
  const FrameHeader encoded = EncodeFrame(kPlace, pointers, &bytes);
  if (header != nullptr) *header = encoded;
  return bytes;
}

TEST(SegmentFile, NameSaysSequenceAndFirstIndex) {
  EXPECT_EQ(SegmentFileName(Header()), "0000000000000003-00000000000001f4.log");
  EXPECT_TRUE(IsSegmentFileName("0000000000000003-00000000000001f4.log"));
  EXPECT_FALSE(IsSegmentFileName("0000000000000003-00000000000001f4.log.tmp"));
  EXPECT_FALSE(IsSegmentFileName("0000000000000003-00000000000001F4.log"));
  EXPECT_FALSE(IsSegmentFileName("0000000000000003.00000000000001f4.log"));
  EXPECT_FALSE(IsSegmentFileName("vote"));
  EXPECT_FALSE(IsSegmentFileName(""));
}

TEST(SegmentFile, DecodesTheHeaderThatItEncoded) {
  const std::string bytes = EncodeSegmentHeader(Header());
  EXPECT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(*DecodeSegmentHeader(bytes), Header());
  EXPECT_EQ(*DecodeSegmentHeader(bytes + "frames"), Header());
}

TEST(SegmentFile, RefusesEveryFlippedBitAndEveryPrefixOfTheHeader) {
  const std::string bytes = EncodeSegmentHeader(Header());
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i / 8] ^= static_cast<char>(1 << (i % 8));
    EXPECT_EQ(DecodeSegmentHeader(flipped).status().code(), absl::StatusCode::kDataLoss) << i;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSegmentHeader(bytes.substr(0, size)).ok());
  }
}

TEST(Frame, DecodesWhatItEncoded) {
  FrameHeader encoded;
  const std::string bytes = FrameOf({"a", "", "ccc"}, &encoded);
  const std::string longer = bytes + "more";
  const auto frame = DecodeFrame(kPlace, longer);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header.first, LogIndex(500));
  EXPECT_EQ(frame->header.last(), LogIndex(502));
  EXPECT_EQ(frame->header.FrameBytes(), bytes.size());
  EXPECT_EQ(encoded.FrameBytes(), bytes.size());
  std::vector<std::string> payloads;
  ASSERT_TRUE(ForEachEntry(*frame, [&](const EntryView& entry) {
                payloads.emplace_back(entry.payload);
              }).ok());
  EXPECT_EQ(payloads, (std::vector<std::string>{"a", "", "ccc"}));
}

TEST(Frame, IsAlwaysAligned) {
  for (size_t length = 0; length < 20; ++length) {
    const std::string bytes = FrameOf({std::string(length, 'x')});
    EXPECT_EQ(bytes.size() % kFrameAlignment, 0u);
    EXPECT_EQ(bytes.size(), FrameBytesFor(kEntryHeaderBytes + length));
  }
}

TEST(Frame, RefusesEveryFlippedBitPaddingIncludedAndEveryPrefix) {
  const std::string bytes = FrameOf({"hello"});
  ASSERT_NE(kFrameHeaderBytes + kEntryHeaderBytes + 5, bytes.size()) << "there is padding";
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i / 8] ^= static_cast<char>(1 << (i % 8));
    EXPECT_EQ(DecodeFrame(kPlace, flipped).status().code(), absl::StatusCode::kDataLoss) << i;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeFrame(kPlace, bytes.substr(0, size)).ok());
  }
}

TEST(Frame, IsValidInItsPlaceOnly) {
  const std::string bytes = FrameOf({"hello"});
  EXPECT_TRUE(DecodeFrame(kPlace, bytes).ok());
  EXPECT_FALSE(DecodeFrame({.sequence = 3, .offset = 72}, bytes).ok());
  EXPECT_FALSE(DecodeFrame({.sequence = 4, .offset = 64}, bytes).ok());
}

TEST(Frame, EntriesMustBeWhatTheHeaderPromises) {
  const std::string bytes = FrameOf({"a", "b"});
  const auto visit = [](const EntryView&) {};
  Frame frame = *DecodeFrame(kPlace, bytes);
  EXPECT_TRUE(ForEachEntry(frame, visit).ok());
  frame.header.entry_count = 1;
  EXPECT_FALSE(ForEachEntry(frame, visit).ok()) << "bytes left over";
  frame.header.entry_count = 3;
  EXPECT_FALSE(ForEachEntry(frame, visit).ok()) << "an entry is missing";
  frame.header.entry_count = 2;
  frame.header.first = LogIndex(499);
  EXPECT_FALSE(ForEachEntry(frame, visit).ok()) << "other entries";
  frame.header.first = LogIndex(500);
  frame.header.version = 2;
  EXPECT_FALSE(ForEachEntry(frame, visit).ok()) << "of a version to come";
}

TEST(IsZero, SeesEveryByte) {
  EXPECT_TRUE(IsZero(""));
  EXPECT_TRUE(IsZero(std::string(9, '\0')));
  for (size_t i = 0; i < 9; ++i) {
    std::string bytes(9, '\0');
    bytes[i] = 1;
    EXPECT_FALSE(IsZero(bytes)) << i;
  }
}

}  // namespace
}  // namespace pontoon::raft
