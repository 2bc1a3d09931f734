#include "cmd/pontoonctl/fence_flag.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::PutRequest;

class FenceFlagTest : public ::testing::Test {
 protected:
  void SetUp() override { SetLock("job/7", "12"); }

  // Null: it is not set.
  static void SetLock(const char* key, const char* token) {
    Set("PONTOON_LOCK_KEY", key);
    Set("PONTOON_LOCK_TOKEN", token);
  }

  // What the words make of a put.
  static absl::StatusOr<PutRequest> With(std::vector<std::string> words) {
    CLI::App app;
    FenceFlag flag;
    flag.DeclareOn(app);
    app.parse(std::move(words));
    PutRequest request;
    if (absl::Status s = flag.AddTo(&request); !s.ok()) return s;
    return request;
  }

 private:
  static void Set(const char* name, const char* value) {
    if (value == nullptr) {
      unsetenv(name);
    } else {
      setenv(name, value, /*overwrite=*/1);
    }
  }
};

TEST_F(FenceFlagTest, NothingIsSaidWithoutIt) {
  EXPECT_FALSE(With({})->has_write_options());
  SetLock(nullptr, nullptr);
  EXPECT_TRUE(With({}).ok());
}

TEST_F(FenceFlagTest, TheFenceIsTheLockUnderWhichTheCommandRuns) {
  EXPECT_EQ(With({"--fence"})->write_options().ShortDebugString(),
            "fence { key: \"job/7\" create_revision: 12 }");
}

TEST_F(FenceFlagTest, WithoutALockItIsAMistake) {
  const std::pair<const char*, const char*> kLocks[] = {
      {nullptr, nullptr}, {"job/7", nullptr}, {nullptr, "12"}, {"", "12"},
      {"job/7", ""},      {"job/7", "x"},     {"job/7", "0"},  {"job/7", "-1"}};
  for (const auto& [key, token] : kLocks) {
    SetLock(key, token);
    EXPECT_EQ(With({"--fence"}).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace pontoon::ctl
