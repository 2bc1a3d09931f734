#include "cmd/pontoonctl/watch_variables.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pontoon::ctl {
namespace {

constexpr unsigned char kDelete = 0x7f;

// The characters that Go writes as a backslash and a letter, and the letters.
constexpr absl::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
constexpr absl::string_view kLetters = "abfnrtv\\\"";

std::string GoQuoted(absl::string_view bytes) {
  std::string quoted = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (const size_t place = kEscaped.find(c); place != absl::string_view::npos) {
      quoted.append({'\\', kLetters[place]});
    } else if (byte < ' ' || byte == kDelete) {
      absl::StrAppend(&quoted, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

void Add(absl::string_view name, absl::string_view bytes, std::vector<std::string>* variables) {
  if (bytes.size() > kVariableBytesMax) return;
  if (bytes.find('\0') == absl::string_view::npos) {
    variables->push_back(absl::StrCat("PONTOON_WATCH_", name, "=", bytes));
  }
  variables->push_back(absl::StrCat("ETCD_WATCH_", name, "=", GoQuoted(bytes)));
}

}  // namespace

std::vector<std::string> WatchVariables(const mvccpb::Event& event) {
  const int64_t revision = event.kv().mod_revision();
  std::vector<std::string> variables = {absl::StrCat("PONTOON_WATCH_REVISION=", revision),
                                        absl::StrCat("ETCD_WATCH_REVISION=", revision)};
  Add("EVENT_TYPE", mvccpb::Event::EventType_Name(event.type()), &variables);
  Add("KEY", event.kv().key(), &variables);
  Add("VALUE", event.kv().value(), &variables);
  return variables;
}

}  // namespace pontoon::ctl
