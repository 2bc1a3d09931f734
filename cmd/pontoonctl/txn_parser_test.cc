#include "cmd/pontoonctl/txn_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::Compare;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(SplitWords, SplitsAtBlanksOutsideOfQuotes) {
  EXPECT_THAT(*SplitWords(""), IsEmpty());
  EXPECT_THAT(*SplitWords("  put\ta  b "), ElementsAre("put", "a", "b"));
  EXPECT_THAT(*SplitWords(R"(put "a b" 'c d')"), ElementsAre("put", "a b", "c d"));
  EXPECT_THAT(*SplitWords(R"("" '')"), ElementsAre("", ""));
  EXPECT_THAT(*SplitWords(R"(it's --flag="x)"), ElementsAre("it's", R"(--flag="x)"));
}

TEST(SplitWords, EscapesOnlyInDoubleQuotes) {
  EXPECT_THAT(*SplitWords(R"("a\n\t\\\"b")"), ElementsAre("a\n\t\\\"b"));
  EXPECT_THAT(*SplitWords(R"("\x41\x4a2\101\0")"), ElementsAre(std::string("AJ2A\0", 5)));
  EXPECT_THAT(*SplitWords(R"('a\n' a\n)"), ElementsAre("a\\n", "a\\n"));
}

TEST(SplitWords, SaysWhatIsWrong) {
  const struct {
    const char* line;
    const char* why;
  } cases[] = {
      {R"(put "a)", "no closing \""},
      {R"(put 'a)", "no closing '"},
      {R"("a\)", "a backslash at the end"},
      {R"("\q")", "unknown escape \\q"},
      {R"("\xg")", "\\x without"},
      {R"("\777")", "unknown escape"},
      {R"("a"b)", "no blank after a closing quote"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(std::string(SplitWords(c.line).status().message()), HasSubstr(c.why)) << c.line;
  }
}

TEST(ParseCompare, ReadsEveryTargetAndOperator) {
  const struct {
    const char* line;
    Compare::CompareTarget target;
    Compare::CompareResult result;
    int64_t number;
  } cases[] = {
      {R"(mod("k") > "0")", Compare::MOD, Compare::GREATER, 0},
      {R"(m("k") < "-3")", Compare::MOD, Compare::LESS, -3},
      {R"(create("k") = "7")", Compare::CREATE, Compare::EQUAL, 7},
      {R"(c('k')!='7')", Compare::CREATE, Compare::NOT_EQUAL, 7},
      {R"(version(k) = 7)", Compare::VERSION, Compare::EQUAL, 7},
      {R"(  ver ( "k" )  =  "7"  )", Compare::VERSION, Compare::EQUAL, 7},
      {R"(lease("k") = "ff")", Compare::LEASE, Compare::EQUAL, 255},
  };
  for (const auto& c : cases) {
    const auto compare = ParseCompare(c.line);
    ASSERT_TRUE(compare.ok()) << compare.status();
    EXPECT_EQ(compare->key(), "k");
    EXPECT_EQ(compare->target(), c.target) << c.line;
    EXPECT_EQ(compare->result(), c.result) << c.line;
    const int64_t number = c.target == Compare::MOD       ? compare->mod_revision()
                           : c.target == Compare::CREATE  ? compare->create_revision()
                           : c.target == Compare::VERSION ? compare->version()
                                                          : compare->lease();
    EXPECT_EQ(number, c.number) << c.line;
  }
}

TEST(ParseCompare, ReadsValuesAndKeysWithAnyCharacters) {
  const auto compare = ParseCompare(R"(value("a (b) = \"c\"") != "x) = y")");
  ASSERT_TRUE(compare.ok()) << compare.status();
  EXPECT_EQ(compare->key(), "a (b) = \"c\"");
  EXPECT_EQ(compare->target(), Compare::VALUE);
  EXPECT_EQ(compare->result(), Compare::NOT_EQUAL);
  EXPECT_EQ(compare->value(), "x) = y");
  EXPECT_EQ(ParseCompare(R"(val(k) = "")")->value(), "");
}

