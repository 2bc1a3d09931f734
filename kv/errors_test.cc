#include "kv/errors.h"

#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace pontoon::kv {
namespace {

using CodeAndText = std::pair<int, std::string>;

std::vector<CodeAndText> ReadExpected() {
  std::ifstream file("kv/testdata/etcd_errors.txt");
  EXPECT_TRUE(file.is_open());
  std::vector<CodeAndText> expected;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find(' ');
    expected.emplace_back(std::stoi(line.substr(0, space)), line.substr(space + 1));
  }
  return expected;
}

TEST(ErrorsTest, AreEtcdsOwn) {
  std::vector<CodeAndText> actual;
  for (const ApiError& error : AllApiErrors()) {
    actual.emplace_back(static_cast<int>(error.code), std::string(error.text));
  }
  EXPECT_EQ(actual, ReadExpected());
  EXPECT_EQ(actual.size(), 63u);
}

TEST(ErrorsTest, TextsAreDistinct) {
  std::set<absl::string_view> texts;
  for (const ApiError& error : AllApiErrors()) texts.insert(error.text);
  EXPECT_EQ(texts.size(), AllApiErrors().size());
}

TEST(ErrorsTest, ConvertToStatus) {
  absl::Status status = kErrKeyNotFound;
  EXPECT_EQ(status, absl::InvalidArgumentError("etcdserver: key not found"));
  EXPECT_TRUE(Is(status, kErrKeyNotFound));
  EXPECT_FALSE(Is(status, kErrEmptyKey));
  EXPECT_FALSE(Is(absl::OkStatus(), kErrKeyNotFound));
}

}  // namespace
}  // namespace pontoon::kv
