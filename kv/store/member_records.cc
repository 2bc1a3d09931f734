#include "kv/store/member_records.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/store/layout.h"
#include "raft/base/membership.h"

namespace pontoon::kv {
namespace {

using storage::v1::MemberPublication;

const std::string& ConfigurationKey() {
  static const auto* const key = new std::string(std::string(1, kMetaPrefix) + "configuration");
  return *key;
}

const std::string& PublicationPrefix() {
  static const auto* const prefix = new std::string(std::string(1, kMetaPrefix) + "member");
  return *prefix;
}

std::string RecordKey(NodeId member) {
  std::string key = PublicationPrefix();
  AppendFixed64(member.value(), &key);
  return key;
}

// The keys of what was published by nodes that are none of `membership`.
absl::StatusOr<std::vector<std::string>> PublishedByOthers(const RecordReader& records,
                                                           const Membership& membership) {
  std::vector<std::string> keys;
  const std::unique_ptr<RecordIterator> record = records.NewIterator();
  for (record->Seek(PublicationPrefix());
       record->Valid() && record->key().starts_with(PublicationPrefix()); record->Next()) {
    std::string_view id = record->key().substr(PublicationPrefix().size());
    const std::optional<uint64_t> member = TakeFixed64(&id);
    if (!member.has_value() || !id.empty()) {
      return absl::DataLossError("damaged key of a member's record");
    }
    if (!membership.IsLasting(NodeId(*member))) keys.emplace_back(record->key());
  }
  if (!record->status().ok()) return record->status();
  return keys;
}

}  // namespace

absl::StatusOr<bool> ApplyPublication(const MemberPublication& publication, WriteOverlay* overlay) {
  const NodeId member(publication.member_id());
  if (member == kNoNode) return false;
  const absl::StatusOr<std::string> payload = ReadMembership(*overlay);
  if (!payload.ok()) return payload.status();
  if (!payload->empty() && !DecodeMembership(*payload)->IsLasting(member)) return false;
  overlay->Put(RecordKey(member), publication.SerializeAsString());
  return true;
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

absl::Status ApplyMembership(const std::string& payload, WriteOverlay* overlay) {
  const absl::StatusOr<Membership> membership = DecodeMembership(payload);
  if (!membership.ok()) return membership.status();
  const absl::StatusOr<std::vector<std::string>> gone = PublishedByOthers(*overlay, *membership);
  if (!gone.ok()) return gone.status();
  for (const std::string& key : *gone) overlay->Delete(key);
  overlay->Put(ConfigurationKey(), payload);
  return absl::OkStatus();
}

bool IsMemberRecord(std::string_view record_key) {
  return record_key == ConfigurationKey() || record_key.starts_with(PublicationPrefix());
}

absl::StatusOr<std::string> ReadMembership(const RecordReader& records) {
  std::string payload;
  const absl::StatusOr<bool> found = records.Get(ConfigurationKey(), &payload);
  if (!found.ok()) return found.status();
  if (!*found) return std::string();
  if (!DecodeMembership(payload).ok()) {
    return absl::DataLossError("damaged record of the cluster's configuration");
  }
  return payload;
}

}  // namespace pontoon::kv
