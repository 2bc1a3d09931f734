// MemberBook: the founding members of the cluster, with what they have published since.

#ifndef PONTOON_CMD_PONTOON_MEMBER_BOOK_H_
#define PONTOON_CMD_PONTOON_MEMBER_BOOK_H_

#include <vector>

#include "cmd/pontoon/identity.h"
#include "kv/service/member_directory.h"

namespace pontoon {

class MemberBook final : public kv::MemberDirectory {
 public:
  explicit MemberBook(const Identity& identity) : founders_(identity.founders) {}

  absl::StatusOr<std::vector<kv::MemberInfo>> Members(const kv::ReadView& view) const override;

 private:
  const std::vector<FoundingMember> founders_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_MEMBER_BOOK_H_
