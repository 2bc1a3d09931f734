#include "kv/client/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pontoon {
namespace {

using ::testing::HasSubstr;

TEST(Endpoint, AcceptsHostAndPortWithOrWithoutHttp) {
  const struct {
    const char* text;
    const char* address;
  } cases[] = {
      {"127.0.0.1:2379", "127.0.0.1:2379"},
      {"http://127.0.0.1:2379", "127.0.0.1:2379"},
      {"node-1.example_net:1", "node-1.example_net:1"},
      {"localhost:65535", "localhost:65535"},
      {"[::1]:2379", "[::1]:2379"},
      {"http://[fe80::1]:2379", "[fe80::1]:2379"},
  };
  for (const auto& c : cases) {
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(c.text);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(endpoint->address(), c.address);
  }
}

TEST(Endpoint, SaysWhetherItWantsTls) {
  const absl::StatusOr<Endpoint> endpoint =
      Endpoint::Parse("https://a:2379", Endpoint::Tls::kSupported);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_EQ(endpoint->address(), "a:2379");
  EXPECT_TRUE(endpoint->wants_tls());
  EXPECT_FALSE(Endpoint::Parse("http://a:2379", Endpoint::Tls::kSupported)->wants_tls());
}

TEST(Endpoint, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"", "it is empty"},
      {"http://", "it is empty"},
      {"localhost", "no port"},
      {"[::1]", "no port"},
      {"::1", "\":\" is not a host"},
      {":2379", "\"\" is not a host"},
      {"https://a:2379", "TLS is not supported"},
      {"ftp://a:2379", "\"ftp://a\" is not a host"},
      {"http://user@a:2379", "is not a host"},
      {"a b:2379", "is not a host"},
      {"a:", "is not a port"},
      {"a:0", "is not a port"},
      {"a:65536", "is not a port"},
      {"a:+80", "is not a port"},
      {"a:2379/", "is not a port"},
      {"a:http", "is not a port"},
  };
  for (const auto& c : cases) {
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(c.text);
    ASSERT_FALSE(endpoint.ok()) << c.text;
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr(c.why)) << c.text;
  }
}

TEST(ParseEndpoints, ReadsAListAndDropsWhatIsNamedTwice) {
  absl::StatusOr<std::vector<Endpoint>> list = ParseEndpoints("a:1, http://b:2,a:1,http://a:1");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(JoinEndpoints(*list), "a:1, b:2");
  EXPECT_FALSE(ParseEndpoints("").ok());
  EXPECT_FALSE(ParseEndpoints("a:1,,b:2").ok());
}

}  // namespace
}  // namespace pontoon
