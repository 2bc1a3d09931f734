// What FOLLOWER reads show at members of which one is behind, without a session and with one, as
// docs/consistency.md tells it.

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/client/session_token.h"
#include "tests/integration/client.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/tool.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Of a read that is to be refused: shorter than the servers' patience.
constexpr absl::Duration kDeadline = absl::Seconds(2);

constexpr char kBehind[] = "pontoon: this member has come to revision ";

// What whoever got this answer has seen, as a text.
template <typename Response>
std::string TokenOf(const Answer<Response>& answer) {
  return EncodeSessionToken({.cluster_id = answer.response.header().cluster_id(),
                             .revision = answer.response.header().revision()});
}

std::string ValueIn(const Answer<RangeResponse>& answer) {
  if (!answer.ok()) return answer.status.error_message();
  return answer.response.kvs_size() == 1 ? answer.response.kvs(0).value() : "(none)";
}

// A leader, a follower that keeps up, and one that is delayed: it was away while the others wrote,
// and is back before it has heard from them, so that it serves what it had.
class SessionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    const absl::StatusOr<int> leader = cluster_.WaitForLeader();
    ASSERT_OK(leader);
    leader_ = *leader;
    fresh_ = (leader_ + 1) % cluster_.size();
    delayed_ = (leader_ + 2) % cluster_.size();
    ASSERT_OK(cluster_.client(leader_).Put("x", "old"));
    ASSERT_OK(cluster_.WaitForCatchUp(delayed_));
    ASSERT_OK(cluster_.Stop(delayed_));
  }

  // The delayed member serves, and hears of nobody until Heal.
  void BringDelayedBack() {
    cluster_.Pause(leader_);
    cluster_.Pause(fresh_);
    ASSERT_OK(cluster_.Start(delayed_));
    ASSERT_TRUE(cluster_.client(delayed_).WaitForConnected(Cluster::kPatience));
  }
  void Heal() {
    cluster_.Continue(leader_);
    cluster_.Continue(fresh_);
  }

  // A FOLLOWER read; with the token of a session, unless it is "".
  Answer<RangeResponse> Read(int node, const std::string& key, const std::string& token = "",
                             absl::Duration timeout = kDeadline) {
    Client client(cluster_.address(node), {.timeout = timeout});
    RangeRequest request;
    request.set_key(key);
    request.mutable_read_options()->set_consistency(pontoon::v1::ReadOptions::FOLLOWER);
    if (!token.empty()) {
      const auto session = DecodeSessionToken(token);
      EXPECT_OK(session);
      if (session.ok()) request.mutable_read_options()->set_min_revision(session->revision);
    }
    return client.Range(request);
  }

  // At the delayed member, before it has caught up: a read of the session is refused for want of
  // the revision; one with more time waits, and has `value` once the member has caught up.
  void ExpectThatTheSessionWaitsFor(const std::string& value, const std::string& key,
                                    const std::string& token) {
    const auto refused = Read(delayed_, key, token);
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(refused.status.error_message(), StartsWith(kBehind));
    auto waiting = std::async(std::launch::async,
                              [&] { return Read(delayed_, key, token, Cluster::kPatience); });
    Heal();
    const Answer<RangeResponse> answer = waiting.get();
    EXPECT_EQ(ValueIn(answer), value);
    EXPECT_GE(answer.response.header().revision(), DecodeSessionToken(token)->revision);
  }

  Cluster cluster_;
  int leader_ = 0;
  int fresh_ = 0;
  int delayed_ = 0;
};

TEST_F(SessionsTest, AReadAfterAWriteShowsIt) {
  const auto put = cluster_.client(leader_).Put("x", "new");
  ASSERT_OK(put);
  ASSERT_NO_FATAL_FAILURE(BringDelayedBack());

  EXPECT_EQ(ValueIn(Read(delayed_, "x")), "old") << "the anomaly";
  ExpectThatTheSessionWaitsFor("new", "x", TokenOf(put));
}

TEST_F(SessionsTest, ALaterReadShowsNoEarlierState) {
  ASSERT_OK(cluster_.client(leader_).Put("x", "new"));
  ASSERT_OK(cluster_.WaitForCatchUp(fresh_));
  const auto first = Read(fresh_, "x");
  ASSERT_EQ(ValueIn(first), "new");
  ASSERT_NO_FATAL_FAILURE(BringDelayedBack());

  const auto second = Read(delayed_, "x");
  EXPECT_EQ(ValueIn(second), "old") << "the anomaly";
  EXPECT_LT(second.response.header().revision(), first.response.header().revision());
  ExpectThatTheSessionWaitsFor("new", "x", TokenOf(first));
}

