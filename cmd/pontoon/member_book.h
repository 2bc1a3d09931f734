// MemberBook: the members of the cluster, with what they have told of themselves.

#ifndef PONTOON_CMD_PONTOON_MEMBER_BOOK_H_
#define PONTOON_CMD_PONTOON_MEMBER_BOOK_H_

#include <map>
#include <string>
#include <vector>

#include "cmd/pontoon/identity.h"
#include "kv/service/member_directory.h"

namespace pontoon {

// Until a member has told its name, it has the one that `identity` knows it by.
class MemberBook final : public kv::MemberDirectory {
 public:
  explicit MemberBook(const Identity& identity);

  absl::StatusOr<std::vector<kv::MemberInfo>> Members(const kv::ReadView& view,
                                                      const Membership& membership) const override;

 private:
  std::map<NodeId, std::string> first_names_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_MEMBER_BOOK_H_
