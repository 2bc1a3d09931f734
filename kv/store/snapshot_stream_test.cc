#include "kv/store/snapshot_stream.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/store/layout.h"
#include "raft/base/prng.h"
#include "raft/env/crc32c.h"

namespace pontoon::kv {
namespace {

using Records = std::map<std::string, std::string>;

constexpr LogPosition kPosition{LogIndex(7), Term(3)};
constexpr size_t kHeaderBytes = 8 + 3 * 8 + 8;  // with its checksum

std::string TakeAll(SnapshotStreamWriter* writer) { return writer->Take(writer->ready_bytes()); }

std::string StreamOf(const Records& records) {
  SnapshotStreamWriter writer(kPosition);
  for (const auto& [key, value] : records) writer.Add(key, value);
  writer.End();
  return TakeAll(&writer);
}

// A stream with a block for each record.
struct Parts {
  std::string header;
  std::vector<std::string> blocks;
  std::string end;

  std::string Join(const std::vector<size_t>& chosen) const {
    std::string stream = header;
    for (size_t i : chosen) stream += blocks[i];
    return stream + end;
  }
};

Parts PartsOf(const std::vector<char>& keys) {
  Parts parts;
  SnapshotStreamWriter writer(kPosition);
  parts.header = TakeAll(&writer);
  for (char key : keys) {
    writer.Add(std::string(1, key), std::string(kSnapshotBlockBytes, key));
    parts.blocks.push_back(TakeAll(&writer));
  }
  writer.End();
  parts.end = TakeAll(&writer);
  return parts;
}

struct Outcome {
  absl::Status status;
  Records records;
};

// Reads a stream, given in pieces of at most `piece_bytes`.
Outcome ReadStream(std::string_view stream, size_t piece_bytes = SIZE_MAX,
                   LogPosition position = kPosition) {
  Outcome outcome;
  SnapshotStreamReader reader(position);
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, piece_bytes);
    stream.remove_prefix(piece.size());
    absl::Status status = reader.Read(piece, [&](std::string_view key, std::string_view value) {
      EXPECT_TRUE(outcome.records.emplace(key, value).second);
    });
    if (!status.ok()) {
      EXPECT_EQ(reader.Finish(), status) << "an error lasts";
      outcome.status = status;
      return outcome;
    }
  }
  outcome.status = reader.Finish();
  return outcome;
}

void ExpectDamaged(std::string_view stream, const std::string& what) {
  const Outcome outcome = ReadStream(stream);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kDataLoss) << what;
}

std::string RandomBytes(Prng* random, size_t bytes) {
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random->Next());
  return text;
}

TEST(SnapshotStreamTest, NoRecordsAreAStreamToo) {
  const Outcome outcome = ReadStream(StreamOf({}));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_TRUE(outcome.records.empty());
}

TEST(SnapshotStreamTest, RandomRecordsArriveAsTheyWere) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Prng random(seed);
    Records records;
    for (uint64_t n = random.Below(400); n > 0; --n) {
      const size_t value_bytes = random.Below(50) == 0 ? random.Below(200000) : random.Below(100);
      records[RandomBytes(&random, 1 + random.Below(200))] = RandomBytes(&random, value_bytes);
    }
    SnapshotStreamWriter writer(kPosition);
    std::string stream;
    for (const auto& [key, value] : records) {
      writer.Add(key, value);
      if (random.Below(3) == 0) stream += writer.Take(random.Below(100000));
    }
    EXPECT_FALSE(writer.ended());
    writer.End();
    EXPECT_TRUE(writer.ended());
    while (writer.ready_bytes() > 0) {
      const size_t bytes_max = 1 + random.Below(100000);
      const std::string bytes = writer.Take(bytes_max);
      EXPECT_LE(bytes.size(), bytes_max);
      stream += bytes;
    }
    const Outcome outcome = ReadStream(stream, 1 + random.Below(100000));
    ASSERT_TRUE(outcome.status.ok()) << seed << ": " << outcome.status;
    ASSERT_EQ(outcome.records, records) << seed;
  }
}

TEST(SnapshotStreamTest, BytesMayComeOneByOne) {
  const Records records = {{"a", "1"}, {"b", ""}, {"c", "3"}};
  const Outcome outcome = ReadStream(StreamOf(records), 1);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.records, records);
}

TEST(SnapshotStreamTest, ReadyBytesAreTakenInPieces) {
  const std::string value(10 * kSnapshotBlockBytes, 'x');
  SnapshotStreamWriter writer(kPosition);
  writer.Add("a", value);
  const size_t ready = writer.ready_bytes();
  EXPECT_GT(ready, value.size()) << "a large record closes its block";
  EXPECT_EQ(writer.Take(100).size(), 100u);
  EXPECT_EQ(writer.ready_bytes(), ready - 100);
  writer.Add("b", "1");
  EXPECT_EQ(writer.ready_bytes(), ready - 100) << "a small one waits for more";
}

TEST(SnapshotStreamTest, EveryCutIsSeen) {
  const std::string stream = StreamOf({{"a", "1"}, {"b", "22"}});
  for (size_t bytes = 0; bytes < stream.size(); ++bytes) {
    ExpectDamaged(stream.substr(0, bytes), absl::StrCat("cut at ", bytes));
  }
}

TEST(SnapshotStreamTest, EveryChangedBitIsSeen) {
  const std::string stream = StreamOf({{"a", "1"}, {"b", "22"}});
  for (size_t at = 0; at < stream.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = stream;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ExpectDamaged(changed, absl::StrCat("byte ", at, " bit ", bit));
    }
  }
}

TEST(SnapshotStreamTest, BytesAfterTheEndAreDamage) {
  ExpectDamaged(StreamOf({{"a", "1"}}) + std::string(1, '\0'), "one more");
}

