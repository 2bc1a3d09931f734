#include "cmd/pontoon/member_book.h"

#include <utility>

#include "kv/store/member_records.h"

namespace pontoon {

absl::StatusOr<std::vector<kv::MemberInfo>> MemberBook::Members(const kv::ReadView& view) const {
  std::vector<kv::MemberInfo> members;
  for (const FoundingMember& founder : founders_) {
    kv::MemberInfo info{.id = founder.id,
                        .name = founder.name,
                        .peer_urls = {founder.peer_url.ToString()},
                        .client_urls = {}};
    auto published = kv::ReadMember(view.records(), founder.id);
    if (!published.ok()) return published.status();
    if (published->has_value()) {
      info.name = (*published)->name();
      info.client_urls.assign((*published)->client_urls().begin(),
                              (*published)->client_urls().end());
    }
    members.push_back(std::move(info));
  }
  return members;
}

}  // namespace pontoon
