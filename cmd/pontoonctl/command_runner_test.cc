#include "cmd/pontoonctl/command_runner.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace pontoon::ctl {
namespace {

// Says when it runs, by a pipe that a test reads: in a command of bash, "echo >&$READY".
class Readiness {
 public:
  Readiness() { EXPECT_EQ(pipe(ends_), 0); }
  ~Readiness() {
    close(ends_[0]);
    close(ends_[1]);
  }

  std::string variable() const { return "READY=" + std::to_string(ends_[1]); }
  void Await() {
    char byte;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
  }

 private:
  int ends_[2];
};

constexpr char kWaitForInterrupt[] =
    "trap 'exit 5' INT; trap 'exit 6' TERM; echo >&$READY; while :; do sleep 0.01; done";

TEST(CommandRunner, RunsTheCommandAgainAndAgain) {
  CommandRunner runner({"sh", "-c", "exit $CODE"});
  EXPECT_EQ(*runner.Run({"CODE=3"}), 3);
  EXPECT_EQ(*runner.Run({"CODE=4"}), 4);
  EXPECT_FALSE(runner.stopped());
}

TEST(CommandRunner, PassesInterruptsOnAndRunsNoOther) {
  for (const bool from_terminal : {false, true}) {
    CommandRunner runner({"bash", "-c", kWaitForInterrupt});
    Readiness readiness;
    std::thread user([&] {
      readiness.Await();
      runner.Interrupt({SIGINT, from_terminal});
      // The terminal has sent it to the command itself: here it has not, so this one ends it.
      if (from_terminal) runner.Terminate();
    });
    EXPECT_EQ(*runner.Run({readiness.variable()}), from_terminal ? 6 : 5);
    user.join();
    EXPECT_TRUE(runner.stopped());
    EXPECT_EQ(runner.Run({}).status().code(), absl::StatusCode::kCancelled);
  }
}

TEST(CommandRunner, AProgramThatIsNotThereIsAnError) {
  CommandRunner runner({"no-such-program"});
  EXPECT_EQ(runner.Run({}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pontoon::ctl
