// Registrar: tells nodes that are to join the cluster who they are there, and members that have
// lost touch who the others are.

#ifndef PONTOON_CMD_PONTOON_REGISTRAR_H_
#define PONTOON_CMD_PONTOON_REGISTRAR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/pontoon/identity.h"
#include "cmd/pontoon/member_book.h"
#include "cmd/pontoon/peer_book.h"
#include "kv/store/kv_store.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"
#include "raft/transport/introduction.h"

namespace pontoon {

// Answers from the committed membership, after a barrier: whoever is not in it then was not added,
// and waiting would not help.
//
// Thread safety: Introduce may be called from any thread.
class Registrar {
 public:
  struct Parts {  // all borrowed
    const Identity* identity;
    raft::Replica* replica;
    const kv::KvStore* store;
    const PeerBook* peers;
    const Clock* clock;
    Executor* executor;  // where the store is read
  };

  explicit Registrar(const Parts& parts) : parts_(parts), members_(*parts.identity) {}

  // As raft::Introducer.
  void Introduce(raft::IntroductionRequest request, raft::IntroductionCallback done);

 private:
  absl::StatusOr<raft::Introduction> Find(const raft::IntroductionRequest& request) const;

  const Parts parts_;
  const MemberBook members_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_REGISTRAR_H_
