// What the members of the cluster have told of themselves through the log.
//
// Record: 'm' "member" id (eight bytes, big endian) -> MemberPublication

#ifndef PONTOON_KV_STORE_MEMBER_RECORDS_H_
#define PONTOON_KV_STORE_MEMBER_RECORDS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "kv/store/meta.h"
#include "kv/store/record_reader.h"
#include "proto/command.pb.h"
#include "raft/base/types.h"

namespace pontoon::kv {

MetaRecord MemberRecord(const storage::v1::MemberPublication& publication);

// What `member` published last; nothing if it never did. DATA_LOSS if the record is damaged, or
// the reader's own error.
absl::StatusOr<std::optional<storage::v1::MemberPublication>> ReadMember(
    const RecordReader& records, NodeId member);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_MEMBER_RECORDS_H_
