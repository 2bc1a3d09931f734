// SegmentedLog: the LogStore that keeps its entries in preallocated segment files.
//
// What is on the disk, byte by byte, is in log_format.h, vote_file.h, begin_file.h and
// members_file.h. This is how it is used.
//
// Writing. One Write puts the entries of all its batches into one frame, with one write and one
// sync (several frames if they are more than frame_bytes_max). Votes are saved first, in their own
// file: to lose entries and keep the term that they came with is safe, the reverse is not. Each
// frame is written only after the frame before it was synced.
//
// Repair. That last sentence is what tells a crash from damage, when a frame is found whose
// checksum is wrong:
//
//   - Something of a later write follows it: a valid frame or the header of one, or any byte behind
//     the end that its own header gives, if that is valid. Then it was synced once, and whole: the
//     disk, or somebody, changed it later. It may hold entries that this node acknowledged. To cut
//     the log there, as a store with one owner would, could undo a commit ("Protocol-Aware Recovery
//     for Consensus-Based Storage", FAST 2018). Open refuses, and names the file and the byte.
//   - It is not in the newest segment. A new segment is begun only after the last frame of the old
//     one was synced: the same.
//   - Nothing of that kind follows it in the newest segment. Then it is the last write, cut short
//     by a crash and never acknowledged. Open cuts it off, durably, logs that, and goes on. (A last
//     frame that was whole, and rotted afterwards, looks the same: no checksum can tell them
//     apart.)
//
// Before Open returns it makes durable what it found, so that no later answer rests on something
// that only the system's cache holds.
//
// Truncation. Nothing is ever overwritten. Dropping the entries from index i on begins a new
// segment with i as its first index: a segment replaces what the ones with lower sequence numbers
// hold from its first index on. The files of which nothing is left are removed, newest first; those
// that a crash leaves behind stay replaced and are removed at the next Open. Therefore an old
// suffix never comes back, whatever part of the removal the disk kept.
//
// Reset. ResetTo, and a batch with reset_to, begin a segment that is marked to replace all others.
//
// Dropping a prefix. A log begins with a segment that is marked to replace all others: a log
// without one has lost its first segments, and Open refuses. DropPrefix removes that segment on
// purpose, so it first says so, durably, in the begin file: segments whose sequence is lower than S
// were dropped; segment S, which goes on after (index, term), is the first. The rule of Open is:
// what is below S goes, whatever of it is there; of the rest, the first that is not replaced must
// be S itself or be marked. A crash leaves one of these:
//
//   - The old begin file, or none, and all segments: nothing was dropped.
//   - The new begin file, and any of the segments below S: Open removes them. The files go only
//     after the begin file has its name for good, so there is no third case.
//
// S is never replaced by a segment that is not marked: a truncation that leaves no entry begins a
// marked one. A marked segment is newer than S, since it replaced S or a later one; the begin file
// may then stay as it is, until the next drop. A begin file that was lost, or is an older one, does
// not name the first segment: Open refuses, unless that is marked.
//
// Configurations. Those of the log's entries are read with them. The one in effect where the log
// begins is in the members file, which is saved before the begin file of a drop that takes a newer
// one from the log, and before the segment of a reset. After a crash in between, the log begins
// where it did, and the members file has a configuration of a later entry. That of a drop is still
// in the log, and applied. That of a reset is of a snapshot that was not installed; as the node
// starts it will be (log_fit.h), or the state was removed meanwhile. In any case it is a committed
// one, later than what the log had at its beginning, and takes its place: a node that counts votes
// by a committed configuration cannot win before its own log has that (thesis 4.1).
//
// Each segment is written under a temporary name, synced, renamed, and its folder synced, before
// the first frame goes into it.

#ifndef PONTOON_RAFT_STORAGE_SEGMENTED_LOG_H_
#define PONTOON_RAFT_STORAGE_SEGMENTED_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "raft/env/file_system.h"
#include "raft/storage/log_store.h"

namespace pontoon::raft {

struct SegmentedLogOptions {
  // The size of a segment, reserved when it is begun. A frame that is larger gets a segment of its
  // own size.
  uint64_t segment_bytes = 64 << 20;
  // Entries of more bytes than this together are written in several frames, each with its own sync.
  // A single entry may be larger.
  uint64_t frame_bytes_max = 16 << 20;
};

// Opens the log in the folder `dir`, which is created if it is missing; the one that it lies in
// must exist. `recovered` becomes what the log holds. The log does not own `fs`. Nobody else may
// have the folder open: locking it is up to the caller.
//
// DATA_LOSS, with the file and the byte, if the node cannot know any more what it promised: a
// damaged frame (see above), a segment, the vote file or the begin file damaged or missing, the
// members file damaged, or a vote file that does not know the term of an entry. Nothing was changed
// then. But if it is the
// newest segment that is missing, or the end of its frames, the log just ends earlier: nothing in
// it tells that there was more.
absl::StatusOr<std::unique_ptr<LogStore>> OpenSegmentedLog(FileSystem* fs, const std::string& dir,
                                                           const SegmentedLogOptions& options,
                                                           RecoveredLog* recovered);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_SEGMENTED_LOG_H_
