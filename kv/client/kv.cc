#include "kv/client/kv.h"

#include <utility>

#include "kv/client/await.h"

namespace pontoon {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

template <typename Result, typename Begin>
absl::StatusOr<Result> Kv::AwaitResult(Begin begin) const {
  if (IsInCallback()) return WouldWaitForItself();
  return Await<absl::StatusOr<Result>>(begin);
}

void Kv::GetAsync(absl::string_view key, const ReadOptions& options, Callback<GetResult> done) {
  RangeRequest request;
  request.set_key(key.data(), key.size());
  RangeAsync(std::move(request), options,
             [done = std::move(done)](absl::StatusOr<RangeResponse> response) mutable {
               if (!response.ok()) return std::move(done)(response.status());
               GetResult result{.kv = std::nullopt, .info = ReadInfoOf(*response)};
               if (response->kvs_size() > 0) result.kv = std::move(*response->mutable_kvs(0));
               std::move(done)(std::move(result));
             });
}

absl::StatusOr<GetResult> Kv::Get(absl::string_view key, const ReadOptions& options) {
  return AwaitResult<GetResult>([&](auto done) { GetAsync(key, options, std::move(done)); });
}

absl::StatusOr<RangeResponse> Kv::Range(RangeRequest request, const ReadOptions& options) {
  return AwaitResult<RangeResponse>(
      [&](auto done) { RangeAsync(std::move(request), options, std::move(done)); });
}

absl::StatusOr<TxnResponse> Kv::ReadTxn(TxnRequest request, const ReadOptions& options) {
  return AwaitResult<TxnResponse>(
      [&](auto done) { ReadTxnAsync(std::move(request), options, std::move(done)); });
}

absl::StatusOr<PutResponse> Kv::Put(absl::string_view key, absl::string_view value,
                                    const WriteOptions& options) {
  PutRequest request;
  request.set_key(key.data(), key.size());
  request.set_value(value.data(), value.size());
  return Put(std::move(request), options);
}

absl::StatusOr<PutResponse> Kv::Put(PutRequest request, const WriteOptions& options) {
  return AwaitResult<PutResponse>(
      [&](auto done) { PutAsync(std::move(request), options, std::move(done)); });
}

absl::StatusOr<DeleteRangeResponse> Kv::Delete(absl::string_view key, const WriteOptions& options) {
  DeleteRangeRequest request;
  request.set_key(key.data(), key.size());
  return Delete(std::move(request), options);
}

absl::StatusOr<DeleteRangeResponse> Kv::Delete(DeleteRangeRequest request,
                                               const WriteOptions& options) {
  return AwaitResult<DeleteRangeResponse>(
      [&](auto done) { DeleteAsync(std::move(request), options, std::move(done)); });
}

absl::StatusOr<TxnResponse> Kv::Txn(TxnRequest request, const WriteOptions& options) {
  return AwaitResult<TxnResponse>(
      [&](auto done) { TxnAsync(std::move(request), options, std::move(done)); });
}

}  // namespace pontoon
