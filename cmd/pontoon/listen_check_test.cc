#include "cmd/pontoon/listen_check.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace pontoon {
namespace {

using testing::HasSubstr;

std::string Problem(const Url& url) { return std::string(CheckCanListen(url).message()); }

TEST(ListenCheck, ATakenPortIsFoundOnEveryNameOfTheMachine) {
  const int taken = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(taken, any, size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, any, &size), 0);
  const uint16_t port = ntohs(address.sin_port);

  EXPECT_EQ(Problem(Url{"127.0.0.1", port}),
            "cannot listen on http://127.0.0.1:" + std::to_string(port) +
                ": another process has the port: stop it, or choose another port");
  EXPECT_THAT(Problem(Url{"localhost", port}), HasSubstr("another process has the port"));
  EXPECT_THAT(Problem(Url{"0.0.0.0", port}), HasSubstr("another process has the port"));
  close(taken);
  EXPECT_EQ(Problem(Url{"127.0.0.1", port}), "");
  EXPECT_EQ(Problem(Url{"127.0.0.1", port}), "") << "the check itself does not hold it";
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
