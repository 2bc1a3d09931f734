#include "kv/store/write_operations.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kv/errors.h"
#include "kv/store/key_range.h"
#include "kv/store/range.h"

namespace pontoon::kv {

using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;

absl::Status CheckPutRequest(const PutRequest& request) {
  if (request.key().empty()) return kErrEmptyKey;
  if (request.ignore_value() && !request.value().empty()) return kErrValueProvided;
  if (request.ignore_lease() && request.lease() != 0) return kErrLeaseProvided;
  return absl::OkStatus();
}

absl::Status CheckDeleteRangeRequest(const DeleteRangeRequest& request) {
  if (request.key().empty()) return kErrEmptyKey;
  return absl::OkStatus();
}

absl::Status CheckPut(const PutRequest& request, KvReader* reader) {
  absl::Status valid = CheckPutRequest(request);
  if (!valid.ok()) return valid;
  LeaseId lease(request.lease());
  if (lease != kNoLease && !reader->LeaseExists(lease)) return kErrLeaseNotFound;
  if (request.ignore_value() || request.ignore_lease()) {
    if (!reader->Scan(KeyRange::Single(request.key()))->Valid()) return kErrKeyNotFound;
  }
  return absl::OkStatus();
}

void ExecutePut(const PutRequest& request, KvTransaction* transaction, PutResponse* response) {
  std::unique_ptr<KvCursor> cursor = transaction->reader()->Scan(KeyRange::Single(request.key()));
  std::optional<KeyState> previous;
  if (cursor->Valid()) {
    const bool value_matters = request.ignore_value() || (response && request.prev_kv());
    previous = value_matters ? cursor->Load() : cursor->Describe();
  }

  // The key can be missing in spite of CheckPut only if the same transaction deleted it before,
  // which the service refuses as a duplicate key: ignoring is then a value of nothing.
  KvTransaction::Content content{request.value(), LeaseId(request.lease())};
  if (request.ignore_value() && previous) content.value = previous->value;
  if (request.ignore_lease() && previous) content.lease = previous->lease;

  if (response && request.prev_kv() && previous) {
    FillKeyValue(request.key(), *previous, response->mutable_prev_kv());
  }
  transaction->Put(request.key(), content, previous ? &*previous : nullptr);
  if (response) response->mutable_header()->set_revision(transaction->revision().value());
}

void ExecuteDeleteRange(const DeleteRangeRequest& request, KvTransaction* transaction,
                        DeleteRangeResponse* response) {
  KeyRange range = KeyRange::FromRequest(request.key(), request.range_end());
  std::vector<std::pair<std::string, LeaseId>> keys;  // a scan does not survive a change
  for (auto cursor = transaction->reader()->Scan(range); cursor->Valid(); cursor->Next()) {
    keys.emplace_back(cursor->key(), cursor->Describe().lease);
    if (response && request.prev_kv()) {
      FillKeyValue(cursor->key(), cursor->Load(), response->add_prev_kvs());
    }
  }
  for (const auto& [key, lease] : keys) transaction->Delete(key, lease);
  if (response) {
    response->set_deleted(static_cast<int64_t>(keys.size()));
    response->mutable_header()->set_revision(transaction->revision().value());
  }
}

}  // namespace pontoon::kv
