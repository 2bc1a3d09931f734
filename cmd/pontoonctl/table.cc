#include "cmd/pontoonctl/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

// Characters on the screen: in UTF-8, every byte but the continuations.
size_t DisplayWidth(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

void PrintRule(const std::vector<size_t>& widths, std::ostream& out) {
  for (size_t width : widths) out << '+' << std::string(width + 2, '-');
  out << "+\n";
}

// A title as the name of a JSON field.
std::string JsonName(const std::string& title) {
  return JsonString(absl::StrReplaceAll(absl::AsciiStrToLower(title), {{" ", "_"}}));
}

}  // namespace

std::string JsonString(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Cell::ToJson() const {
  switch (kind_) {
    case Kind::kText:
      return JsonString(text_);
    case Kind::kNumber:
      return text_;
    case Kind::kNone:
      return "null";
  }
  return "null";
}

void Table::AddRow(std::vector<Cell> row) {
  CHECK_EQ(row.size(), titles_.size());
  rows_.push_back(std::move(row));
}

void Table::Print(OutputFormat format, std::ostream& out) const {
  switch (format) {
    case OutputFormat::kPlain:
      return PrintPlain(out);
    case OutputFormat::kTable:
      return PrintBox(out);
    case OutputFormat::kJson:
      return PrintJson(out);
  }
}

void Table::PrintBox(std::ostream& out) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < titles_.size(); ++i) {
    widths.push_back(DisplayWidth(titles_[i]));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], DisplayWidth(row[i].text()));
  }
  PrintRule(widths, out);
  for (size_t i = 0; i < titles_.size(); ++i) {
    const std::string title = absl::AsciiStrToUpper(titles_[i]);
    out << "| " << title << std::string(widths[i] - DisplayWidth(title) + 1, ' ');
  }
  out << "|\n";
  PrintRule(widths, out);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i].text()), ' ');
      out << "| " << (row[i].is_number() ? padding + row[i].text() : row[i].text() + padding)
          << ' ';
    }
    out << "|\n";
  }
  PrintRule(widths, out);
}

void Table::PrintPlain(std::ostream& out) const {
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) out << (i == 0 ? "" : ", ") << row[i].text();
    out << '\n';
  }
}

void Table::PrintJson(std::ostream& out) const {
  out << '[';
  for (size_t r = 0; r < rows_.size(); ++r) {
    out << (r == 0 ? "{" : ",{");
    for (size_t i = 0; i < titles_.size(); ++i) {
      out << (i == 0 ? "" : ",") << JsonName(titles_[i]) << ':' << rows_[r][i].ToJson();
    }
    out << '}';
  }
  out << "]\n";
}

void PrintRecord(const Record& record, OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kTable) {
    Table table({"what", "value"});
    for (const auto& [name, value] : record) table.AddRow({name, value});
    return table.Print(format, out);
  }
  const bool json = format == OutputFormat::kJson;
  const char* separator = "";
  if (json) out << '{';
  for (const auto& [name, value] : record) {
    out << separator;
    if (json) {
      out << JsonName(name) << ':' << value.ToJson();
    } else {
      out << name << ' ' << value.text();
    }
    separator = json ? "," : ", ";
  }
  out << (json ? "}\n" : "\n");
}

}  // namespace pontoon::ctl
