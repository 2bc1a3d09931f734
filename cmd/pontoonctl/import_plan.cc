#include "cmd/pontoonctl/import_plan.h"

#include "absl/strings/string_view.h"
#include "raft/base/check.h"

namespace pontoon::ctl {

void ImportPlanner::AddKey(const mvccpb::KeyValue& kv) {
  CHECK_EQ(kv.key().compare(0, prefix_.size(), prefix_), 0);
  const absl::string_view path = absl::string_view(kv.key()).substr(prefix_.size());
  while (next_file_ < files_.size() && files_[next_file_].relative_path < path) {
    PlanPut(files_[next_file_++], 0);
  }
  if (next_file_ < files_.size() && files_[next_file_].relative_path == path) {
    const TreeFile& file = files_[next_file_++];
    if (IsEqual(file, kv.value())) {
      ++plan_.equal;
    } else {
      PlanPut(file, kv.mod_revision());
    }
  } else if (extra_keys_ == ExtraKeys::kDelete) {
    plan_.writes.push_back({PlannedWrite::Kind::kDelete, std::string(path), kv.mod_revision()});
  } else {
    ++plan_.extra;
  }
}

ImportPlan ImportPlanner::Finish() {
  while (next_file_ < files_.size()) PlanPut(files_[next_file_++], 0);
  return std::move(plan_);
}

void ImportPlanner::PlanPut(const TreeFile& file, int64_t seen_mod_revision) {
  plan_.writes.push_back({PlannedWrite::Kind::kPut, file.relative_path, seen_mod_revision});
}

bool ImportPlanner::IsEqual(const TreeFile& file, const std::string& value) const {
  if (file.size_bytes != value.size()) return false;
  const absl::StatusOr<std::string> bytes = read_(file);
  return bytes.ok() && *bytes == value;
}

}  // namespace pontoon::ctl
