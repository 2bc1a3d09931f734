#include "kv/service/snapshot_file.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace pontoon::kv {
namespace {

// Gives the bytes it was made with.
class TextSource final : public SnapshotSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}

  LogPosition position() const override { return {}; }
  absl::StatusOr<std::string> Read(size_t bytes_max) override {
    if (text_ == "damaged") return absl::DataLossError(text_);
    std::string bytes = text_.substr(0, bytes_max);
    text_.erase(0, bytes.size());
    return bytes;
  }

 private:
  std::string text_;
};

SnapshotFile FileOf(const std::string& text) {
  return SnapshotFile(std::make_unique<TextSource>(text));
}

std::string Sha256(const std::string& bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

TEST(SnapshotFileTest, IsThePaddedStreamAndItsChecksum) {
  for (const size_t size : {0, 1, 511, 512, 513, 1024, 5000}) {
    std::string text(size, 'x');
    SnapshotFile file = FileOf(text);
    std::string bytes;
    for (;;) {
      const auto piece = file.Read(1024);
      ASSERT_TRUE(piece.ok());
      if (piece->empty()) break;
      EXPECT_LE(piece->size(), 1024u);
      bytes += *piece;
      EXPECT_EQ(file.bytes_read(), bytes.size());
    }
    text.resize((size + 511) / 512 * 512, '\0');
    EXPECT_EQ(bytes, text);
    EXPECT_EQ(file.TakeChecksum(), Sha256(text));
  }
}

TEST(SnapshotFileTest, TheErrorIsTheSources) {
  SnapshotFile file = FileOf("damaged");
  EXPECT_EQ(file.Read(512).status(), absl::DataLossError("damaged"));
}

}  // namespace
}  // namespace pontoon::kv
