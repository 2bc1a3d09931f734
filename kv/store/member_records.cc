#include "kv/store/member_records.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kv/store/layout.h"

namespace pontoon::kv {
namespace {

using storage::v1::MemberPublication;

std::string RecordKey(NodeId member) {
  std::string key = absl::StrCat(std::string(1, kMetaPrefix), "member");
  AppendFixed64(member.value(), &key);
  return key;
}

}  // namespace

MetaRecord MemberRecord(const MemberPublication& publication) {
  return {RecordKey(NodeId(publication.member_id())), publication.SerializeAsString()};
}

absl::StatusOr<std::optional<MemberPublication>> ReadMember(const RecordReader& records,
                                                            NodeId member) {
  std::string value;
  absl::StatusOr<bool> found = records.Get(RecordKey(member), &value);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  MemberPublication publication;
  if (!publication.ParseFromString(value) || NodeId(publication.member_id()) != member) {
    return absl::DataLossError(absl::StrCat("damaged record of member ", FormatNodeId(member)));
  }
  return publication;
}

}  // namespace pontoon::kv
