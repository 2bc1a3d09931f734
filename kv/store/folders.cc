#include "kv/store/folders.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace pontoon::kv {

void RemoveFolder(leveldb::Env* env, const std::string& dir) {
  std::vector<std::string> names;
  (void)env->GetChildren(dir, &names);
  for (const std::string& name : names) (void)env->RemoveFile(absl::StrCat(dir, "/", name));
  (void)env->RemoveDir(dir);
}

void RetireFolder(leveldb::Env* env, const std::string& dir) {
  const std::string retired = absl::StrCat(dir, kRetiredSuffix);
  if (env->RenameFile(dir, retired).ok()) RemoveFolder(env, retired);
}

}  // namespace pontoon::kv
