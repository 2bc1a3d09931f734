// The dependency rules of docs/architecture.md, held against what the sources include. Bazel's
// visibility keeps whole targets apart; this also sees the headers of the system and of libraries.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pontoon::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The files of a part of the project.
enum class Files { kAll, kWithoutTests };

struct Rule {
  std::string name;
  std::string folder;
  Files files = Files::kAll;
  // What may not be included: beginnings of what stands between the quotes or brackets.
  std::vector<std::string> forbidden = {};
  // Of these, what may be included all the same.
  std::vector<std::string> exceptions = {};
  // If not empty: all of the project's own headers that may be included, likewise.
  std::vector<std::string> own_allowed = {};
};

// Time, threads, locks, chance, disks and networks; and containers without a fixed order.
constexpr char kTheOutsideWorld[] =
    "thread mutex shared_mutex condition_variable future atomic semaphore barrier latch stop_token "
    "chrono ctime time.h random sys/ unistd.h fcntl.h pthread.h fstream filesystem unordered_map "
    "unordered_set absl/container/flat_hash absl/container/node_hash absl/random/ "
    "absl/synchronization/ absl/time/clock.h google/protobuf/ grpc leveldb/ openssl/ spdlog/";

std::vector<Rule> Rules() {
  return {
      {.name = "BaseKnowsOnlyItsOwnFormat",
       .folder = "raft/base",
       .own_allowed = {"raft/base/", "proto/membership.pb.h"}},
      {.name = "CoreIsPure",
       .folder = "raft/core",
       .files = Files::kWithoutTests,
       .forbidden = absl::StrSplit(kTheOutsideWorld, ' '),
       .own_allowed = {"raft/base/", "raft/core/"}},
      {.name = "EnvKnowsOnlyBase",
       .folder = "raft/env",
       .forbidden = {"grpc", "google/protobuf/", "leveldb/"},
       .own_allowed = {"raft/base/", "raft/env/"}},
      {.name = "StorageKnowsBaseAndEnv",
       .folder = "raft/storage",
       .files = Files::kWithoutTests,
       .forbidden = {"grpc", "leveldb/", "thread", "chrono", "fcntl.h", "unistd.h", "fstream"},
       .own_allowed = {"raft/base/", "raft/env/", "raft/storage/"}},
      {.name = "TransportDoesNotKnowNodeNorStorage",
       .folder = "raft/transport",
       .forbidden = {"leveldb/", "raft/node/", "raft/storage/", "kv/", "cmd/"}},
      {.name = "NodeKnowsNoStateMachine",
       .folder = "raft/node",
       .forbidden = {"grpc", "leveldb/", "kv/", "cmd/", "proto/"}},
      {.name = "RaftDoesNotKnowItsUsers", .folder = "raft", .forbidden = {"kv/", "cmd/", "tests/"}},
      {.name = "StoreKnowsNoRaftButBase",
       .folder = "kv/store",
       .files = Files::kWithoutTests,
       .forbidden = {"grpc", "raft/core/", "raft/node/", "raft/transport/", "raft/storage/",
                     "kv/service/", "cmd/"}},
      {.name = "ServicesDoNotKnowDiskNorPeers",
       .folder = "kv/service",
       .files = Files::kWithoutTests,
       .forbidden = {"leveldb/", "raft/transport/", "raft/storage/", "cmd/"}},
      {.name = "ReadsDoNotKnowDiskNorServices",
       .folder = "kv/read",
       .files = Files::kWithoutTests,
       .forbidden = {"leveldb/", "raft/transport/", "raft/storage/", "kv/service/", "cmd/"}},
      {.name = "LeasesDoNotKnowDiskNorRaftsPeers",
       .folder = "kv/lease",
       .files = Files::kWithoutTests,
       .forbidden = {"leveldb/", "raft/transport/", "raft/storage/", "kv/lock/", "kv/monitor/"}},
      {.name = "LocksDoNotKnowDiskNorPeers",
       .folder = "kv/lock",
       .files = Files::kWithoutTests,
       .forbidden = {"leveldb/", "raft/transport/", "raft/storage/", "kv/monitor/"}},
      {.name = "WatchesDoNotKnowDiskNorPeers",
       .folder = "kv/watch",
       .files = Files::kWithoutTests,
       .forbidden = {"leveldb/", "raft/core/", "raft/transport/", "raft/storage/", "kv/lease/",
                     "kv/lock/", "kv/monitor/"}},
      // It is linked into programs that have nothing else of Pontoon.
      {.name = "ClientKnowsNoServer",
       .folder = "kv/client",
       .own_allowed = {"kv/client/", "kv/errors.h", "proto/kv.pb.h", "proto/pontoon.pb.h",
                       "proto/rpc.pb.h", "proto/rpc.grpc.pb.h", "raft/base/check.h",
                       "raft/base/instant.h", "raft/base/prng.h", "raft/env/clock.h",
                       "raft/env/crc32c.h", "raft/env/executor.h"}},
      {.name = "KvDoesNotKnowItsUsers", .folder = "kv", .forbidden = {"cmd/", "tests/"}},
      {.name = "ToolKnowsNoServer",
       .folder = "cmd/pontoonctl",
       .files = Files::kWithoutTests,
       .forbidden = {"raft/core/", "raft/node/", "raft/storage/", "raft/transport/", "kv/store/",
                     "leveldb/", "cmd/pontoon/"},
       // The formats: it looks into snapshots. And the way from one to a member's folder.
       .exceptions = {"kv/store/layout.h", "kv/store/meta.h", "kv/store/meta_records.h",
                      "kv/store/snapshot_stream.h", "cmd/pontoon/restore.h",
                      "cmd/pontoon/settings.h"}},
  };
}

