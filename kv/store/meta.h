// StoreMeta: what the store knows of itself.
//
// Records, all integers eight bytes, big endian:
//   'm' "alarms"    -> see AlarmSet; absent if there was never any
//   'm' "applied"   -> index, term of the last entry that was applied
//   'm' "compacted" -> the compacted revision; absent if there was no compaction
//   'm' "configuration", 'm' "member" id -> see member_records.h
//   'm' "digest"    -> the StateDigest
//   'm' "format"    -> kFormatVersion
//   'm' "revision"  -> the current revision
//   'm' "scrubbed"  -> main, sub: how far old versions were removed (scrubber.h); absent likewise

#ifndef PONTOON_KV_STORE_META_H_
#define PONTOON_KV_STORE_META_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "kv/store/alarms.h"
#include "kv/store/record_reader.h"
#include "kv/store/revision.h"
#include "kv/store/state_digest.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// The version of the disk format: of layout.h, of this file, and of state_folder.h.
inline constexpr uint64_t kFormatVersion = 5;

// The replicated part: the same on every node that has applied the same entries.
struct StoreMeta {
  LogPosition applied;
  Revision revision = kFirstRevision;
  Revision compacted = kNeverCompacted;
  AlarmSet alarms;
  StateDigest digest;

  friend bool operator==(const StoreMeta&, const StoreMeta&) = default;
};

// A record, ready to be written.
using MetaRecord = std::pair<std::string, std::string>;

MetaRecord AlarmsRecord(const AlarmSet& alarms);
MetaRecord AppliedRecord(LogPosition applied);
MetaRecord CompactedRecord(Revision compacted);
MetaRecord DigestRecord(StateDigest digest);
MetaRecord FormatRecord();
MetaRecord RevisionRecord(Revision revision);
MetaRecord ScrubbedRecord(EventId scrubbed);

// NOT_FOUND if there are no records of any kind; FAILED_PRECONDITION if they are of another format;
// DATA_LOSS if they are damaged.
absl::StatusOr<StoreMeta> ReadMeta(const RecordReader& records);

// EventId() if nothing was scrubbed. DATA_LOSS if the record is damaged.
absl::StatusOr<EventId> ReadScrubbed(const RecordReader& records);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_META_H_
