// Removing folders of files, as LevelDB makes them, through LevelDB's Env.

#ifndef PONTOON_KV_STORE_FOLDERS_H_
#define PONTOON_KV_STORE_FOLDERS_H_

#include <string>

#include "leveldb/env.h"

namespace pontoon::kv {

// What RetireFolder adds to a name.
inline constexpr char kRetiredSuffix[] = ".retired";

// Removes the files in `dir` and then `dir` itself. What cannot be removed stays.
void RemoveFolder(leveldb::Env* env, const std::string& dir);

// The same for a folder that was whole: it gets another name first, so that a crash on the way
// leaves nothing under the old one that could be taken for damage.
void RetireFolder(leveldb::Env* env, const std::string& dir);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_FOLDERS_H_
