#include "cmd/pontoonctl/kv_printer.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cmd/pontoonctl/txn_parser.h"

namespace pontoon::ctl {
namespace {

using Bytes = KvPrinter::Bytes;
using Parts = KvPrinter::Parts;
using ::testing::HasSubstr;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

template <typename... Arguments>
std::string Printed(OutputFormat format, Bytes bytes, const Arguments&... arguments) {
  std::ostringstream out;
  KvPrinter(format, bytes, out).Print(arguments...);
  return out.str();
}

const char kTwoKeys[] = R"(
    header { revision: 9 }
    kvs { key: "a" value: "1" create_revision: 2 mod_revision: 3 version: 2 }
    kvs { key: "b" value: "\000\n" create_revision: 4 mod_revision: 4 version: 1 lease: 255 }
    count: 2)";

TEST(KvPrinter, PlainIsALineForTheKeyAndALineForTheValue) {
  const auto response = Parse<etcdserverpb::RangeResponse>(kTwoKeys);
  const auto plain = [&](Parts parts) {
    return Printed(OutputFormat::kPlain, Bytes::kRaw, response, parts);
  };
  EXPECT_EQ(plain(Parts::kKeyAndValue), std::string("a\n1\nb\n\0\n\n", 9));
  EXPECT_EQ(plain(Parts::kKey), "a\nb\n");
  EXPECT_EQ(plain(Parts::kValue), std::string("1\n\0\n\n", 5));
  EXPECT_EQ(plain(Parts::kCount), "2\n");
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kHex, response, Parts::kKeyAndValue),
            "\\x61\n\\x31\n\\x62\n\\x00\\x0a\n");
}

TEST(KvPrinter, TheTableEscapesWhatWouldBreakIt) {
  EXPECT_EQ(Printed(OutputFormat::kTable, Bytes::kRaw, Parse<etcdserverpb::RangeResponse>(kTwoKeys),
                    Parts::kKeyAndValue),
            "+-----+--------+-----------------+--------------+---------+-------+\n"
            "| KEY | VALUE  | CREATE REVISION | MOD REVISION | VERSION | LEASE |\n"
            "+-----+--------+-----------------+--------------+---------+-------+\n"
            "| a   | 1      |               2 |            3 |       2 | -     |\n"
            "| b   | \\000\\n |               4 |            4 |       1 | ff    |\n"
            "+-----+--------+-----------------+--------------+---------+-------+\n");
}

TEST(KvPrinter, JsonIsTheGatewaysForm) {
  EXPECT_EQ(Printed(OutputFormat::kJson, Bytes::kRaw,
                    Parse<etcdserverpb::PutResponse>(
                        R"(header { revision: 3 } prev_kv { key: "a" mod_revision: 2 })")),
            R"({"header":{"revision":"3"},"prev_kv":{"key":"YQ==","mod_revision":"2"}})"
            "\n");
}

TEST(KvPrinter, PutAndDelShowWhatWasThereBefore) {
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw, etcdserverpb::PutResponse()), "OK\n");
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw,
                    Parse<etcdserverpb::PutResponse>(R"(prev_kv { key: "a" value: "1" })")),
            "OK\na\n1\n");
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw,
                    Parse<etcdserverpb::DeleteRangeResponse>(
                        R"(deleted: 1 prev_kvs { key: "a" value: "1" })")),
            "1\na\n1\n");
}

TEST(KvPrinter, ATransactionShowsEachOperationAsItWasAsked) {
  TxnParser parser;
  for (const char* line :
       {"", "put k v", "get a --keys-only", "get a --count-only", "del k", "", "get other"}) {
    ASSERT_TRUE(parser.AddLine(line).ok());
  }
  const auto response = Parse<etcdserverpb::TxnResponse>(R"(
      succeeded: true
      responses { response_put {} }
      responses { response_range { kvs { key: "a" } count: 1 } }
      responses { response_range { count: 5 } }
      responses { response_delete_range { deleted: 1 } })");
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw, parser.request(), response),
            "SUCCESS\n\nOK\n\na\n\n5\n\n1\n");
  EXPECT_THAT(Printed(OutputFormat::kPlain, Bytes::kRaw, parser.request(),
                      Parse<etcdserverpb::TxnResponse>(
                          R"(responses { response_range { kvs { key: "o" value: "v" } } })")),
              "FAILURE\n\no\nv\n");
}

TEST(KvPrinter, AnEventIsItsKindAndItsKeyBeforeAndAfter) {
  const auto response = Parse<etcdserverpb::WatchResponse>(R"(
    header { revision: 9 }
    events { kv { key: "a" value: "1" mod_revision: 8 } }
    events { type: DELETE kv { key: "b" mod_revision: 9 } prev_kv { key: "b" value: "2" } })");
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw, response), "PUT\na\n1\nDELETE\nb\n2\nb\n\n");
  EXPECT_EQ(Printed(OutputFormat::kTable, Bytes::kHex, response),
            "PUT\n\\x61\n\\x31\nDELETE\n\\x62\n\\x32\n\\x62\n\n");
  EXPECT_THAT(Printed(OutputFormat::kJson, Bytes::kRaw, response),
              HasSubstr("{\"type\":\"DELETE\",\"kv\":{\"key\":\"Yg==\",\"mod_revision\":\"9\"}"));
  EXPECT_EQ(Printed(OutputFormat::kPlain, Bytes::kRaw,
                    Parse<etcdserverpb::WatchResponse>("header { revision: 12 }")),
            "progress notify: 12\n");
}

}  // namespace
}  // namespace pontoon::ctl
