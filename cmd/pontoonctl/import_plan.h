// ImportPlanner: which writes make the keys under a prefix equal to a tree of files.

#ifndef PONTOON_CMD_PONTOONCTL_IMPORT_PLAN_H_
#define PONTOON_CMD_PONTOONCTL_IMPORT_PLAN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/pontoonctl/file_tree.h"
#include "proto/kv.pb.h"

namespace pontoon::ctl {

struct PlannedWrite {
  enum class Kind { kPut, kDelete };

  Kind kind;
  // Of the file; the key is the prefix and this.
  std::string relative_path;
  // The key's mod_revision when it was compared; 0: there was no such key.
  int64_t seen_mod_revision = 0;
};

struct ImportPlan {
  std::vector<PlannedWrite> writes;
  // Files whose bytes are in the store already.
  uint64_t equal = 0;
  // Keys that have no file and are left alone.
  uint64_t extra = 0;
};

// Compares files and keys in one pass over both, since both come in byte order: no key is held
// longer than a page.
class ImportPlanner {
 public:
  // What becomes of keys under the prefix that have no file.
  enum class ExtraKeys { kKeep, kDelete };

  using FileReader = std::function<absl::StatusOr<std::string>(const TreeFile&)>;

  // `files` is sorted by relative_path and must outlive the planner. A file that `read` fails for
  // is planned as a write, which will meet the same error.
  ImportPlanner(const std::vector<TreeFile>& files, std::string prefix, ExtraKeys extra_keys,
                FileReader read)
      : files_(files),
        prefix_(std::move(prefix)),
        extra_keys_(extra_keys),
        read_(std::move(read)) {}

  // Takes the next key; all begin with the prefix, and each is above the one before it.
  void AddKey(const mvccpb::KeyValue& kv);

  // The plan, after the last key.
  ImportPlan Finish();

 private:
  void PlanPut(const TreeFile& file, int64_t seen_mod_revision);
  bool IsEqual(const TreeFile& file, const std::string& value) const;

  const std::vector<TreeFile>& files_;
  const std::string prefix_;
  const ExtraKeys extra_keys_;
  const FileReader read_;
  // The files before this place are planned.
  size_t next_file_ = 0;
  ImportPlan plan_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_IMPORT_PLAN_H_
