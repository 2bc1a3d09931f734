#include "kv/client/client.h"

#include <utility>

#include "kv/client/client_core.h"
#include "kv/client/kv_calls.h"

namespace pontoon {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const ClientOptions& options) {
  absl::StatusOr<std::unique_ptr<ClientCore>> core = ClientCore::Create(options);
  if (!core.ok()) return core.status();
  return std::unique_ptr<Client>(new Client(*std::move(core)));
}

Client::Client(std::unique_ptr<ClientCore> core) : core_(std::move(core)) {}

Client::~Client() { core_->Shutdown(); }

void Client::RangeAsync(RangeRequest request, const ReadOptions& options,
                        Callback<RangeResponse> done) {
  SendRange(core_.get(), std::move(request), options, std::move(done));
}

void Client::ReadTxnAsync(TxnRequest request, const ReadOptions& options,
                          Callback<TxnResponse> done) {
  SendReadTxn(core_.get(), std::move(request), options, std::move(done));
}

void Client::PutAsync(PutRequest request, const WriteOptions& options, Callback<PutResponse> done) {
  SendPut(core_.get(), std::move(request), options, Effect::kWrite, std::move(done));
}

void Client::DeleteAsync(DeleteRangeRequest request, const WriteOptions& options,
                         Callback<DeleteRangeResponse> done) {
  SendDelete(core_.get(), std::move(request), options, Effect::kWrite, std::move(done));
}

void Client::TxnAsync(TxnRequest request, const WriteOptions& options, Callback<TxnResponse> done) {
  SendTxn(core_.get(), std::move(request), options, Effect::kWrite, std::move(done));
}

bool Client::IsInCallback() const { return core_->loop()->IsCurrent(); }

}  // namespace pontoon
