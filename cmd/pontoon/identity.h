// Identity: which member of which cluster the data in a folder belongs to.
//
// Founders' ids are made as etcd makes them, from what every member is told when the cluster is
// created, so that all members come to the same ids without talking to each other:
//
//   member id  = first 8 bytes of SHA-1(peer URL, token)
//   cluster id = first 8 bytes of SHA-1(founders' ids, ascending)
//
// The id of a cluster that begins with a snapshot is also made from that, so that its members take
// neither those of the cluster which the snapshot is of for their own, nor one another's after they
// were given different ones:
//
//   cluster id = first 8 bytes of SHA-1(founders' ids, ascending, what tells the snapshot)
//
// A member that joins later is told its id and the cluster's by the others. Either way they are
// kept in the file `identity`: what the flags say later cannot turn a folder into another member's.

#ifndef PONTOON_CMD_PONTOON_IDENTITY_H_
#define PONTOON_CMD_PONTOON_IDENTITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/pontoon/config.h"
#include "kv/service/cluster_id.h"
#include "kv/service/url.h"
#include "raft/base/types.h"

namespace pontoon {

struct KnownMember {
  NodeId id;
  std::string name;  // empty: not known
  Url peer_url;

  friend bool operator==(const KnownMember&, const KnownMember&) = default;
};

// How a member came to be one.
enum class Origin {
  kFounder,  // at the cluster's creation: it votes from the beginning
  kJoiner,   // it was added: only the log says what it is
};

struct Identity {
  ClusterId cluster;
  NodeId member;
  std::string name;
  std::string token;
  Origin origin = Origin::kFounder;
  // Drawn at random when the folder was made. A member that lost its folder, and with it the memory
  // of its votes, has another one, by which its peers tell (peer_book.h). 0: the folder is older
  // than this.
  uint64_t incarnation = 0;
  // The founders; or those who were members when this one joined. By ascending id; `member` is one
  // of them.
  std::vector<KnownMember> first_members;
  // Of a joiner: those are the members by the committed log up to this entry. 0: it was not told,
  // or the folder is older than this.
  LogIndex known_at;
  // Of a founder: what tells the snapshot that its cluster began with. 0: it began with nothing.
  uint64_t snapshot = 0;

  friend bool operator==(const Identity&, const Identity&) = default;
};

// The identity of the member called `name` of a new cluster. `name` is among its members, each of
// which is there once.
Identity MakeFounder(absl::string_view name, const InitialCluster& cluster, uint64_t incarnation,
                     uint64_t snapshot = 0);

// The contents of the file: lines of text for the operator's eyes, and a checksum.
std::string FormatIdentity(const Identity& identity);
// DATA_LOSS for anything that FormatIdentity did not write; UNIMPLEMENTED for a newer format.
absl::StatusOr<Identity> ParseIdentity(absl::string_view text);

// "8e9e05c52164694d": how ids are shown.
std::string FormatId(uint64_t id);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_IDENTITY_H_
