#include "raft/storage/members_file.h"

#include <array>
#include <utility>

#include "raft/storage/damage.h"

namespace pontoon::raft {
namespace {

constexpr SmallFile::Kind kKind{
    .name = "members", .what = "members file", .magic = "PONTMEMB", .count = 1, .has_bytes = true};

}  // namespace

MembersFile::MembersFile(FileSystem* fs, const std::string& dir) : file_(fs, dir, kKind) {}

absl::StatusOr<std::optional<MembershipHistory::Item>> MembersFile::Load() const {
  const absl::StatusOr<std::optional<SmallFile::Content>> loaded = file_.Load();
  if (!loaded.ok()) return loaded.status();
  if (!loaded->has_value()) return std::nullopt;
  absl::StatusOr<Membership> membership = DecodeMembership((*loaded)->bytes);
  if (!membership.ok()) {
    return DamageError(kKind.what, file_.path(), membership.status().message());
  }
  return MembershipHistory::Item{LogIndex((*loaded)->values[0]), RequestId{},
                                 *std::move(membership)};
}

absl::Status MembersFile::Save(const MembershipHistory::Item& item) {
  return file_.Save(std::array{item.index.value()}, EncodeMembership(item.membership));
}

}  // namespace pontoon::raft
