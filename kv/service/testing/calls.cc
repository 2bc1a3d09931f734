#include "kv/service/testing/calls.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pontoon::kv {

testing::AssertionResult Failed(const grpc::Status& status, const ApiError& error) {
  if (static_cast<int>(status.error_code()) == static_cast<int>(error.code) &&
      status.error_message() == error.text) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "got " << status.error_code() << " \"" << status.error_message() << "\"";
}

testing::AssertionResult RefusedForItsFence(const grpc::Status& status) {
  return Failed(status,
                {absl::StatusCode::kInvalidArgument,
                 "pontoon: only Put, DeleteRange and Txn take metadata under pontoon-once- and "
                 "pontoon-fence-; this call would not heed it"});
}

std::unique_ptr<KvStore> OpenFreshStore(const StoreOptions& options, const std::string& name) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string dir =
      absl::StrCat(testing::TempDir(), "/", test.test_suite_name(), "-", test.name(), "-", name);
  std::filesystem::remove_all(dir);  // of an earlier run
  auto store = KvStore::Open(dir, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

}  // namespace pontoon::kv
