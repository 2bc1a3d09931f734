#include "cmd/pontoon/listen_check.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace pontoon {
namespace {

using testing::HasSubstr;

std::string Problem(const Url& url) { return std::string(CheckCanListen(url).message()); }

// Listens on a port of the loopback interface until it is freed.
class ListenCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(taken_, any, size), 0);
    ASSERT_EQ(listen(taken_, 1), 0);
    ASSERT_EQ(getsockname(taken_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~ListenCheckTest() override { Free(); }

  void Free() {
    if (taken_ != -1) close(std::exchange(taken_, -1));
  }

  int taken_ = socket(AF_INET, SOCK_STREAM, 0);
  uint16_t port_ = 0;
};

TEST_F(ListenCheckTest, ATakenPortIsFoundOnEveryAddressOfTheMachine) {
  EXPECT_EQ(Problem(Url{"127.0.0.1", port_}),
            "cannot listen on http://127.0.0.1:" + std::to_string(port_) +
                ": another process has the port: stop it, or choose another port");
  EXPECT_THAT(Problem(Url{"0.0.0.0", port_}), HasSubstr("another process has the port"));
  Free();
  EXPECT_EQ(Problem(Url{"127.0.0.1", port_}), "");
  EXPECT_EQ(Problem(Url{"127.0.0.1", port_}), "") << "the check itself does not hold it";
}

TEST_F(ListenCheckTest, ATakenPortIsFoundByName) {
  addrinfo* found = nullptr;
  const int unresolved = getaddrinfo("localhost", nullptr, nullptr, &found);
  if (unresolved != 0) {
    GTEST_SKIP() << "this machine has no name for itself: localhost: " << gai_strerror(unresolved);
  }
  freeaddrinfo(found);
  EXPECT_THAT(Problem(Url{"localhost", port_}), HasSubstr("another process has the port"));
}

TEST(ListenCheck, SomebodyElsesAddressIsRefused) {
  EXPECT_EQ(Problem(Url{"192.0.2.1", 2379}),
            "cannot listen on http://192.0.2.1:2379: this machine does not have that address");
}

TEST(ListenCheck, AnUnknownHostIsNamed) {
  EXPECT_THAT(Problem(Url{"no-such-host.invalid", 2379}),
              HasSubstr("cannot listen on http://no-such-host.invalid:2379: host "
                        "no-such-host.invalid: "));
}

}  // namespace
}  // namespace pontoon