TEST_F(SessionsTest, WhoSeesAnEffectSeesItsCause) {
  // A writes x. B reads it, and therefore writes y.
  ASSERT_OK(cluster_.client(leader_).Put("x", "new"));
  ASSERT_OK(cluster_.WaitForCatchUp(fresh_));
  ASSERT_EQ(ValueIn(Read(fresh_, "x")), "new");
  const auto effect = cluster_.client(leader_).Put("y", "since x is new");
  ASSERT_OK(effect);
  // C reads y, and then x elsewhere.
  ASSERT_OK(cluster_.WaitForCatchUp(fresh_));
  ASSERT_EQ(ValueIn(Read(fresh_, "y")), "since x is new");
  ASSERT_NO_FATAL_FAILURE(BringDelayedBack());
  EXPECT_EQ(ValueIn(Read(delayed_, "x")), "old") << "the anomaly";

  // Whoever B hands its token to.
  ExpectThatTheSessionWaitsFor("new", "x", TokenOf(effect));
  EXPECT_EQ(ValueIn(Read(delayed_, "y", TokenOf(effect), Cluster::kPatience)), "since x is new");
}

// The same with pontoonctl, whose session is a file.
class SessionFilesTest : public SessionsTest {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() / name; }

  std::vector<std::string> At(int node, std::vector<std::string> words) {
    words.insert(words.begin(), {"--endpoints", cluster_.address(node)});
    return words;
  }
  CommandResult RunAt(int node, const std::vector<std::string>& words,
                      const std::string& input = "") {
    return RunTool(At(node, words), input);
  }

  // The revision of the session in a file; -1: it holds none.
  int64_t RevisionIn(const std::string& path) const {
    const std::string line = ReadFile(path);
    const auto token = DecodeSessionToken(line.substr(0, line.find('\n')));
    EXPECT_OK(token);
    return token.ok() ? token->revision : -1;
  }

  const TempFolder folder_;
};

TEST_F(SessionFilesTest, GoOnAtAnotherMemberAndOnAnotherMachine) {
  const std::string session = Path("session");
  const CommandResult put = RunAt(leader_, {"put", "x", "new", "--session", session});
  ASSERT_TRUE(put.ok()) << put.err;
  const int64_t written = RevisionIn(session);
  ASSERT_NO_FATAL_FAILURE(BringDelayedBack());

  const std::vector<std::string> get = {"get", "x", "--consistency", "follower",
                                        "--print-value-only"};
  EXPECT_EQ(RunAt(delayed_, get).out, "old\n") << "the anomaly";
  std::vector<std::string> get_in_session = get;
  get_in_session.insert(get_in_session.end(), {"--session", Path("copy")});
  std::filesystem::copy_file(session, Path("copy"));

  std::vector<std::string> hasty = get_in_session;
  hasty.insert(hasty.end(), {"--timeout", "2s"});
  const CommandResult refused = RunAt(delayed_, hasty);
  EXPECT_EQ(refused.exit, (ExitStatus{.code = 1}));
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr(kBehind));
  EXPECT_EQ(RevisionIn(Path("copy")), written);

  std::vector<std::string> patient = At(delayed_, get_in_session);
  patient.insert(patient.end(), {"--timeout", "60s"});
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<Process> waiting,
      Process::Start(
          {.argv = ToolCommand(patient), .stdout_path = Path("out"), .stderr_path = Path("err")}));
  Heal();
  EXPECT_EQ(waiting->WaitForExit(Cluster::kPatience), (ExitStatus{.code = 0}))
      << ReadFile(Path("err"));
  EXPECT_EQ(ReadFile(Path("out")), "new\n");
  EXPECT_GE(RevisionIn(Path("copy")), written);
}

