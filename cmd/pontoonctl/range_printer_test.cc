#include "cmd/pontoonctl/range_printer.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeResponse;
using Bytes = KvPrinter::Bytes;
using Parts = KvPrinter::Parts;

RangeResponse Parse(const std::string& text) {
  RangeResponse response;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &response)) << text;
  return response;
}

const std::vector<std::string> kPages = {
    "header { revision: 9 } kvs { key: 'a' value: '1' } kvs { key: 'b' value: '2' } "
    "more: true count: 5 read_report { consistency: LEASE }",
    "header { revision: 12 } kvs { key: 'longer' value: '3' } more: true count: 3 read_report { "
    "consistency: FOLLOWER }",
    "header { revision: 13 } kvs { key: 'm' value: '4' } more: true count: 2"};
const char kWhole[] =
    "header { revision: 9 } kvs { key: 'a' value: '1' } kvs { key: 'b' value: '2' } "
    "kvs { key: 'longer' value: '3' } kvs { key: 'm' value: '4' } more: true count: 5 "
    "read_report { consistency: LEASE }";

std::string Printed(OutputFormat format, Parts parts, const std::vector<std::string>& pages) {
  std::ostringstream out;
  RangePrinter printer(KvPrinter(format, Bytes::kRaw, out), parts);
  for (const std::string& page : pages) printer.Add(Parse(page));
  printer.Finish();
  return out.str();
}

std::string PrintedAtOnce(OutputFormat format, Parts parts, const std::string& response) {
  std::ostringstream out;
  KvPrinter(format, Bytes::kRaw, out).Print(Parse(response), parts);
  return out.str();
}

TEST(RangePrinter, PagesLookLikeOneResponse) {
  for (const OutputFormat format :
       {OutputFormat::kPlain, OutputFormat::kTable, OutputFormat::kJson}) {
    for (const Parts parts : {Parts::kKeyAndValue, Parts::kKey, Parts::kValue}) {
      EXPECT_EQ(Printed(format, parts, kPages), PrintedAtOnce(format, parts, kWhole));
    }
  }
}

TEST(RangePrinter, SoDoesAPageAlone) {
  for (const std::string& response :
       {std::string(kWhole), std::string("header { revision: 9 }"),
        std::string("header { revision: 9 } count: 3"), std::string("header { }"),
        std::string("header { revision: 9 } kvs { key: 'a' } count: 1"),
        std::string("header { revision: 9 } read_report { }")}) {
    for (const OutputFormat format :
         {OutputFormat::kPlain, OutputFormat::kTable, OutputFormat::kJson}) {
      for (const Parts parts : {Parts::kKeyAndValue, Parts::kCount}) {
        EXPECT_EQ(Printed(format, parts, {response}), PrintedAtOnce(format, parts, response))
            << response;
      }
    }
  }
}

TEST(RangePrinter, OnlyATableWaitsForTheEnd) {
  for (const OutputFormat format : {OutputFormat::kPlain, OutputFormat::kJson}) {
    std::ostringstream out;
    RangePrinter printer(KvPrinter(format, Bytes::kRaw, out), Parts::kKeyAndValue);
    size_t printed = 0;
    for (const std::string& page : kPages) {
      printer.Add(Parse(page));
      EXPECT_GT(out.str().size(), printed);
      printed = out.str().size();
    }
  }
}

}  // namespace
}  // namespace pontoon::ctl
