// Identity: which member of which cluster the data in a folder belongs to.
//
// The ids are made as etcd makes them, from what every member is told when the cluster is created,
// so that all members come to the same ids without talking to each other:
//
//   member id  = first 8 bytes of SHA-1(peer URL, token)
//   cluster id = first 8 bytes of SHA-1(member ids, ascending)
//
// They are computed once and then kept in the file `identity`: what the flags say later cannot turn
// a folder into another member's.

#ifndef PONTOON_CMD_PONTOON_IDENTITY_H_
#define PONTOON_CMD_PONTOON_IDENTITY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/url.h"
#include "kv/service/cluster_id.h"
#include "raft/base/types.h"

namespace pontoon {

struct FoundingMember {
  NodeId id;
  std::string name;
  Url peer_url;

  friend bool operator==(const FoundingMember&, const FoundingMember&) = default;
};

struct Identity {
  ClusterId cluster;
  NodeId member;
  std::string name;
  std::string token;
  // The members at the cluster's creation, by ascending id; `member` is one of them.
  std::vector<FoundingMember> founders;

  friend bool operator==(const Identity&, const Identity&) = default;
};

NodeId MemberIdOf(const Url& peer_url, absl::string_view token);

// The identity of the member called `name` of a new cluster. `name` is among its members.
Identity MakeIdentity(absl::string_view name, const InitialCluster& cluster);

// The contents of the file: lines of text for the operator's eyes, and a checksum.
std::string FormatIdentity(const Identity& identity);
// DATA_LOSS for anything that FormatIdentity did not write; UNIMPLEMENTED for a newer format.
absl::StatusOr<Identity> ParseIdentity(absl::string_view text);

// "8e9e05c52164694d": how ids are shown.
std::string FormatId(uint64_t id);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_IDENTITY_H_
