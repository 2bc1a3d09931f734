#include "kv/service/snapshot_file.h"

#include <openssl/evp.h>

#include <utility>

#include "raft/base/check.h"

namespace pontoon::kv {

void SnapshotFile::Deleter::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

SnapshotFile::SnapshotFile(std::unique_ptr<SnapshotSource> source)
    : source_(std::move(source)), sha256_(EVP_MD_CTX_new()) {
  CHECK(EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr) == 1);
}

SnapshotFile::~SnapshotFile() = default;

// The source gives less than it is asked for only at its end.
absl::StatusOr<std::string> SnapshotFile::Read(size_t bytes_max) {
  CHECK_EQ(bytes_max % kUnit, 0u);
  absl::StatusOr<std::string> bytes = source_->Read(bytes_max);
  if (!bytes.ok()) return bytes;
  bytes->resize((bytes->size() + kUnit - 1) / kUnit * kUnit, '\0');
  CHECK(EVP_DigestUpdate(sha256_.get(), bytes->data(), bytes->size()) == 1);
  bytes_read_ += bytes->size();
  return bytes;
}

std::string SnapshotFile::TakeChecksum() {
  std::string checksum(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  CHECK(EVP_DigestFinal_ex(sha256_.get(), reinterpret_cast<unsigned char*>(checksum.data()),
                           &size) == 1);
  checksum.resize(size);
  return checksum;
}

}  // namespace pontoon::kv
