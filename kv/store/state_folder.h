// StateFolder: where a store lives, and where the next one is made beside it.
//
// It holds generations of the state, each a LevelDB in a folder of its own, named by an index of
// the log in 16 hex digits: that of the last entry of the snapshot that the generation began as, 0
// for one that began as nothing. So a generation never holds less than its name says.
//
//   <name>            a generation
//   <name>.incoming   one that is being filled from a snapshot
//   <name>.retired    one that is being removed
//
// An incoming generation is synced and then renamed: from then on it is the state. A generation is
// not renamed while it is open, since LevelDB opens its files by their names.

#ifndef PONTOON_KV_STORE_STATE_FOLDER_H_
#define PONTOON_KV_STORE_STATE_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/database.h"
#include "kv/store/meta.h"
#include "kv/store/revision.h"
#include "kv/store/store_options.h"
#include "kv/store/strict_env.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// A generation, open, with what it says of itself.
struct Generation {
  std::shared_ptr<Database> database;
  StoreMeta meta;
  EventId scrubbed;
  LogIndex began_as;  // its name
};

// The name of a generation in its StateFolder.
std::string GenerationName(LogIndex index);

// Thread safety: all methods may be called from any thread; those with an index by one thread at a
// time for that index.
class StateFolder {
 public:
  // The parent of `dir` must exist.
  StateFolder(std::string dir, const StoreOptions& options);

  // Opens the generation that has applied most, begins a first one if there is none, and removes
  // all others and what was left unfinished. Errors are for the operator: DATA_LOSS if a generation
  // is damaged, FAILED_PRECONDITION if it is of another version, UNAVAILABLE if it cannot be opened
  // now.
  absl::StatusOr<Generation> OpenNewest();

  // Makes an empty database for an incoming generation. ALREADY_EXISTS if there is one of this
  // index, or a generation.
  absl::StatusOr<std::unique_ptr<Database>> BeginIncoming(LogIndex index);
  // Makes the incoming generation, which is synced and closed, one that counts, and opens it. After
  // an error nothing is left of it.
  absl::StatusOr<Generation> Commit(LogIndex index);
  // Removes an incoming generation that is closed.
  void RemoveIncoming(LogIndex index);

 private:
  std::string PathOf(LogIndex index) const;
  std::string IncomingPathOf(LogIndex index) const;
  // Makes the folder if there is none.
  absl::StatusOr<std::vector<std::string>> ListNames();
  absl::StatusOr<Generation> OpenGeneration(LogIndex index) const;

  const std::string dir_;
  const StoreOptions options_;
  const std::unique_ptr<StrictEnv> env_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STATE_FOLDER_H_
