// SnapshotFile: a snapshot of the store in the form of a file that etcd's tools take.

#ifndef PONTOON_KV_SERVICE_SNAPSHOT_FILE_H_
#define PONTOON_KV_SERVICE_SNAPSHOT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "raft/base/snapshot.h"

struct evp_md_ctx_st;

namespace pontoon::kv {

// The stream of a snapshot (kv/store/snapshot_stream.h), zeros up to a multiple of kUnit bytes, and
// the SHA-256 of all that, 32 bytes. By these beyond a multiple etcdctl knows that the checksum is
// there.
//
// Thread safety: none; it may go from thread to thread.
class SnapshotFile {
 public:
  static constexpr size_t kUnit = 512;

  explicit SnapshotFile(std::unique_ptr<SnapshotSource> source);
  ~SnapshotFile();

  // The next bytes before the checksum, `bytes_max` at most, which is a multiple of kUnit; none at
  // the end. An error is the source's.
  absl::StatusOr<std::string> Read(size_t bytes_max);
  // The checksum, once, when all has been read.
  std::string TakeChecksum();

  uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct Deleter {
    void operator()(evp_md_ctx_st* context) const;
  };

  const std::unique_ptr<SnapshotSource> source_;
  const std::unique_ptr<evp_md_ctx_st, Deleter> sha256_;
  uint64_t bytes_read_ = 0;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_SNAPSHOT_FILE_H_
