// Introduction: what a member tells over the peer port about the cluster: to a node that is to join
// it, or to another member that has lost touch.

#ifndef PONTOON_RAFT_TRANSPORT_INTRODUCTION_H_
#define PONTOON_RAFT_TRANSPORT_INTRODUCTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raft/base/types.h"
#include "raft/transport/greeting.h"

namespace pontoon::peer::v1 {
class IntroduceRequest;
class IntroduceResponse;
}  // namespace pontoon::peer::v1

namespace pontoon::raft {

struct Introduction {
  struct Member {
    NodeId id;
    std::string name;  // empty until it has started
    std::vector<std::string> peer_urls;
    std::optional<uint64_t> data_incarnation;  // nothing: the one who tells has never met it

    friend bool operator==(const Member&, const Member&) = default;
  };

  uint64_t cluster_id = 0;
  NodeId self;        // who the asking node is
  std::string token;  // the cluster's
  std::vector<Member> members;
  // They are the members by the committed log up to this entry, which tells older news from newer.
  // 0: not told.
  LogIndex membership_index;

  friend bool operator==(const Introduction&, const Introduction&) = default;
};

// What was answered, and whose word it is. Who asks has to know the teller before it acts upon its
// word: a cluster that was wiped and made again answers under the same ids.
struct IntroductionAnswer {
  Identity teller;                            // its `incarnation` is not told
  absl::StatusOr<Introduction> introduction;  // or the Introducer's error
};

// Who asks.
struct IntroductionRequest {
  // Of a node that joins: where it is to be reached.
  std::vector<std::string> peer_urls;
  // Of a member: who it is. Its own `incarnation` does not matter.
  std::optional<Identity> self = {};
};

// Finds the member that asks: for a node that joins, the one that has one of its addresses. Calls
// `done`, once, on any thread. NOT_FOUND if there is no such member, as a quorum has confirmed;
// FAILED_PRECONDITION if the one who asks cannot be it; UNAVAILABLE if nothing can be said now.
using IntroductionCallback = absl::AnyInvocable<void(absl::StatusOr<Introduction>) &&>;
using Introducer = std::function<void(IntroductionRequest request, IntroductionCallback done)>;

IntroductionRequest ReadIntroductionRequest(const peer::v1::IntroduceRequest& request);
// INVALID_ARGUMENT if the request has more, or longer, addresses than a member may have.
absl::Status CheckIntroductionRequest(const peer::v1::IntroduceRequest& request);
void WriteAnswer(const IntroductionAnswer& answer, peer::v1::IntroduceResponse* response);

// Asks the member that listens for peers at `address` ("host:port"), and waits for the answer.
// Without one: UNAVAILABLE or DEADLINE_EXCEEDED, in words for the operator, if none comes within
// `timeout`; FAILED_PRECONDITION if it cannot be from a member; INVALID_ARGUMENT if no member would
// answer such a request; UNIMPLEMENTED if the version that runs there cannot introduce anybody.
absl::StatusOr<IntroductionAnswer> AskForIntroduction(const std::string& address,
                                                      const IntroductionRequest& request,
                                                      absl::Duration timeout);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_INTRODUCTION_H_
