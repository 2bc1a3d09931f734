#include "tests/differential/program.h"

#include <google/protobuf/text_format.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/differential/symbols.h"

namespace pontoon::differential {
namespace {

using google::protobuf::Message;
using google::protobuf::TextFormat;

// Of a string, so much is shown.
constexpr size_t kShownBytesMax = 24;

class SymbolPrinter : public TextFormat::FastFieldValuePrinter {
 public:
  void PrintInt64(int64_t value, TextFormat::BaseTextGenerator* out) const override {
    if (IsRelativeRevision(value)) {
      out->PrintString(absl::StrFormat("base%+d", value - kBaseRevision));
    } else if (IsDrawnLease(value)) {
      out->PrintString(absl::StrCat("drawn", value - kFirstDrawnLease));
    } else {
      out->PrintString(absl::StrCat(value));
    }
  }

  void PrintBytes(const std::string& value, TextFormat::BaseTextGenerator* out) const override {
    out->PrintString(absl::StrCat("\"", absl::CHexEscape(value.substr(0, kShownBytesMax)), "\""));
    if (value.size() > kShownBytesMax) {
      out->PrintString(absl::StrCat("... (", value.size(), " bytes)"));
    }
  }
};

TextFormat::Printer NewPrinter() {
  TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetDefaultFieldValuePrinter(new SymbolPrinter);  // becomes the printer's
  return printer;
}

std::string KindOfWatch(const etcdserverpb::WatchRequest& request) {
  using etcdserverpb::WatchRequest;
  switch (request.request_union_case()) {
    case WatchRequest::kCreateRequest:
      return "WatchCreate";
    case WatchRequest::kCancelRequest:
      return "WatchCancel";
    case WatchRequest::kProgressRequest:
      return "WatchProgress";
    case WatchRequest::REQUEST_UNION_NOT_SET:
      return "WatchNothing";
  }
  return "WatchNothing";
}

}  // namespace

const Message& RequestOf(const Call& call) { return *MutableRequestOf(const_cast<Call*>(&call)); }

Message* MutableRequestOf(Call* call) {
  if (auto* watch = std::get_if<WatchCall>(call)) return &watch->request;
  return std::visit(
      [](auto& request) -> Message* {
        if constexpr (std::is_base_of_v<Message, std::decay_t<decltype(request)>>) return &request;
        return nullptr;
      },
      *call);
}

std::string KindOf(const Call& call) {
  if (const auto* watch = std::get_if<WatchCall>(&call)) return KindOfWatch(watch->request);
  std::string_view name = RequestOf(call).GetDescriptor()->name();
  name.remove_suffix(std::string_view("Request").size());
  return std::string(name);
}

std::string TextOf(const Message& message) {
  static const TextFormat::Printer& printer = *new TextFormat::Printer(NewPrinter());
  std::string text;
  printer.PrintToString(message, &text);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string TextOf(const Call& call) {
  const auto* watch = std::get_if<WatchCall>(&call);
  const std::string stream = watch == nullptr ? "" : absl::StrCat(" on stream ", watch->stream);
  return absl::StrCat(KindOf(call), stream, " { ", TextOf(RequestOf(call)), " }");
}

std::string TextOf(const Program& program) {
  std::string text;
  for (size_t i = 0; i < program.calls.size(); ++i) {
    absl::StrAppend(&text, i, ": ", TextOf(program.calls[i]), "\n");
  }
  return text;
}

}  // namespace pontoon::differential
