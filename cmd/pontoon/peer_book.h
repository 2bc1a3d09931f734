// PeerBook: which data folder each peer had when it was first met.
//
// A member that lost its folder and begins anew with the same flags has the same id, and no memory
// of what it voted and acknowledged: it could vote a second time in one term, or help to elect a
// leader without the entries that it once acknowledged. So every member keeps book of its peers'
// incarnations (identity.h), durably before anything is taken from them, and turns a peer away that
// comes back with another one. Such a member has to be removed, and added with a new id.

#ifndef PONTOON_CMD_PONTOON_PEER_BOOK_H_
#define PONTOON_CMD_PONTOON_PEER_BOOK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/base/types.h"
#include "raft/env/file_system.h"

namespace pontoon {

using Incarnations = std::map<NodeId, uint64_t>;

// The contents of the file.
std::string FormatIncarnations(const Incarnations& incarnations);
// DATA_LOSS for anything that FormatIncarnations did not write.
absl::StatusOr<Incarnations> ParseIncarnations(absl::string_view text);

// What the operator of a member that came without its data has to do: sentences.
std::string HowToComeBack(NodeId member);
// FAILED_PRECONDITION, in words for the operators of `member` and of its peers.
absl::Status WipedMember(NodeId member);

// Thread safety: all methods may be called from any thread. Those that change the book wait for the
// disk, which happens once in the life of a member.
class PeerBook {
 public:
  // Reads the file at `path`, if there is one. Borrows `fs`. DATA_LOSS if the file is damaged, or
  // the file system's error.
  static absl::StatusOr<std::unique_ptr<PeerBook>> Open(FileSystem* fs, const std::string& path);

  // OK if `peer` was never met, and is durably noted now, or had this incarnation then too.
  // WipedMember if it had another one; UNAVAILABLE if it cannot be noted.
  absl::Status Admit(NodeId peer, uint64_t incarnation);

  // Nothing if `peer` was never met.
  std::optional<uint64_t> IncarnationOf(NodeId peer) const;

  // Forgets everybody else: who was removed never comes back under its id. If that cannot be
  // written they stay in the book, where they do no harm.
  void Retain(const std::set<NodeId>& peers);

 private:
  PeerBook(FileSystem* fs, std::string path, Incarnations incarnations)
      : fs_(fs), path_(std::move(path)), incarnations_(std::move(incarnations)) {}

  absl::Status Write(const Incarnations& incarnations);  // requires mutex_

  FileSystem* const fs_;
  const std::string path_;

  mutable std::mutex mutex_;   // held while the file is written, too: nobody is admitted meanwhile
  Incarnations incarnations_;  // guarded by mutex_; what the file holds
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_PEER_BOOK_H_
