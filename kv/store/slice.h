// LevelDB's name for a view of bytes, and the standard one.

#ifndef PONTOON_KV_STORE_SLICE_H_
#define PONTOON_KV_STORE_SLICE_H_

#include <string_view>

#include "leveldb/slice.h"

namespace pontoon::kv {

inline leveldb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view ToView(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_SLICE_H_
