#include "kv/store/write_overlay.h"

#include <cstring>

#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

// In a digest, in place of the value of a record that was deleted.
constexpr uint64_t kDeletedMark = ~uint64_t{0};

}  // namespace

// Merges two walks, one over the base and one over the changes. Where both have a key the change
// wins; where the change is a deletion neither is seen.
class WriteOverlay::Iterator : public RecordIterator {
 public:
  explicit Iterator(const WriteOverlay* overlay)
      : overlay_(overlay), base_(overlay->base_->NewIterator()), change_(overlay->changes_.end()) {}

  bool Valid() const override { return at_ != At::kEnd; }

  void Seek(std::string_view target) override {
    base_->Seek(target);
    change_ = overlay_->changes_.lower_bound(target);
    Settle();
  }

  void Next() override {
    CHECK(Valid());
    if (at_ == At::kBase) {
      base_->Next();
    } else {
      ++change_;
    }
    Settle();
  }

  std::string_view key() const override {
    CHECK(Valid());
    return at_ == At::kBase ? base_->key() : change_->first;
  }

  std::string_view value() const override {
    CHECK(Valid());
    return at_ == At::kBase ? base_->value() : *change_->second;
  }

  absl::Status status() const override { return base_->status(); }

 private:
  enum class At { kEnd, kBase, kChange };

  // Finds the next record from where the two walks stand.
  void Settle() {
    while (true) {
      if (!base_->status().ok()) {
        at_ = At::kEnd;
        return;
      }
      if (change_ == overlay_->changes_.end()) {
        at_ = base_->Valid() ? At::kBase : At::kEnd;
        return;
      }
      if (base_->Valid()) {
        int order = base_->key().compare(change_->first);
        if (order < 0) {
          at_ = At::kBase;
          return;
        }
        if (order == 0) base_->Next();  // hidden by the change
      }
      if (change_->second.has_value()) {
        at_ = At::kChange;
        return;
      }
      ++change_;
    }
  }

  const WriteOverlay* overlay_;
  std::unique_ptr<RecordIterator> base_;
  Changes::const_iterator change_;
  At at_ = At::kEnd;
};

void WriteOverlay::Put(std::string_view key, std::string_view value) {
  changes_.insert_or_assign(Keep(key), Keep(value));
  digest_.Mix(key);
  digest_.Mix(value);
}

void WriteOverlay::Delete(std::string_view key) {
  changes_.insert_or_assign(Keep(key), std::nullopt);
  digest_.Mix(key);
  digest_.Mix(kDeletedMark);
}

std::string_view WriteOverlay::Keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* kept = static_cast<char*>(bytes_.allocate(bytes.size(), alignof(char)));
  std::memcpy(kept, bytes.data(), bytes.size());
  return {kept, bytes.size()};
}

absl::StatusOr<bool> WriteOverlay::Get(std::string_view key, std::string* value) const {
  auto change = changes_.find(key);
  if (change == changes_.end()) return base_->Get(key, value);
  if (!change->second.has_value()) return false;
  *value = *change->second;
  return true;
}

std::unique_ptr<RecordIterator> WriteOverlay::NewIterator() const {
  return std::make_unique<Iterator>(this);
}

void WriteOverlay::ForEach(
    absl::FunctionRef<void(std::string_view key, std::optional<std::string_view> value)> visit)
    const {
  for (const auto& [key, value] : changes_) visit(key, value);
}

}  // namespace pontoon::kv
