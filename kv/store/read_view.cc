#include "kv/store/read_view.h"

#include "kv/store/kv_reader.h"
#include "kv/store/range.h"
#include "kv/store/txn.h"

namespace pontoon::kv {

absl::Status ReadView::Range(const etcdserverpb::RangeRequest& request,
                             etcdserverpb::RangeResponse* response, int64_t bytes_max) const {
  KvReader reader(&records_, meta_.revision, meta_.compacted);
  reader.LimitResults(bytes_max);
  return ExecuteRange(request, &reader, response);
}

absl::Status ReadView::Txn(const etcdserverpb::TxnRequest& request,
                           etcdserverpb::TxnResponse* response, int64_t bytes_max) const {
  KvReader reader(&records_, meta_.revision, meta_.compacted);
  reader.LimitResults(bytes_max);
  return ExecuteReadOnlyTxn(request, &reader, response);
}

}  // namespace pontoon::kv
