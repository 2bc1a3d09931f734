// Sha256: the SHA-256 of bytes that come one after the other.

#ifndef PONTOON_CMD_PONTOONCTL_SHA256_H_
#define PONTOON_CMD_PONTOONCTL_SHA256_H_

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace pontoon::ctl {

inline constexpr size_t kSha256Bytes = 32;

// Not thread safe.
class Sha256 {
 public:
  Sha256();

  void Add(absl::string_view bytes);

  // The digest, kSha256Bytes of it. Called once, at the end.
  std::string Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SHA256_H_
