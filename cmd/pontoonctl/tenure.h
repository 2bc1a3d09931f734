// HoldTenure: what "lock" and "elect" have in common. One gets a lease, waits for one's turn, holds
// what one got while a command runs or until the user has enough, and gives it back.

#ifndef PONTOON_CMD_PONTOONCTL_TENURE_H_
#define PONTOON_CMD_PONTOONCTL_TENURE_H_

#include <functional>
#include <string>
#include <vector>

#include "cmd/pontoonctl/command.h"
#include "proto/kv.pb.h"

namespace pontoon::ctl {

struct Tenure {
  // Of the lock or the office.
  std::string name;
  // That the holder's key gets.
  std::string value;
  int64_t ttl_seconds;
  // To run while it is held. None: it is held until the user interrupts it.
  std::vector<std::string> command;
  // Stands in the names of the variables by which the command learns of it: PONTOON_LOCK_KEY, with
  // the key, _TOKEN, with its create revision, and _REV, with a revision at which it is held; and
  // of etcdctl's two, ETCD_LOCK_KEY and _REV.
  std::string word;
  // Where there is no command: tells the user that it is held.
  std::function<void(const mvccpb::KeyValue&)> print;
};

// The lease is kept alive from before the wait until it is revoked in the end. If it is lost, the
// command gets SIGTERM, and the ending is kLeaseLost, whatever the command makes of it. Otherwise
// it ends with the command's exit code.
Ending HoldTenure(const Environment& environment, const Tenure& tenure);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_TENURE_H_
