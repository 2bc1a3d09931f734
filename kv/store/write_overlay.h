// WriteOverlay: changes that are not written yet, on top of the records that they will change.

#ifndef PONTOON_KV_STORE_WRITE_OVERLAY_H_
#define PONTOON_KV_STORE_WRITE_OVERLAY_H_

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kv/store/record_reader.h"
#include "kv/store/state_digest.h"

namespace pontoon::kv {

// Collects the changes of many commands for one atomic write, and reads as if they were written
// already: each command sees the effects of those before it.
//
// Thread safety: none. Iterators are void after the next change.
class WriteOverlay : public RecordReader {
 public:
  // `base` must outlive the overlay, and must not change. Its digest is `digest`.
  explicit WriteOverlay(const RecordReader* base, StateDigest digest = StateDigest())
      : base_(base), digest_(digest) {}

  WriteOverlay(const WriteOverlay&) = delete;
  WriteOverlay& operator=(const WriteOverlay&) = delete;

  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);

  // Of the base and of every change since, in the order in which they were made.
  StateDigest digest() const { return digest_; }
  // Ends what one entry did, which may be nothing.
  void MixIntoDigest(uint64_t number) { digest_.Mix(number); }

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override;
  std::unique_ptr<RecordIterator> NewIterator() const override;

  // Calls `visit` with each change, in the order of their keys; nothing in place of a value:
  // deleted.
  void ForEach(absl::FunctionRef<void(std::string_view key, std::optional<std::string_view> value)>
                   visit) const;

 private:
  class Iterator;

  // As for ForEach. The views point into bytes_.
  using Changes = absl::btree_map<std::string_view, std::optional<std::string_view>>;

  std::string_view Keep(std::string_view bytes);

  const RecordReader* base_;
  // What was overwritten stays until the end: a batch is small.
  std::pmr::monotonic_buffer_resource bytes_;
  Changes changes_;
  StateDigest digest_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_WRITE_OVERLAY_H_
