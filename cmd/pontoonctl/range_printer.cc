#include "cmd/pontoonctl/range_printer.h"

#include <string>

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeResponse;

// What stands between the braces of the JSON of `response`.
std::string JsonMembers(const RangeResponse& response) {
  const std::string json = KvPrinter::Json(response);
  return json.substr(1, json.size() - 2);
}

}  // namespace

void RangePrinter::Add(const RangeResponse& page) {
  switch (printer_.format()) {
    case OutputFormat::kJson:
      AddJson(page);
      break;
    case OutputFormat::kTable:
      rest_.mutable_kvs()->MergeFrom(page.kvs());
      break;
    case OutputFormat::kPlain:
      printer_.Print(page, parts_);
      break;
  }
  if (pages_++ == 0) {
    rest_.set_count(page.count());
    if (page.has_read_report()) *rest_.mutable_read_report() = page.read_report();
  }
  rest_.set_more(page.more());
}

void RangePrinter::AddJson(const RangeResponse& page) {
  if (pages_ == 0) {
    RangeResponse beginning;
    *beginning.mutable_header() = page.header();
    printer_.out() << '{' << JsonMembers(beginning);
  }
  for (const mvccpb::KeyValue& kv : page.kvs()) {
    printer_.out() << (kvs_++ == 0 ? ",\"kvs\":[" : ",") << KvPrinter::Json(kv);
  }
}

void RangePrinter::Finish() {
  if (printer_.format() == OutputFormat::kTable) printer_.Print(rest_, parts_);
  if (printer_.format() != OutputFormat::kJson) return;
  if (kvs_ > 0) printer_.out() << ']';
  const std::string end = JsonMembers(rest_);
  printer_.out() << (end.empty() ? "" : ",") << end << "}\n";
}

}  // namespace pontoon::ctl
