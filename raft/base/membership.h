// Membership: who takes part in the cluster, who counts, and where they are reached.

#ifndef PONTOON_RAFT_BASE_MEMBERSHIP_H_
#define PONTOON_RAFT_BASE_MEMBERSHIP_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/base/types.h"

namespace pontoon {

// What one member may have. It all goes into the log and every snapshot.
inline constexpr size_t kPeerUrlsMax = 16;
inline constexpr size_t kPeerUrlBytesMax = 256;

// Where members are reached by each other.
using PeerUrls = std::map<NodeId, std::vector<std::string>>;

// A configuration of the cluster. While `outgoing` is not empty the configuration is joint:
// decisions need a majority of `voters` and a majority of `outgoing` (thesis 4.3). The lists are
// sorted and hold no node twice.
//
// A node that joins knows no configuration yet: it has none but addresses.
struct Membership {
  std::vector<NodeId> voters{};
  std::vector<NodeId> outgoing{};  // the voters of the configuration that is being left
  // Receive the log, decide nothing; in a joint configuration, from the next one on.
  std::vector<NodeId> learners{};
  std::vector<NodeId> joining{};  // the learners that are to vote as soon as they keep up
  PeerUrls peer_urls{};

  bool IsJoint() const { return !outgoing.empty(); }
  // In this configuration, or in one of the two of a joint one.
  bool IsVoter(NodeId node) const;
  // Takes part, also once a joint configuration has been left.
  bool IsLasting(NodeId node) const;
  bool IsLastingVoter(NodeId node) const;
  bool IsLearner(NodeId node) const;
  // Whether `node` decides everything alone.
  bool IsOnlyVoter(NodeId node) const;
  // Every node that receives the log, sorted, each once.
  std::vector<NodeId> AllNodes() const;
  // Everybody whose vote may count, sorted, each once.
  std::vector<NodeId> AllVoters() const;

  // What a joint configuration leads to. Of a plain one: itself.
  Membership Target() const;
  // The joint configuration on the way from `*this` to `target`, both of them plain. `target`
  // itself if the same nodes vote: there is nothing to be agreed on by two majorities.
  Membership TowardsTarget(const Membership& target) const;

  friend bool operator==(const Membership&, const Membership&) = default;
};

// The bytes of proto/membership.proto.
std::string EncodeMembership(const Membership& membership);
// DATA_LOSS if `bytes` are none that EncodeMembership makes.
absl::StatusOr<Membership> DecodeMembership(absl::string_view bytes);

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_MEMBERSHIP_H_
