#include "kv/monitor/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace pontoon::kv {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A socket on a free port of the loopback interface, which others find taken.
class TakenPort {
 public:
  TakenPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { Free(); }

  uint16_t port() const { return port_; }
  // Somebody else could take it meanwhile; on loopback nobody is likely to.
  void Free() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  uint16_t port_ = 0;
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    TakenPort free;
    port_ = free.port();
    free.Free();
    HttpServer::Routes routes;
    routes["/hello"] = [](const HttpRequest& request) {
      return HttpResponse{.body = absl::StrCat("hello ", request.query, "\n")};
    };
    routes["/broken"] = [](const HttpRequest&) { return HttpResponse{.code = 503, .body = "no"}; };
    routes["/files/"] = [](const HttpRequest& request) {
      return HttpResponse{.content_type = "text/css", .body = request.path};
    };
    routes["/endless"] = [this](const HttpRequest&) {
      return HttpResponse{.body = "begin", .next_piece = [this]() -> std::optional<std::string> {
                            if (++pieces_ > 3) return std::nullopt;
                            return absl::StrCat("piece", pieces_);
                          }};
    };
    auto server = HttpServer::Start({absl::StrCat("127.0.0.1:", port_)}, std::move(routes));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // The whole answer, headers too.
  std::string Ask(const std::string& method, const std::string& target) {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Loopback(port_);
    EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string request = absl::StrCat(method, " ", target,
                                             " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                                             "Connection: close\r\n\r\n");
    EXPECT_EQ(write(connection, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(connection, buffer, sizeof buffer)) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
    close(connection);
    return answer;
  }

  uint16_t port_ = 0;
  int pieces_ = 0;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesItsRoutes) {
  EXPECT_THAT(Ask("GET", "/hello?a=1"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: 10\r\n"),
                    HasSubstr("Content-Type: text/plain"), EndsWith("\r\n\r\nhello a=1\n")));
  EXPECT_THAT(Ask("GET", "/files/a/b.css"),
              AllOf(HasSubstr("Content-Type: text/css"), EndsWith("/files/a/b.css")));
  EXPECT_THAT(Ask("GET", "/broken"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, PiecesAreSentAsTheyCome) {
  EXPECT_THAT(Ask("GET", "/endless"),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), Not(HasSubstr("Content-Length")),
                    EndsWith("5\r\nbegin\r\n6\r\npiece1\r\n6\r\npiece2\r\n6\r\npiece3"
                             "\r\n0\r\n\r\n")));
}

TEST_F(HttpServerTest, BrowsersAreToLoadNothingFromElsewhere) {
  EXPECT_THAT(Ask("GET", "/hello"), HasSubstr("Content-Security-Policy: default-src 'self'"));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  EXPECT_THAT(Ask("HEAD", "/hello"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, WhatIsNotThereIsSaidToBeMissing) {
  EXPECT_THAT(Ask("GET", "/nowhere"),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("nothing is at /nowhere"),
                    HasSubstr("  /hello\n")));
  EXPECT_THAT(Ask("GET", "/hello/more"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("GET", "/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("GET", "/../../etc/passwd"), Not(HasSubstr("root:")));
}

TEST_F(HttpServerTest, NothingCanBeChanged) {
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    EXPECT_THAT(Ask(method, "/hello"), StartsWith("HTTP/1.1 405 ")) << method;
  }
}

TEST(HttpServer, ATakenPortIsAnError) {
  const TakenPort taken;
  const auto server = HttpServer::Start({absl::StrCat("127.0.0.1:", taken.port())}, {});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr(absl::StrCat("127.0.0.1:", taken.port())));
}

TEST(HttpRequest, AParameterMayHaveAValue) {
  const auto has = [](const char* query) {
    return HttpRequest{.path = "/", .query = query}.Has("verbose");
  };
  EXPECT_TRUE(has("verbose"));
  EXPECT_TRUE(has("verbose=true"));
  EXPECT_TRUE(has("a=1&verbose=1"));
  EXPECT_FALSE(has(""));
  EXPECT_FALSE(has("verbose=false"));
  EXPECT_FALSE(has("verbose=0"));
  EXPECT_FALSE(has("verbosely"));
  EXPECT_FALSE(has("a=verbose"));
}

}  // namespace
}  // namespace pontoon::kv
