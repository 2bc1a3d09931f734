#include "cmd/pontoon/member_book.h"

#include "kv/store/member_records.h"

namespace pontoon {

MemberBook::MemberBook(const Identity& identity) {
  for (const KnownMember& member : identity.first_members) first_names_[member.id] = member.name;
}

absl::StatusOr<std::vector<kv::MemberInfo>> MemberBook::Members(
    const kv::ReadView& view, const Membership& membership) const {
  std::vector<kv::MemberInfo> members;
  for (const NodeId node : membership.AllNodes()) {
    kv::MemberInfo& info = members.emplace_back();
    info.id = node;
    if (const auto name = first_names_.find(node); name != first_names_.end()) {
      info.name = name->second;
    }
    if (const auto urls = membership.peer_urls.find(node); urls != membership.peer_urls.end()) {
      info.peer_urls = urls->second;
    }
    auto published = kv::ReadMember(view.records(), node);
    if (!published.ok()) return published.status();
    if (published->has_value()) {
      info.name = (*published)->name();
      info.client_urls.assign((*published)->client_urls().begin(),
                              (*published)->client_urls().end());
    }
  }
  return members;
}

}  // namespace pontoon
