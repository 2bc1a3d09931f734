// SessionFlag: --session FILE, by which commands see what those before them have seen.

#ifndef PONTOON_CMD_PONTOONCTL_SESSION_FLAG_H_
#define PONTOON_CMD_PONTOONCTL_SESSION_FLAG_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/ending.h"
#include "cmd/pontoonctl/range_pager.h"
#include "cmd/pontoonctl/session.h"
#include "kv/client/session_token.h"
#include "proto/rpc.pb.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// What a command does with the flag, in this order: Begin; AddTo or Through for what it reads; Saw
// for what it is answered; Conclude. Without the flag none of them does anything.
class SessionFlag {
 public:
  // `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app);

  // Reads the token. If there is one, asks a server which cluster it is of, so that nothing is
  // written to another one by mistake. An error says why the command must not go on.
  absl::Status Begin(Session& session, const Environment& environment);

  // Has a read wait for the revision of the token.
  void AddTo(etcdserverpb::RangeRequest* request) const;
  void AddTo(etcdserverpb::TxnRequest* request) const;

  // `fetch` with AddTo before and Saw after it. `this` must outlive it.
  RangePager::Fetch Through(RangePager::Fetch fetch);

  void Saw(const etcdserverpb::ResponseHeader& header);

  // Keeps what was seen. The end of the command, which would be `ending`: kPartial if all went well
  // and the token could not be kept.
  Ending Conclude(const Environment& environment, Ending ending) const;

 private:
  template <typename Request>
  void AddOptionsTo(Request* request) const;

  std::string path_;
  std::optional<SessionToken> token_;  // what the file held; nothing: a session that begins
  std::optional<SessionToken> seen_;   // the highest of this command's answers
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SESSION_FLAG_H_
