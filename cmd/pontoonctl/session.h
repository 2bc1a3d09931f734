// Session: a command's way to the servers. It chooses the endpoint, and decides what is retried.

#ifndef PONTOON_CMD_PONTOONCTL_SESSION_H_
#define PONTOON_CMD_PONTOONCTL_SESSION_H_

#include <atomic>
#include <vector>

#include "absl/functional/function_ref.h"
#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/outcome.h"
#include "cmd/pontoonctl/server.h"

namespace pontoon::ctl {

// Sends requests to one of several endpoints: to the one that answered last, or else to the next in
// turn, with a pause after each whole round.
//
// The rule about retries: whatever certainly did not reach a server, or was certainly not applied
// there, is tried again until the deadline. A request that was sent and whose answer is lost is
// tried again, at the next endpoint, only if it changes nothing. A write is not: it may have been
// applied, and another one in between would be undone by the second attempt. Its outcome is
// reported as unknown. (A caller that can make a repeated write harmless, by a comparison in a
// transaction, may call Write again; see guarded_write.h.)
//
// Thread safe.
class Session {
 public:
  // One sending of a request. Called again for each attempt, with a new context.
  using Attempt = absl::FunctionRef<grpc::Status(Server&, grpc::ClientContext*)>;

  // There must be an endpoint.
  explicit Session(const std::vector<Endpoint>& endpoints);

  // A request that changes nothing.
  Reply Read(Deadline deadline, Attempt attempt);

  // A request that may change something.
  Reply Write(Deadline deadline, Attempt attempt);

  // A request that may change something, but whose repetition is harmless: it is sent again as a
  // read is. If it fails, its outcome may be unknown.
  Reply WriteRepeatable(Deadline deadline, Attempt attempt);

 private:
  enum class Kind { kRepeatable, kOnce };

  // Whether a failed attempt may be made again.
  static bool MayRetry(Kind kind, const Reply& reply);

  Reply Send(Kind kind, Deadline deadline, Attempt attempt);

  const ServerList servers_;
  // The place in servers_ to try first. Only a hint: threads may overwrite each other's.
  std::atomic<size_t> preferred_ = 0;
};

// Sends a request that changes nothing to one endpoint, once: to find out how that endpoint is.
Reply AskOnce(const Endpoint& endpoint, Deadline deadline, Session::Attempt attempt);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SESSION_H_
