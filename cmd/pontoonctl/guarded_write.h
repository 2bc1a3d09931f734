// ApplyGuarded: one write that may be sent again and again, and still happens at most once.
//
// A plain put whose answer is lost must not be repeated: it may have been applied, and what others
// wrote since would be lost. So the write is a transaction,
//
//   if mod_revision(key) == seen  then put(key, value)  else get(key)
//
// where `seen` is the mod_revision that the key had when it was compared with our value (0: no such
// key). Every put gives the key a new mod_revision, so of all copies of this transaction, wherever
// and whenever they arrive, only one can succeed. Hence it may be repeated after any failure, at
// any endpoint, and the answer says what happened:
//
//   the comparison held            the write is applied, now
//   not, and the key has our value an earlier copy was applied (or somebody wrote the same): done
//   not, and it has another one    somebody else wrote it: a conflict, which is reported, or
//                                  overwritten by starting again from its mod_revision
//
// One case looks like "never written": a key that was absent, that a lost copy created and that
// somebody else deleted since. Then it is written once more, as an import that began now would do.

#ifndef PONTOON_CMD_PONTOONCTL_GUARDED_WRITE_H_
#define PONTOON_CMD_PONTOONCTL_GUARDED_WRITE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/outcome.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

struct GuardedWrite {
  enum class OnConflict { kReport, kOverwrite };

  std::string key = {};
  // Not set: delete the key.
  std::optional<std::string> value = {};
  int64_t seen_mod_revision = 0;
  OnConflict on_conflict = OnConflict::kReport;
};

struct GuardedEnd {
  enum class Kind {
    kApplied,
    // By an earlier copy whose answer was lost, or by somebody with the same wish.
    kFoundApplied,
    // The key changed since it was seen; nothing was written.
    kConflict,
    // The server refused; nothing was written.
    kRefused,
    // The deadline passed without an answer; it may or may not have been written.
    kGaveUp,
  };

  Kind kind;
  // Why, unless it is applied.
  std::string reason = {};
};

// Sends the transaction once.
using SendTxn =
    absl::FunctionRef<Reply(const etcdserverpb::TxnRequest&, etcdserverpb::TxnResponse*)>;

// Called with each failure after which the write is sent again.
using OnRetry = absl::FunctionRef<void(const Reply&)>;

GuardedEnd ApplyGuarded(GuardedWrite write, Backoff backoff, SendTxn send, OnRetry on_retry);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_GUARDED_WRITE_H_