TEST(SnapshotStreamTest, ABlockIsNeitherMissingNorRepeatedNorMoved) {
  const Parts parts = PartsOf({'a', 'b', 'c'});
  ASSERT_TRUE(ReadStream(parts.Join({0, 1, 2})).status.ok());
  for (const std::vector<size_t>& chosen : std::vector<std::vector<size_t>>{
           {}, {0, 1}, {1, 2}, {0, 2}, {0, 0, 1, 2}, {0, 1, 2, 2}, {1, 0, 2}}) {
    ExpectDamaged(parts.Join(chosen), testing::PrintToString(chosen));
  }
}

TEST(SnapshotStreamTest, ABlockOfAnotherStreamIsDamage) {
  Parts parts = PartsOf({'a', 'b'});
  parts.blocks[1] = PartsOf({'0', 'b'}).blocks[1];
  ExpectDamaged(parts.Join({0, 1}), "its checksum goes on from another one");
}

TEST(SnapshotStreamTest, AnotherPositionIsRefused) {
  const std::string stream = StreamOf({});
  for (LogPosition position : {LogPosition{LogIndex(8), Term(3)}, LogPosition{LogIndex(7), Term(2)},
                               LogPosition{LogIndex(6), Term(3)}}) {
    const absl::Status status = ReadStream(stream, SIZE_MAX, position).status;
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(absl::StrContains(status.message(), "entry 7 of term 3")) << status;
  }
}

TEST(SnapshotStreamTest, AnotherVersionIsNamed) {
  std::string stream = StreamOf({});
  stream[15] = 9;
  const absl::Status status = ReadStream(stream).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), "version 9")) << status;
}

// What a writer never makes, but with checksums that fit.
class ForgedStream {
 public:
  ForgedStream() : bytes_(PartsOf({}).header) {
    crc_ = Crc32c({bytes_.data(), kHeaderBytes - sizeof(uint64_t)});
  }

  ForgedStream& Part(const std::string& part) {
    crc_ = ExtendCrc32c(crc_, part);
    bytes_ += part;
    AppendFixed64(crc_, &bytes_);
    return *this;
  }
  ForgedStream& Block(const std::string& payload) {
    std::string part(1, '\1');
    AppendFixed64(payload.size(), &part);
    return Part(part + payload);
  }
  ForgedStream& End(uint64_t records, uint64_t record_bytes) {
    std::string part(1, '\2');
    AppendFixed64(records, &part);
    AppendFixed64(record_bytes, &part);
    return Part(part);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  uint32_t crc_;
};

TEST(SnapshotStreamTest, WhatAWriterNeverMakesIsRefused) {
  const std::string a = std::string("\1a\1", 3) + "1";
  const std::string b = std::string("\1b\1", 3) + "2";
  ASSERT_TRUE(ReadStream(ForgedStream().Block(a + b).End(2, 4).bytes()).status.ok());
  struct Row {
    const char* what;
    std::string stream;
  };
  for (const Row& row : {
           Row{"a record is missing", ForgedStream().Block(a).End(2, 4).bytes()},
           Row{"other bytes than said", ForgedStream().Block(a + b).End(2, 5).bytes()},
           Row{"out of order", ForgedStream().Block(b + a).End(2, 4).bytes()},
           Row{"out of order in two blocks", ForgedStream().Block(b).Block(a).End(2, 4).bytes()},
           Row{"the same key twice", ForgedStream().Block(a + a).End(2, 4).bytes()},
           Row{"an empty key", ForgedStream().Block(std::string("\0\1x", 3)).End(1, 1).bytes()},
           Row{"a record that is cut", ForgedStream().Block(a + "\1b\2x").End(2, 4).bytes()},
           Row{"a key larger than its block", ForgedStream().Block("\177a").End(1, 1).bytes()},
           Row{"no value", ForgedStream().Block("\1a").End(1, 1).bytes()},
           Row{"a part of another kind", ForgedStream().Part("\3").End(0, 0).bytes()},
       }) {
    ExpectDamaged(row.stream, row.what);
  }
}

TEST(SnapshotStreamTest, ATooLargeBlockIsRefusedAtItsHead) {
  for (uint64_t size : {uint64_t{kSnapshotBlockBytesMax} + 1, ~uint64_t{0}}) {
    std::string stream = PartsOf({}).header + "\1";
    AppendFixed64(size, &stream);
    const absl::Status status = ReadStream(stream).status;
    EXPECT_TRUE(absl::StrContains(status.message(), "too large")) << status;
  }
}

// Whatever the bytes, the reader ends with an error, and hands out nothing that was not written.
TEST(SnapshotStreamTest, ManyChangesAtOnce) {
  Prng random(1);
  Records records;
  for (int i = 0; i < 50; ++i) records[absl::StrCat("key-", i)] = RandomBytes(&random, 3000);
  const std::string stream = StreamOf(records);
  for (int round = 0; round < 300; ++round) {
    std::string changed = stream;
    for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
      const size_t at = random.Below(changed.size());
      switch (random.Below(3)) {
        case 0:
          changed[at] = static_cast<char>(changed[at] + 1 + random.Below(255));
          break;
        case 1:
          changed.erase(at, 1 + random.Below(5000));
          break;
        default:
          changed.insert(at, RandomBytes(&random, 1 + random.Below(5000)));
      }
    }
    if (changed == stream) continue;
    const Outcome outcome = ReadStream(changed, 1 + random.Below(20000));
    ASSERT_EQ(outcome.status.code(), absl::StatusCode::kDataLoss) << round;
    ASSERT_TRUE(std::includes(records.begin(), records.end(), outcome.records.begin(),
                              outcome.records.end()))
        << round;
  }
}

}  // namespace
}  // namespace pontoon::kv
