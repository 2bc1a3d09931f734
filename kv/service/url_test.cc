#include "kv/service/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pontoon {
namespace {

using testing::HasSubstr;

TEST(Url, ParsesAndPrints) {
  const struct {
    const char* text;
    const char* host;
    int port;
    const char* printed;
  } kCases[] = {
      {"http://localhost:2379", "localhost", 2379, "http://localhost:2379"},
      {"http://10.0.0.1:1", "10.0.0.1", 1, "http://10.0.0.1:1"},
      {"http://node-1.db_x.example:65535/", "node-1.db_x.example", 65535,
       "http://node-1.db_x.example:65535"},
      {"http://[::1]:2380", "::1", 2380, "http://[::1]:2380"},
  };
  for (const auto& c : kCases) {
    const auto url = ParseUrl(c.text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->ToString(), c.printed);
  }
}

TEST(Url, RefusesWithAReason) {
  const struct {
    const char* text;
    const char* reason;
  } kCases[] = {
      {"", "it must begin with http://"},
      {"localhost:2379", "it must begin with http://"},
      {"unix://sock:1", "it must begin with http://"},
      {"https://a:1", "TLS is not offered by this version"},
      {"http://a", "the port is missing"},
      {"http://:1", "the host is missing"},
      {"http://[::1", "the bracket is not closed"},
      {"http://[::1]", "the port is missing"},
      {"http://[a.b]:1", "only an IPv6 address stands in brackets"},
      {"http://::1:2379", "the host is missing"},
      {"http://fe80::1:2379", "an IPv6 address must stand in brackets"},
      {"http://a b:1", "a character that no host name has"},
      {"http://a:1/path", "it must not have a path"},
      {"http://a:0", "a number from 1 to 65535"},
      {"http://a:65536", "a number from 1 to 65535"},
      {"http://a:x", "a number from 1 to 65535"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(std::string(ParseUrl(c.text).status().message()), HasSubstr(c.reason)) << c.text;
  }
}

TEST(Url, WildcardsAreNoPlaceToCall) {
  EXPECT_TRUE(ParseUrl("http://0.0.0.0:1")->IsWildcard());
  EXPECT_TRUE(ParseUrl("http://[::]:1")->IsWildcard());
  EXPECT_FALSE(ParseUrl("http://127.0.0.1:1")->IsWildcard());
}

TEST(Url, ListsAreSeparatedByCommas) {
  const auto urls = ParseUrls("http://a:1, http://b:2");
  ASSERT_TRUE(urls.ok());
  EXPECT_EQ(JoinUrls(*urls), "http://a:1,http://b:2");
  EXPECT_FALSE(ParseUrls("http://a:1,").ok());
}

}  // namespace
}  // namespace pontoon
