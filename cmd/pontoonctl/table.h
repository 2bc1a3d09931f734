// Table: rows under titles, as a box for people, as lines for scripts, or as JSON.

#ifndef PONTOON_CMD_PONTOONCTL_TABLE_H_
#define PONTOON_CMD_PONTOONCTL_TABLE_H_

#include <concepts>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace pontoon::ctl {

// What --output asks for.
enum class OutputFormat { kPlain, kTable, kJson };

// One value of a table: text, a number, or nothing (not known).
class Cell {
 public:
  Cell(std::string text) : kind_(Kind::kText), text_(std::move(text)) {}
  Cell(const char* text) : Cell(std::string(text)) {}
  Cell(std::integral auto number) : kind_(Kind::kNumber), text_(std::to_string(number)) {}

  static Cell None() { return Cell(Kind::kNone, "-"); }
  template <typename Value>
  static Cell Optional(const std::optional<Value>& value) {
    return value.has_value() ? Cell(*value) : None();
  }

  const std::string& text() const { return text_; }
  bool is_number() const { return kind_ == Kind::kNumber; }

  // As a JSON value; nothing is null.
  std::string ToJson() const;

 private:
  enum class Kind { kText, kNumber, kNone };

  Cell(Kind kind, std::string text) : kind_(kind), text_(std::move(text)) {}

  Kind kind_;
  std::string text_;
};

// A table in memory. Every row has one cell for each title. A title in JSON is lower case with
// underscores ("raft index" becomes raft_index).
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

  void AddRow(std::vector<Cell> row);

  // kTable: a box with the titles, numbers to the right. kPlain: a line a row, ", " between, no
  // titles. kJson: an array of objects in one line.
  void Print(OutputFormat format, std::ostream& out) const;

 private:
  void PrintBox(std::ostream& out) const;
  void PrintPlain(std::ostream& out) const;
  void PrintJson(std::ostream& out) const;

  std::vector<std::string> titles_;
  std::vector<std::vector<Cell>> rows_;
};

// Values that each have a name.
using Record = std::vector<std::pair<std::string, Cell>>;

// kTable: a box with a row for each value. kPlain: "name value, name value" in a line. kJson: an
// object in a line, named as in Table.
void PrintRecord(const Record& record, OutputFormat format, std::ostream& out);

// `text` as a JSON string, in quotes. Bytes that are not UTF-8 are replaced.
std::string JsonString(const std::string& text);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_TABLE_H_
