// TxnParser: a transaction as people write it, in etcdctl's language.
//
//   mod("lock") = "0"
//                                      <- an empty line ends each of the three parts
//   put lock "my host"
//
//   get lock --keys-only
//
//
// A comparison is TARGET("KEY") OPERATOR VALUE. Targets: value (val), version (ver), create (c),
// mod (m): revisions; and lease, whose value is an ID in hexadecimal digits. Operators: = != < >.
// A request is a get, put or del with the same arguments as the command of that name. Words are
// separated by blanks; in "double quotes" a backslash escapes as in Go and C (\n \t \\ \" \x41
// \101), in 'single quotes' it does not.

#ifndef PONTOON_CMD_PONTOONCTL_TXN_PARSER_H_
#define PONTOON_CMD_PONTOONCTL_TXN_PARSER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Reads a transaction line by line. Where the text ends early, the parts that are missing are
// empty.
class TxnParser {
 public:
  enum class Part { kCompares, kSuccess, kFailure, kDone };

  // The part that the next line belongs to; kDone: there must be none.
  Part part() const { return part_; }

  // Takes a line without its end. The error begins with the line's number; the parser is of no use
  // after one.
  absl::Status AddLine(absl::string_view line);

  const etcdserverpb::TxnRequest& request() const { return request_; }

 private:
  absl::Status AddContent(absl::string_view line);

  Part part_ = Part::kCompares;
  int line_number_ = 0;
  etcdserverpb::TxnRequest request_;
};

// The parts of the language; each takes one line.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line);
absl::StatusOr<etcdserverpb::Compare> ParseCompare(absl::string_view line);
absl::StatusOr<etcdserverpb::RequestOp> ParseRequest(absl::string_view line);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_TXN_PARSER_H_
