#include "cmd/pontoonctl/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

namespace pontoon::ctl {
namespace {

using ::testing::HasSubstr;

// Runs a script of the shell to its end.
int RunScript(const std::string& script, const std::vector<std::string>& variables = {}) {
  auto child = ChildProcess::Start({"sh", "-c", script}, variables);
  EXPECT_TRUE(child.ok()) << child.status();
  return (*child)->Wait();
}

TEST(ChildProcess, ItsExitCodeIsThatOfTheProgram) {
  EXPECT_EQ(RunScript("exit 0"), 0);
  EXPECT_EQ(RunScript("exit 42"), 42);
  EXPECT_EQ(RunScript("kill -KILL $$"), 128 + SIGKILL);
}

TEST(ChildProcess, HasTheVariablesBesideOurOwn) {
  setenv("CHILD_OWN", "own", 1);
  setenv("CHILD_BOTH", "ours", 1);
  EXPECT_EQ(RunScript("test \"$CHILD_OWN/$CHILD_BOTH/$CHILD_NEW\" = 'own/theirs/a b'",
                      {"CHILD_BOTH=theirs", "CHILD_NEW=a b"}),
            0);
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  const auto child = ChildProcess::Start({"no-such-program"}, {});
  EXPECT_EQ(child.status().message(), "cannot run no-such-program: No such file or directory");
  EXPECT_THAT(ChildProcess::Start({"/dev/null"}, {}).status().message(),
              HasSubstr("Permission denied"));
}

TEST(ChildProcess, GetsSignals) {
  auto child = ChildProcess::Start({"sleep", "1000"}, {});
  ASSERT_TRUE(child.ok());
  std::thread([&] { (*child)->Signal(SIGTERM); }).join();
  EXPECT_EQ((*child)->Wait(), 128 + SIGTERM);
  (*child)->Signal(SIGTERM);  // of nobody now
  EXPECT_EQ((*child)->Wait(), 128 + SIGTERM);
}

TEST(ChildProcess, EndsWithTheThreadThatStartedIt) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] { child = *ChildProcess::Start({"sleep", "1000"}, {}); }).join();
  EXPECT_EQ(child->Wait(), 128 + SIGTERM);
}

}  // namespace
}  // namespace pontoon::ctl
