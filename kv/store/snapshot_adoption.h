// SnapshotAdoption: the state of one cluster as the beginning of another one.

#ifndef PONTOON_KV_STORE_SNAPSHOT_ADOPTION_H_
#define PONTOON_KV_STORE_SNAPSHOT_ADOPTION_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "kv/store/meta_records.h"
#include "kv/store/snapshot_stream.h"
#include "raft/base/snapshot.h"
#include "raft/base/types.h"

namespace pontoon::kv {

struct AdoptionOptions {
  // The new cluster goes on so many revisions later. To go on from a snapshot is to go back in
  // time: clients that have seen later revisions would take what comes for what they know. With
  // more of them than the old cluster made since the snapshot, the revision never goes back.
  int64_t revisions_skipped = 0;
  // Has every revision count as compacted, up to the one the new cluster begins at: whoever watches
  // from an earlier one is told to read anew.
  bool compacted = false;
};

// Copies the stream of a snapshot, but for what is of the old cluster alone: its members, and their
// alarms. Keys, versions and leases are the same, and so is the position: the new cluster's log
// begins after it.
//
// Thread safety: none.
class SnapshotAdoption {
 public:
  // The stream that is written is one of `position`; `sink`, which is borrowed, takes the new one.
  SnapshotAdoption(LogPosition position, const AdoptionOptions& options, SnapshotSink* sink);

  // The next bytes of the stream, cut anywhere; zeros may follow its end. DATA_LOSS if they are
  // damaged, or the sink's error; that lasts.
  absl::Status Write(std::string_view bytes);

  // Finishes the sink. INVALID_ARGUMENT if there are not so many revisions left; otherwise as
  // Write.
  absl::Status Finish();

 private:
  // Passes on the records of the store itself, changed; once.
  absl::Status PassMeta();
  absl::Status PassStream();

  const AdoptionOptions options_;
  SnapshotSink* const sink_;
  SnapshotStreamReader reader_;
  SnapshotStreamWriter writer_;
  MetaRecords meta_;
  bool meta_passed_ = false;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_SNAPSHOT_ADOPTION_H_