TEST_F(SessionFilesTest, AreKeptByEveryCommandAndNeverGoBack) {
  ASSERT_OK(cluster_.Start(delayed_));
  ASSERT_OK(cluster_.WaitForLeader());
  const std::string session = Path("session");
  const std::string txn_that_reads = "\nget x\n\n\n";
  const std::string txn_that_writes = "\nput x 2\n\n\n";
  // Whether a command has a revision of its own.
  const struct {
    std::vector<std::string> words;
    std::string input;
    bool writes;
  } commands[] = {
      {{"get", "x"}, "", false},
      {{"put", "x", "1"}, "", true},
      {{"get", "", "--from-key", "--consistency", "follower"}, "", false},
      {{"txn", "--file", "-"}, txn_that_writes, true},
      {{"txn", "--file", "-"}, txn_that_reads, false},
      {{"export", "none/", Path("tree")}, "", false},
      {{"del", "x"}, "", true},
      {{"del", "x"}, "", false},
      {{"get", "x", "--count-only", "--min-revision", "1"}, "", false},
  };
  int64_t before = 0;
  for (const auto& command : commands) {
    std::vector<std::string> words = command.words;
    words.insert(words.end(), {"--session", session});
    const CommandResult result = RunAt(delayed_, words, command.input);
    ASSERT_TRUE(result.ok()) << ::testing::PrintToString(words) << result.err;
    const int64_t after = RevisionIn(session);
    if (before != 0) {
      EXPECT_EQ(after, before + (command.writes ? 1 : 0)) << ::testing::PrintToString(words);
    }
    before = after;
  }

  // One that is ahead of what the members have is left alone, and holds all reads back.
  const auto status = cluster_.client(leader_).Status();
  ASSERT_OK(status);
  const std::string ahead = EncodeSessionToken(
      {.cluster_id = status.response.header().cluster_id(), .revision = before + 1000});
  WriteFile(session, ahead + "\n");
  for (const auto& [words, input] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"get", "x"}, ""},
           {{"get", "x", "--prefix", "--consistency", "follower"}, ""},
           {{"get", "x", "--min-revision", "1"}, ""},
           {{"txn", "--file", "-"}, txn_that_reads},
           {{"export", "none/", Path("tree"), "--retry-for", "1s"}, ""}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--session", session, "--timeout", "1s"});
    const CommandResult result = RunAt(delayed_, all, input);
    EXPECT_EQ(result.exit, (ExitStatus{.code = 1})) << ::testing::PrintToString(all);
    EXPECT_THAT(result.err, HasSubstr(kBehind)) << ::testing::PrintToString(all);
  }
  EXPECT_TRUE(RunAt(delayed_, {"put", "x", "3", "--session", session}).ok());
  EXPECT_EQ(ReadFile(session), ahead + "\n");
}

TEST_F(SessionFilesTest, OfAnotherClusterAreRefused) {
  const std::string session = Path("session");
  const std::string line = EncodeSessionToken({.cluster_id = 7, .revision = 1}) + "\n";
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"get", "x"},
                                             {"put", "x", "lost"},
                                             {"del", "x"},
                                             {"txn", "--file", "-"},
                                             {"export", "none/", Path("tree")}}) {
    WriteFile(session, line);
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--session", session});
    const CommandResult refused = RunAt(leader_, all, "\nput x lost\n\n\n");
    EXPECT_EQ(refused.exit, (ExitStatus{.code = 1})) << ::testing::PrintToString(all);
    EXPECT_THAT(refused.err, HasSubstr("is a session with cluster 7, and these endpoints are of "));
    EXPECT_THAT(refused.err, HasSubstr("give the endpoints of the former, or another file"));
    EXPECT_EQ(ReadFile(session), line);
  }
  EXPECT_EQ(ValueIn(cluster_.client(leader_).Get("x")), "old") << "nothing was written";

  WriteFile(session, line.substr(1));
  const CommandResult mangled = RunAt(leader_, {"put", "x", "lost", "--session", session});
  EXPECT_EQ(mangled.exit, (ExitStatus{.code = 1}));
  EXPECT_THAT(mangled.err, HasSubstr("remove the file to begin a new session"));
  EXPECT_EQ(ValueIn(cluster_.client(leader_).Get("x")), "old");
}

TEST_F(SessionFilesTest, ThatCannotBeKeptAreNoSecret) {
  const CommandResult put =
      RunAt(leader_, {"put", "x", "new", "--session", Path("no/such/folder")});
  EXPECT_EQ(put.exit, (ExitStatus{.code = 3})) << "it is done, but not all of it";
  EXPECT_THAT(put.err, HasSubstr("done, but the session's token is not kept: "));
  EXPECT_EQ(ValueIn(cluster_.client(leader_).Get("x")), "new");
}

}  // namespace
}  // namespace pontoon::testing
