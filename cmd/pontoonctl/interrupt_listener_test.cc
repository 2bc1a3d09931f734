#include "cmd/pontoonctl/interrupt_listener.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>

namespace pontoon::ctl {
namespace {

TEST(InterruptListener, TellsOfASignalThatWouldHaveEndedTheProcess) {
  for (int signal : {SIGINT, SIGTERM}) {
    std::promise<InterruptListener::Interrupt> told;
    InterruptListener listener([&](const auto& interrupt) { told.set_value(interrupt); });
    raise(signal);
    const auto interrupt = told.get_future().get();
    EXPECT_EQ(interrupt.signal, signal);
    EXPECT_FALSE(interrupt.from_terminal);
  }
}

TEST(InterruptListener, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        std::promise<void> told;
        InterruptListener listener([&](const auto&) { told.set_value(); });
        raise(SIGINT);
        told.get_future().get();
        raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptListener, LeavesTheSignalAsItWas) {
  const auto handler_before = signal(SIGTERM, SIG_IGN);
  {
    InterruptListener listener([](const auto&) {});
  }
  raise(SIGTERM);  // ignored
  EXPECT_EQ(signal(SIGTERM, handler_before), SIG_IGN);
}

}  // namespace
}  // namespace pontoon::ctl
