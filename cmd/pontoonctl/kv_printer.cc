#include "cmd/pontoonctl/kv_printer.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/key_range.h"

namespace pontoon::ctl {

using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::ResponseOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchResponse;

KvPrinter::Parts KvPrinter::PartsOf(const RangeRequest& request) {
  if (request.count_only()) return Parts::kCount;
  return request.keys_only() ? Parts::kKey : Parts::kKeyAndValue;
}

void KvPrinter::Print(const RangeResponse& response, Parts parts) {
  if (format_ == OutputFormat::kJson) return PrintJson(response);
  if (parts == Parts::kCount) {
    out_ << response.count() << '\n';
  } else if (format_ == OutputFormat::kTable) {
    PrintTable(response.kvs());
  } else {
    for (const mvccpb::KeyValue& kv : response.kvs()) PrintKv(kv, parts);
  }
}

void KvPrinter::Print(const PutResponse& response) {
  if (format_ == OutputFormat::kJson) return PrintJson(response);
  out_ << "OK\n";
  if (response.has_prev_kv()) PrintKv(response.prev_kv(), Parts::kKeyAndValue);
}

void KvPrinter::Print(const DeleteRangeResponse& response) {
  if (format_ == OutputFormat::kJson) return PrintJson(response);
  out_ << response.deleted() << '\n';
  if (format_ == OutputFormat::kTable && response.prev_kvs_size() > 0) {
    return PrintTable(response.prev_kvs());
  }
  for (const mvccpb::KeyValue& kv : response.prev_kvs()) PrintKv(kv, Parts::kKeyAndValue);
}

void KvPrinter::Print(const WatchResponse& response) {
  if (format_ == OutputFormat::kJson) return PrintJson(response);
  if (response.events().empty()) {
    out_ << "progress notify: " << response.header().revision() << '\n';
  }
  for (const mvccpb::Event& event : response.events()) {
    out_ << mvccpb::Event::EventType_Name(event.type()) << '\n';
    if (event.has_prev_kv()) PrintKv(event.prev_kv(), Parts::kKeyAndValue);
    PrintKv(event.kv(), Parts::kKeyAndValue);
  }
}

void KvPrinter::Print(const TxnRequest& request, const TxnResponse& response) {
  if (format_ == OutputFormat::kJson) return PrintJson(response);
  out_ << (response.succeeded() ? "SUCCESS\n" : "FAILURE\n");
  const auto& operations = response.succeeded() ? request.success() : request.failure();
  for (int i = 0; i < response.responses_size() && i < operations.size(); ++i) {
    const ResponseOp& part = response.responses(i);
    out_ << '\n';
    if (part.has_response_range()) {
      Print(part.response_range(), PartsOf(operations[i].request_range()));
    } else if (part.has_response_put()) {
      Print(part.response_put());
    } else if (part.has_response_delete_range()) {
      Print(part.response_delete_range());
    }
  }
}

void KvPrinter::PrintKv(const mvccpb::KeyValue& kv, Parts parts) {
  if (parts != Parts::kValue) out_ << Text(kv.key()) << '\n';
  if (parts != Parts::kKey) out_ << Text(kv.value()) << '\n';
}

void KvPrinter::PrintTable(const google::protobuf::RepeatedPtrField<mvccpb::KeyValue>& kvs) {
  Table table({"key", "value", "create revision", "mod revision", "version", "lease"});
  // A control character would break the box.
  const auto cell = [this](const std::string& bytes) {
    return bytes_ == Bytes::kHex ? HexEscape(bytes) : absl::Utf8SafeCEscape(bytes);
  };
  for (const mvccpb::KeyValue& kv : kvs) {
    table.AddRow({cell(kv.key()), cell(kv.value()), kv.create_revision(), kv.mod_revision(),
                  kv.version(),
                  kv.lease() == 0 ? Cell::None() : Cell(absl::StrCat(absl::Hex(kv.lease())))});
  }
  table.Print(OutputFormat::kTable, out_);
}

std::string KvPrinter::Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : status.ToString();
}

std::string KvPrinter::Text(absl::string_view bytes) const {
  return bytes_ == Bytes::kHex ? HexEscape(bytes) : std::string(bytes);
}

}  // namespace pontoon::ctl
