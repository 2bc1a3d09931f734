// KvPrinter: the answers to get, put, del, txn and watch, as text.

#ifndef PONTOON_CMD_PONTOONCTL_KV_PRINTER_H_
#define PONTOON_CMD_PONTOONCTL_KV_PRINTER_H_

#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "cmd/pontoonctl/table.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Prints to a stream that must outlive it. Plain output is etcdctl's: a line for the key, a line
// for the value. (Unlike there, keys without values have no empty lines between, and a count is
// printed.) JSON is the response message as etcd's JSON gateway writes it, bytes in base64.
class KvPrinter {
 public:
  enum class Bytes { kRaw, kHex };

  // Which parts of a found key plain output shows.
  enum class Parts { kKeyAndValue, kKey, kValue, kCount };

  KvPrinter(OutputFormat format, Bytes bytes, std::ostream& out)
      : format_(format), bytes_(bytes), out_(out) {}

  void Print(const etcdserverpb::RangeResponse& response, Parts parts);
  void Print(const etcdserverpb::PutResponse& response);
  void Print(const etcdserverpb::DeleteRangeResponse& response);
  // A line for the kind of each event, then the key before it (if it was asked for) and after it;
  // or how far the watch is. A table would have no end: it is printed like plain output.
  void Print(const etcdserverpb::WatchResponse& response);
  // The request says which parts were asked for.
  void Print(const etcdserverpb::TxnRequest& request, const etcdserverpb::TxnResponse& response);

  OutputFormat format() const { return format_; }
  std::ostream& out() const { return out_; }

  // Without a line break.
  static std::string Json(const google::protobuf::Message& message);

  // The parts that a response to `request` has.
  static Parts PartsOf(const etcdserverpb::RangeRequest& request);

 private:
  void PrintKv(const mvccpb::KeyValue& kv, Parts parts);
  void PrintTable(const google::protobuf::RepeatedPtrField<mvccpb::KeyValue>& kvs);
  void PrintJson(const google::protobuf::Message& response) { out_ << Json(response) << '\n'; }
  std::string Text(absl::string_view bytes) const;

  OutputFormat format_;
  Bytes bytes_;
  std::ostream& out_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_KV_PRINTER_H_
