#include "tests/integration/etcdctl_normaliser.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace pontoon::testing {
namespace {

struct Rule {
  std::regex pattern;
  std::string replacement;
};

// A value of 0 stays: it means that something is not there, and both have to agree on that.
const std::vector<Rule>& Rules() {
  static const auto* const rules = new std::vector<Rule>{
      // -w json
      {std::regex(R"re("(raft_term|raftTerm|raftIndex|raftAppliedIndex)":[1-9][0-9]*)re"),
       "\"$1\":N"},
      {std::regex(R"re("(dbSize|dbSizeInUse)":[1-9][0-9]*)re"), "\"$1\":SIZE"},
      {std::regex(R"re("version":"[0-9]+\.[0-9]+\.[0-9]+")re"), "\"version\":\"VERSION\""},
      {std::regex(R"re("took":"[^"]*")re"), "\"took\":\"TIME\""},
      // -w fields
      {std::regex(R"re("(RaftTerm|RaftIndex|RaftAppliedIndex)" : [1-9][0-9]*)re"), "\"$1\" : N"},
      {std::regex(R"re("DBSize" : [1-9][0-9]*)re"), "\"DBSize\" : SIZE"},
      {std::regex(R"re("Version" : "[0-9]+\.[0-9]+\.[0-9]+")re"), "\"Version\" : \"VERSION\""},
      // -w simple: a line of endpoint status, and one of endpoint health
      {std::regex(R"re(, [0-9]+\.[0-9]+\.[0-9]+, [0-9.]+ k?[MG]?B, (true|false), (true|false), )re"
                  R"re([1-9][0-9]*, [1-9][0-9]*, [1-9][0-9]*, )re"),
       ", VERSION, SIZE, $1, $2, N, N, N, "},
      {std::regex(R"re(took = [0-9.]+[^ ]*s)re"), "took = TIME"},
      // lease timetolive
      {std::regex(R"re(remaining\([0-9]+s\))re"), "remaining(TIME)"},
      {std::regex(R"re("ttl":[0-9]+,"granted-ttl":([1-9]))re"), "\"ttl\":TIME,\"granted-ttl\":$1"},
      {std::regex(R"re("TTL" : [0-9]+\n"GrantedTTL" : ([1-9]))re"),
       "\"TTL\" : TIME\n\"GrantedTTL\" : $1"},
      // The keys of locks and candidates
      {std::regex(R"re((\w)/[1-9a-f][0-9a-f]{9,15}\b)re"), "$1/LEASE"},
      // What etcdctl's client library logs on standard error.
      {std::regex(R"re("ts":("[^"]*"|[0-9.e+]+))re"), "\"ts\":\"TIME\""},
      {std::regex(R"re("took":[0-9.e-]+)re"), "\"took\":TIME"},
      {std::regex(R"re("size":"[0-9.]+ k?[MG]?B")re"), "\"size\":\"SIZE\""},
      {std::regex(R"re(endpoint://client-[0-9a-f-]+/)re"), "endpoint://client-UUID/"},
  };
  return *rules;
}

// What stands in a column of a table whose values cannot be compared.
const std::map<std::string, std::string>& MaskedColumns() {
  static const auto* const columns = new std::map<std::string, std::string>{
      {"VERSION", "VERSION"}, {"DB SIZE", "SIZE"},         {"RAFT TERM", "N"},
      {"RAFT INDEX", "N"},    {"RAFT APPLIED INDEX", "N"}, {"TOOK", "TIME"},
  };
  return *columns;
}

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells = absl::StrSplit(row, '|');
  for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
  return cells;
}

// Rewrites the lines of a table; the first is the one with the names of the columns.
std::string NormaliseTable(const std::vector<std::string>& lines) {
  std::vector<std::string> names;
  std::string result;
  for (const std::string& line : lines) {
    if (!line.starts_with('|')) continue;  // a rule
    std::vector<std::string> cells = Cells(line);
    for (size_t i = 0; i < cells.size() && i < names.size(); ++i) {
      const auto masked = MaskedColumns().find(names[i]);
      if (masked != MaskedColumns().end()) cells[i] = masked->second;
    }
    if (names.empty()) names = cells;
    absl::StrAppend(&result, absl::StrJoin(cells, "|"), "\n");
  }
  return result;
}

bool IsWordCharacter(const std::string& text, size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

void ReplaceWords(std::string& text, const std::string& from, const std::string& to) {
  const bool begins_a_word = IsWordCharacter(from, 0);
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    if ((begins_a_word && IsWordCharacter(text, at - 1)) ||
        IsWordCharacter(text, at + from.size())) {
      at += from.size();
      continue;
    }
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

}  // namespace

void Normaliser::Replace(std::string from, std::string to) {
  replacements_.emplace_back(std::move(from), std::move(to));
}

void Normaliser::ReplaceId(uint64_t id, const std::string& to) {
  Replace(absl::StrCat(id), to);
  // Messages about members pad an id to 16 digits, with spaces.
  Replace(absl::StrFormat(" %16x", id), " " + to);
  Replace(absl::StrFormat("%016x", id), to);
  Replace(absl::StrCat(absl::Hex(id)), to);
}

std::string Normaliser::Apply(const std::string& output) const {
  std::string text = output;
  for (const auto& [from, to] : replacements_) ReplaceWords(text, from, to);
  for (const Rule& rule : Rules()) text = std::regex_replace(text, rule.pattern, rule.replacement);
  if (text.starts_with("+-")) return NormaliseTable(absl::StrSplit(text, '\n'));
  return text;
}

std::string SortLines(const std::string& output) {
  std::vector<std::string> lines = absl::StrSplit(output, '\n');
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

}  // namespace pontoon::testing
