#include "cmd/pontoonctl/txn_parser.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cmd/pontoonctl/kv_flags.h"

namespace pontoon::ctl {
namespace {

using absl::InvalidArgumentError;
using etcdserverpb::Compare;
using etcdserverpb::RequestOp;

// The number of up to `digits_max` digits that `text` begins with, which are taken from it.
std::optional<unsigned> TakeNumber(absl::string_view& text, int base, size_t digits_max) {
  size_t length = 0;
  unsigned value = 0;
  while (length < digits_max && length < text.size()) {
    const char c = absl::ascii_tolower(text[length]);
    const int digit = absl::ascii_isdigit(c) ? c - '0' : (c >= 'a' && c <= 'f') ? c - 'a' + 10 : 99;
    if (digit >= base) break;
    value = value * base + digit;
    ++length;
  }
  if (length == 0) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

// What follows a backslash, which is taken from `rest`.
absl::StatusOr<char> TakeEscape(absl::string_view& rest) {
  if (rest.empty()) return InvalidArgumentError("a backslash at the end of the line");
  static constexpr absl::string_view kNames = "abfnrtv\\\"'";
  static constexpr absl::string_view kValues = "\a\b\f\n\r\t\v\\\"'";
  const char name = rest.front();
  if (const size_t place = kNames.find(name); place != absl::string_view::npos) {
    rest.remove_prefix(1);
    return kValues[place];
  }
  if (absl::ConsumePrefix(&rest, "x")) {
    const std::optional<unsigned> value = TakeNumber(rest, 16, 2);
    if (value.has_value()) return static_cast<char>(*value);
    return InvalidArgumentError("\\x without hexadecimal digits");
  }
  const std::optional<unsigned> value = TakeNumber(rest, 8, 3);
  if (value.has_value() && *value <= 0xff) return static_cast<char>(*value);
  return InvalidArgumentError(absl::StrCat("unknown escape \\", absl::string_view(&name, 1)));
}

// The rest of a word after its opening quote, up to the closing one; taken from `rest`.
absl::StatusOr<std::string> TakeQuoted(absl::string_view& rest, char quote) {
  std::string word;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == quote) return word;
    if (c == '\\' && quote == '"') {
      const absl::StatusOr<char> escaped = TakeEscape(rest);
      if (!escaped.ok()) return escaped.status();
      word += *escaped;
    } else {
      word += c;
    }
  }
  return InvalidArgumentError(absl::StrCat("no closing ", absl::string_view(&quote, 1)));
}

bool IsQuote(char c) { return c == '"' || c == '\''; }

// The next word, quoted or up to one of `ends`; taken from `rest`, which must not begin with a
// blank.
absl::StatusOr<std::string> TakeWord(absl::string_view& rest, absl::string_view ends) {
  if (!rest.empty() && IsQuote(rest.front())) {
    const char quote = rest.front();
    rest.remove_prefix(1);
    return TakeQuoted(rest, quote);
  }
  const std::string word(rest.substr(0, rest.find_first_of(ends)));
  rest.remove_prefix(word.size());
  return word;
}

void SkipBlanks(absl::string_view& rest) { rest = absl::StripLeadingAsciiWhitespace(rest); }

// The operator that `rest` begins with, which is taken from it.
absl::StatusOr<Compare::CompareResult> TakeOperator(absl::string_view& rest) {
  const absl::string_view word = rest.substr(0, rest.find_first_not_of("=!<>"));
  rest.remove_prefix(word.size());
  if (word == "=") return Compare::EQUAL;
  if (word == "!=") return Compare::NOT_EQUAL;
  if (word == "<") return Compare::LESS;
  if (word == ">") return Compare::GREATER;
  return InvalidArgumentError(absl::StrCat("unknown operator \"", word, "\": use =, !=, < or >"));
}

// Sets what `compare` compares and with what.
absl::Status SetTarget(absl::string_view target, const std::string& value, Compare& compare) {
  if (target == "value" || target == "val") {
    compare.set_target(Compare::VALUE);
    compare.set_value(value);
    return absl::OkStatus();
  }
  if (target == "lease") {
    const absl::StatusOr<int64_t> lease = ParseLease(value);
    if (!lease.ok()) return lease.status();
    compare.set_target(Compare::LEASE);
    compare.set_lease(*lease);
    return absl::OkStatus();
  }
  int64_t number = 0;
  const bool is_number = absl::SimpleAtoi(value, &number);
  if (target == "version" || target == "ver") {
    compare.set_target(Compare::VERSION);
    compare.set_version(number);
  } else if (target == "create" || target == "c") {
    compare.set_target(Compare::CREATE);
    compare.set_create_revision(number);
  } else if (target == "mod" || target == "m") {
    compare.set_target(Compare::MOD);
    compare.set_mod_revision(number);
  } else {
    return InvalidArgumentError(
        absl::StrCat("cannot compare \"", target, "\": use value, version, create, mod or lease"));
  }
  if (!is_number) return InvalidArgumentError(absl::StrCat("\"", value, "\" is not a number"));
  return absl::OkStatus();
}

// Lets `flags` read `words`, all but the first.
template <typename Flags>
absl::Status ReadFlags(const std::vector<std::string>& words, Flags& flags) {
  CLI::App app;
  app.set_help_flag();
  flags.DeclareOn(app);
  try {
    // This parse takes the words from the end.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
  } catch (const CLI::ParseError& error) {
    return InvalidArgumentError(error.what());
  }
  return absl::OkStatus();
}

absl::StatusOr<etcdserverpb::PutRequest> BuildPut(const PutFlags& flags) {
  if (flags.ValueIsElsewhere()) return InvalidArgumentError("put needs a value here");
  return flags.Build("");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line) {
  static constexpr absl::string_view kBlanks = " \t\r\n\v\f";
  std::vector<std::string> words;
  for (SkipBlanks(line); !line.empty(); SkipBlanks(line)) {
    const bool quoted = IsQuote(line.front());
    absl::StatusOr<std::string> word = TakeWord(line, kBlanks);
    if (!word.ok()) return word.status();
    words.push_back(*std::move(word));
    if (quoted && !line.empty() && !absl::ascii_isspace(line.front())) {
      return InvalidArgumentError("no blank after a closing quote");
    }
  }
  return words;
}

absl::StatusOr<Compare> ParseCompare(absl::string_view line) {
  const absl::Status form_error = InvalidArgumentError(
      "not a comparison; write one such as: mod(\"key\") > \"0\", an empty line to end the list");
  const size_t open = line.find('(');
  if (open == absl::string_view::npos) return form_error;
  const absl::string_view target = absl::StripAsciiWhitespace(line.substr(0, open));
  absl::string_view rest = line.substr(open + 1);
  SkipBlanks(rest);
  const absl::StatusOr<std::string> key = TakeWord(rest, " \t)");
  if (!key.ok()) return key.status();
  if (key->empty()) return InvalidArgumentError("the key is empty");
  SkipBlanks(rest);
  if (!absl::ConsumePrefix(&rest, ")")) return form_error;
  SkipBlanks(rest);
  const absl::StatusOr<Compare::CompareResult> result = TakeOperator(rest);
  if (!result.ok()) return result.status();
  const absl::StatusOr<std::vector<std::string>> values = SplitWords(rest);
  if (!values.ok()) return values.status();
  if (values->size() != 1) {
    return InvalidArgumentError(absl::StrCat("one value is needed after the operator, not ",
                                             values->size(), "; quote a value with blanks"));
  }
  Compare compare;
  compare.set_key(*key);
  compare.set_result(*result);
  const absl::Status status = SetTarget(target, values->front(), compare);
  if (!status.ok()) return status;
  return compare;
}

absl::StatusOr<RequestOp> ParseRequest(absl::string_view line) {
  const absl::StatusOr<std::vector<std::string>> words = SplitWords(line);
  if (!words.ok()) return words.status();
  const std::string name = words->empty() ? "" : words->front();
  RequestOp operation;
  // Reads the flags of one kind of request, builds it, and moves it to its place.
  const auto read = [&](auto flags, auto build, auto* place) -> absl::Status {
    if (absl::Status status = ReadFlags(*words, flags); !status.ok()) return status;
    auto request = build(flags);
    if (request.ok()) *place = *std::move(request);
    return request.status();
  };
  const auto plain_build = [](const auto& flags) { return flags.Build(); };
  absl::Status status;
  if (name == "get") {
    status = read(GetFlags(), plain_build, operation.mutable_request_range());
  } else if (name == "put") {
    status = read(PutFlags(), BuildPut, operation.mutable_request_put());
  } else if (name == "del") {
    status = read(DelFlags(), plain_build, operation.mutable_request_delete_range());
  } else {
    status =
        InvalidArgumentError(absl::StrCat("unknown request \"", name, "\": use get, put or del"));
  }
  if (!status.ok()) return status;
  return operation;
}

absl::Status TxnParser::AddLine(absl::string_view line) {
  ++line_number_;
  const absl::Status status = AddContent(absl::StripAsciiWhitespace(line));
  if (status.ok()) return status;
  return InvalidArgumentError(absl::StrCat("line ", line_number_, ": ", status.message()));
}

absl::Status TxnParser::AddContent(absl::string_view line) {
  if (part_ == Part::kDone) {
    if (line.empty()) return absl::OkStatus();
    return InvalidArgumentError("text after the end of the transaction");
  }
  if (line.empty()) {
    part_ = static_cast<Part>(static_cast<int>(part_) + 1);
    return absl::OkStatus();
  }
  if (part_ == Part::kCompares) {
    absl::StatusOr<Compare> compare = ParseCompare(line);
    if (compare.ok()) *request_.add_compare() = *std::move(compare);
    return compare.status();
  }
  absl::StatusOr<RequestOp> operation = ParseRequest(line);
  if (!operation.ok()) return operation.status();
  *(part_ == Part::kSuccess ? request_.add_success() : request_.add_failure()) =
      *std::move(operation);
  return absl::OkStatus();
}

}  // namespace pontoon::ctl