// Bazel links the files of this test's data to where they really are; from the BUILD file beside
// this source the whole tree can be found.
fs::path SourceRoot() {
  return fs::canonical("tests/integration/BUILD.bazel").parent_path().parent_path().parent_path();
}

bool IsSource(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

// Tests, and what is only for them.
bool IsForTests(const fs::path& path) {
  const std::string name = path.stem();
  return name.ends_with("_test") || name.ends_with("_harness") || name.starts_with("test_") ||
         absl::StrContains(path.string(), "/testing/");
}

// What the lines of a source include, without the quotes or brackets.
std::vector<std::string> Includes(std::istream& source) {
  static const std::regex include(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)re");
  std::vector<std::string> names;
  std::smatch match;
  for (std::string line; std::getline(source, line);) {
    if (std::regex_match(line, match, include)) names.push_back(match[1]);
  }
  return names;
}

bool BeginsWithAny(const std::string& name, const std::vector<std::string>& beginnings) {
  for (const std::string& beginning : beginnings) {
    // A name without a slash or a dot stands for one header of the library.
    const bool whole = beginning.find_first_of("/.") == std::string::npos && beginning != "grpc";
    if (whole ? name == beginning : name.starts_with(beginning)) return true;
  }
  return false;
}

bool IsOwn(const std::string& name) {
  return BeginsWithAny(name, {"raft/", "kv/", "cmd/", "proto/", "tests/"});
}

// The includes in `root`/rule.folder that break the rule, as "file includes name".
std::vector<std::string> Violations(const fs::path& root, const Rule& rule) {
  std::vector<std::string> violations;
  for (const auto& entry : fs::recursive_directory_iterator(root / rule.folder)) {
    if (!IsSource(entry.path())) continue;
    if (rule.files == Files::kWithoutTests && IsForTests(entry.path())) continue;
    std::ifstream source(entry.path());
    for (const std::string& name : Includes(source)) {
      const bool foreign = !rule.own_allowed.empty() && IsOwn(name) && !IsForTests("/" + name) &&
                           !BeginsWithAny(name, rule.own_allowed);
      const bool forbidden =
          BeginsWithAny(name, rule.forbidden) && !BeginsWithAny(name, rule.exceptions);
      if (foreign || forbidden) {
        violations.push_back(
            absl::StrCat(entry.path().lexically_relative(root).string(), " includes ", name));
      }
    }
  }
  std::sort(violations.begin(), violations.end());
  return violations;
}

class LayeringTest : public ::testing::TestWithParam<Rule> {};

TEST_P(LayeringTest, Holds) {
  const fs::path root = SourceRoot();
  ASSERT_TRUE(fs::is_directory(root / GetParam().folder)) << root;
  EXPECT_THAT(Violations(root, GetParam()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Rules, LayeringTest, ::testing::ValuesIn(Rules()),
                         [](const auto& info) { return info.param.name; });

// Shows that the rules above can be broken.
class LayeringCheckTest : public ::testing::Test {
 protected:
  LayeringCheckTest() : root_(fs::path(::testing::TempDir()) / "layering") {
    fs::remove_all(root_);
    fs::create_directories(root_ / "raft/core/testing");
  }
  ~LayeringCheckTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(root_ / name) << content;
  }

  std::vector<std::string> CoreViolations() { return Violations(root_, Rules()[1]); }

  const fs::path root_;
};

TEST_F(LayeringCheckTest, FindsWhatIsForbidden) {
  Write("raft/core/a.h", "#include <vector>\n#include \"raft/base/types.h\"\n#include <thread>\n");
  Write("raft/core/b.cc", "  #  include \"raft/node/raft_node.h\"  // why\n");
  Write("raft/core/c.cc",
        "#include <grpcpp/grpcpp.h>\n#include \"absl/synchronization/mutex.h\"\n");
  EXPECT_THAT(CoreViolations(), ElementsAre("raft/core/a.h includes thread",
                                            "raft/core/b.cc includes raft/node/raft_node.h",
                                            "raft/core/c.cc includes absl/synchronization/mutex.h",
                                            "raft/core/c.cc includes grpcpp/grpcpp.h"));
}

TEST_F(LayeringCheckTest, LetsTestsDoAsTheyLike) {
  Write("raft/core/a_test.cc", "#include <thread>\n");
  Write("raft/core/testing/a.cc", "#include <fstream>\n");
  Write("raft/core/notes.txt", "#include <thread>\n");
  EXPECT_THAT(CoreViolations(), IsEmpty());
}

}  // namespace
}  // namespace pontoon::testing
