// MembershipChange: what an operator asks for, and the configuration that this leads to.

#ifndef PONTOON_RAFT_BASE_MEMBERSHIP_CHANGE_H_
#define PONTOON_RAFT_BASE_MEMBERSHIP_CHANGE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon {

struct MembershipChange {
  // The values are on the wire.
  enum class Kind : uint8_t {
    kAddLearner = 1,  // receives the log, until it is promoted
    kAddVoter = 2,    // the same, and the leader promotes it as soon as it keeps up
    kPromote = 3,     // a learner votes from now on
    kDemote = 4,      // a voter becomes a learner
    kRemove = 5,
    kUpdate = 6,  // other addresses
  };

  Kind kind = Kind::kAddLearner;
  NodeId node;
  std::vector<std::string> peer_urls{};  // of kAdd... and kUpdate
  // Of kAddLearner: there may be so many learners, this one included. Those that the leader
  // promotes by itself do not count. It is a part of the change, since only who makes it, and no
  // other before it is made, knows how many there are.
  std::optional<uint32_t> learners_max{};

  friend bool operator==(const MembershipChange&, const MembershipChange&) = default;
};

// Why a change was not begun. Nothing of it will happen later. The values are on the wire.
enum class ChangeRefusal : uint8_t {
  kNoLeader = 1,       // none is known
  kBusy = 2,           // another change is under way, or the leader is new or handing over
  kUnknownMember = 3,  // there is no such member
  kAlreadyMember = 4,  // the node takes part already
  kNotLearner = 5,     // only a learner can be promoted
  kNotVoter = 6,       // only a voter can be demoted
  kNoVoterLeft = 7,    // nobody would be left to vote
  kAddressTaken = 8,   // another member has one of these addresses
  kLearnerBehind = 9,  // the learner does not keep up yet
  kQuorumAtRisk = 10,  // too many of those who would vote then are not in contact with the leader
  kTooManyLearners = 11,  // there are as many learners as the change allows
};

// In words that go on after "refused: ".
const char* RefusalText(ChangeRefusal refusal);

// What `current`, which is not joint, becomes by `changes`, one after the other. They are made all
// together or not at all: so a member is replaced in one step.
std::variant<Membership, ChangeRefusal> ApplyChanges(const Membership& current,
                                                     std::span<const MembershipChange> changes);

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_MEMBERSHIP_CHANGE_H_
