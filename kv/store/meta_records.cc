#include "kv/store/meta_records.h"

#include "kv/store/layout.h"

namespace pontoon::kv {
namespace {

using Records = std::map<std::string, std::string>;

class MapIterator final : public RecordIterator {
 public:
  explicit MapIterator(const Records& records) : records_(records), at_(records.end()) {}

  bool Valid() const override { return at_ != records_.end(); }
  void Seek(std::string_view target) override { at_ = records_.lower_bound(std::string(target)); }
  void Next() override { ++at_; }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  const Records& records_;
  Records::const_iterator at_;
};

}  // namespace

bool MetaRecords::Take(std::string_view key, std::string_view value) {
  if (key.empty() || key.front() != kMetaPrefix) return false;
  records_.insert_or_assign(std::string(key), std::string(value));
  return true;
}

absl::StatusOr<bool> MetaRecords::Get(std::string_view key, std::string* value) const {
  const auto found = records_.find(std::string(key));
  if (found != records_.end()) *value = found->second;
  return found != records_.end();
}

std::unique_ptr<RecordIterator> MetaRecords::NewIterator() const {
  return std::make_unique<MapIterator>(records_);
}

}  // namespace pontoon::kv
