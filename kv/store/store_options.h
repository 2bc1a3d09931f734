// StoreOptions: what a store can be told when it is opened.

#ifndef PONTOON_KV_STORE_STORE_OPTIONS_H_
#define PONTOON_KV_STORE_STORE_OPTIONS_H_

#include <cstddef>

#include "kv/store/strict_env.h"

namespace leveldb {
class Env;
}

namespace pontoon {
class Executor;
}

namespace pontoon::kv {

// Nothing here changes what the store holds after an entry: that is the same on every node. All
// pointers are borrowed, and must outlive the store; `env` also what still reads from the store.
struct StoreOptions {
  // Memory for blocks read from disk, for changes not yet in a sorted file (there can be two of
  // these), and for what keys hold that were written a short while ago.
  size_t block_cache_bytes = 32 << 20;
  size_t write_buffer_bytes = 16 << 20;
  size_t record_cache_bytes = 8 << 20;

  // Where compacted versions are removed, in steps of some milliseconds. Null: nowhere; they take
  // space, and are not seen.
  Executor* scrub_executor = nullptr;

  // The file system. Null: the operating system's. With another one, `sync_directory` goes along.
  leveldb::Env* env = nullptr;
  DirectorySync sync_directory = SyncSystemDirectory;

  DiskFailureHandler on_disk_failure = ExitOnDiskFailure;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STORE_OPTIONS_H_
