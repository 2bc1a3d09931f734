// Who the members of the cluster are, and what they have told of themselves, by the log.
//
// Records:
//   'm' "configuration" -> the payload of the last membership entry (proto/membership.proto);
//   absent
//                          if there was none: the founding members are what they were
//   'm' "member" id (eight bytes, big endian) -> MemberPublication

#ifndef PONTOON_KV_STORE_MEMBER_RECORDS_H_
#define PONTOON_KV_STORE_MEMBER_RECORDS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/record_reader.h"
#include "kv/store/write_overlay.h"
#include "proto/command.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

// What `member` published last; nothing if it never did. DATA_LOSS if the record is damaged, or
// the reader's own error.
absl::StatusOr<std::optional<storage::v1::MemberPublication>> ReadMember(
    const RecordReader& records, NodeId member);

// A publication was committed: writes it down. False if it is from no member, by the last
// membership entry: then nothing would ever remove it. The reader's own error.
absl::StatusOr<bool> ApplyPublication(const storage::v1::MemberPublication& publication,
                                      WriteOverlay* overlay);

// A membership entry with `payload` was committed: writes it down, and removes what those have
// published who are no members any more. DATA_LOSS if it is no membership, or the reader's own
// error.
absl::Status ApplyMembership(const std::string& payload, WriteOverlay* overlay);

// Whether `record_key` is that of a record of this file.
bool IsMemberRecord(std::string_view record_key);

// The payload of the last membership entry; empty if there was none. DATA_LOSS if the record is
// damaged, or the reader's own error.
absl::StatusOr<std::string> ReadMembership(const RecordReader& records);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_MEMBER_RECORDS_H_