TEST(ParseCompare, SaysWhatIsWrong) {
  const struct {
    const char* line;
    const char* why;
  } cases[] = {
      {"put k v", "not a comparison"},
      {R"(mod("k" > "0")", "not a comparison"},
      {R"(mod() > "0")", "the key is empty"},
      {R"(mod("k") "0")", "unknown operator \"\""},
      {R"(mod("k") >= 0)", "unknown operator \">=\""},
      {R"(mod("k") <> 0)", "unknown operator \"<>\""},
      {R"(mod("k") >)", "one value is needed after the operator, not 0"},
      {R"(mod("k") == 0)", "unknown operator \"==\""},
      {R"(mod("k") > 1 2)", "one value is needed after the operator, not 2"},
      {R"(mod("k") > "x")", "\"x\" is not a number"},
      {R"(lease("k") = "xyz")", "bad lease ID"},
      {R"(size("k") > "0")", "cannot compare \"size\""},
      {R"(mod("k) > "0")", "not a comparison"},
  };
  for (const auto& c : cases) {
    const auto compare = ParseCompare(c.line);
    ASSERT_FALSE(compare.ok()) << c.line;
    EXPECT_THAT(std::string(compare.status().message()), HasSubstr(c.why)) << c.line;
  }
}

TEST(ParseRequest, ReadsWhatTheCommandsRead) {
  const auto put = ParseRequest(R"(put "my key" 'my value' --prev-kv --lease ff)");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->request_put().key(), "my key");
  EXPECT_EQ(put->request_put().value(), "my value");
  EXPECT_EQ(put->request_put().lease(), 255);
  EXPECT_TRUE(put->request_put().prev_kv());

  const auto get = ParseRequest("get --prefix k --limit 5");
  ASSERT_TRUE(get.ok()) << get.status();
  EXPECT_EQ(get->request_range().range_end(), "l");
  EXPECT_EQ(get->request_range().limit(), 5);

  const auto del = ParseRequest("del a c");
  ASSERT_TRUE(del.ok()) << del.status();
  EXPECT_EQ(del->request_delete_range().range_end(), "c");
}

TEST(ParseRequest, SaysWhatIsWrong) {
  const struct {
    const char* line;
    const char* why;
  } cases[] = {
      {"watch k", "unknown request \"watch\": use get, put or del"},
      {"put k", "put needs a value here"},
      {"put k -", "put needs a value here"},
      {"put", "key is required"},
      {"get k --nonsense", "--nonsense"},
      {"del a b --prefix", "only one of"},
      {"put k v w", "not expected"},
  };
  for (const auto& c : cases) {
    const auto request = ParseRequest(c.line);
    ASSERT_FALSE(request.ok()) << c.line;
    EXPECT_THAT(std::string(request.status().message()), HasSubstr(c.why)) << c.line;
  }
}

// The number of comparisons and requests of `text`, or the error.
std::string Parsed(const std::string& text) {
  TxnParser parser;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::Status status = parser.AddLine(line);
    if (!status.ok()) return std::string(status.message());
  }
  const auto& request = parser.request();
  return absl::StrCat(request.compare_size(), " ", request.success_size(), " ",
                      request.failure_size());
}

TEST(TxnParser, EmptyLinesEndTheParts) {
  EXPECT_EQ(Parsed("mod(k) = 0\nmod(l) = 0\n\nput k v\nget k\n\nget k\n\n"), "2 2 1");
  EXPECT_EQ(Parsed("\nput k v\n\n"), "0 1 0");
  EXPECT_EQ(Parsed("mod(k) = 0\n  \t\nput k v"), "1 1 0") << "blanks make no line";
  EXPECT_EQ(Parsed("\n\nget k"), "0 0 1");
  EXPECT_EQ(Parsed(""), "0 0 0");
  EXPECT_EQ(Parsed("mod(k) = 0\r\n\r\nput k v\r\n\r\n"), "1 1 0") << "of a Windows file too";
}

TEST(TxnParser, ErrorsNameTheLine) {
  EXPECT_THAT(Parsed("put k v"), StartsWith("line 1: not a comparison"));
  EXPECT_THAT(Parsed("mod(k) = 0\n\nput k v\nfoo"), StartsWith("line 4: unknown request \"foo\""));
  EXPECT_EQ(Parsed("\n\n\n\nget k"), "line 5: text after the end of the transaction");
}

}  // namespace
}  // namespace pontoon::ctl
