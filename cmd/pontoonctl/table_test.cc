#include "cmd/pontoonctl/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace pontoon::ctl {
namespace {

std::string Printed(const Table& table, OutputFormat format) {
  std::ostringstream out;
  table.Print(format, out);
  return out.str();
}

Table Members() {
  Table table({"name", "raft index"});
  table.AddRow({"anna", 7});
  table.AddRow({"b\u00e9la", 1234567890123});
  table.AddRow({"say \"hi\"", Cell::None()});
  return table;
}

TEST(Table, AsABoxAlignsNumbersToTheRight) {
  EXPECT_EQ(Printed(Members(), OutputFormat::kTable),
            "+----------+---------------+\n"
            "| NAME     | RAFT INDEX    |\n"
            "+----------+---------------+\n"
            "| anna     |             7 |\n"
            "| b\u00e9la     | 1234567890123 |\n"
            "| say \"hi\" | -             |\n"
            "+----------+---------------+\n");
}

TEST(Table, AsPlainLinesHasNoTitles) {
  EXPECT_EQ(Printed(Members(), OutputFormat::kPlain),
            "anna, 7\nb\u00e9la, 1234567890123\nsay \"hi\", -\n");
}

TEST(Table, AsJsonIsAnArrayOfObjects) {
  EXPECT_EQ(Printed(Members(), OutputFormat::kJson),
            "[{\"name\":\"anna\",\"raft_index\":7},"
            "{\"name\":\"b\u00e9la\",\"raft_index\":1234567890123},"
            "{\"name\":\"say \\\"hi\\\"\",\"raft_index\":null}]\n");
}

TEST(Table, WithoutRowsIsStillATable) {
  const Table empty({"a"});
  EXPECT_EQ(Printed(empty, OutputFormat::kTable), "+---+\n| A |\n+---+\n+---+\n");
  EXPECT_EQ(Printed(empty, OutputFormat::kPlain), "");
  EXPECT_EQ(Printed(empty, OutputFormat::kJson), "[]\n");
}

TEST(PrintRecord, NamesItsValues) {
  const Record record = {{"written", 3}, {"took so long", "5s"}};
  const auto printed = [&](OutputFormat format) {
    std::ostringstream out;
    PrintRecord(record, format, out);
    return out.str();
  };
  EXPECT_EQ(printed(OutputFormat::kPlain), "written 3, took so long 5s\n");
  EXPECT_EQ(printed(OutputFormat::kJson), "{\"written\":3,\"took_so_long\":\"5s\"}\n");
  EXPECT_EQ(printed(OutputFormat::kTable),
            "+--------------+-------+\n"
            "| WHAT         | VALUE |\n"
            "+--------------+-------+\n"
            "| written      |     3 |\n"
            "| took so long | 5s    |\n"
            "+--------------+-------+\n");
}

TEST(JsonString, ReplacesWhatIsNotUtf8) { EXPECT_EQ(JsonString("a\xff"), "\"a\ufffd\""); }

}  // namespace
}  // namespace pontoon::ctl
