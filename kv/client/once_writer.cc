#include "kv/client/once_writer.h"

#include <optional>
#include <utility>

#include "kv/client/await.h"
#include "kv/client/client_core.h"
#include "kv/client/kv_calls.h"
#include "kv/client/once_ledger.h"
#include "kv/errors.h"

namespace pontoon {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// The writes of a session; shared with those that are under way.
class OnceWriter::Writes final : public std::enable_shared_from_this<OnceWriter::Writes> {
 public:
  template <typename Request, typename Response>
  using Sender = void (*)(ClientCore*, Request, const WriteOptions&, Effect, Callback<Response>);

  Writes(ClientCore* core, std::unique_ptr<LeaseKeeper> session)
      : core_(core), session_(std::move(session)) {}

  LeaseKeeper& session() { return *session_; }

  template <typename Request, typename Response>
  void Write(Sender<Request, Response> send, Request request, const WriteOptions& options,
             Callback<Response> done) {
    core_->Run([writes = shared_from_this(), send, request = std::move(request), options,
                done = std::move(done)]() mutable {
      writes->WriteNow(send, std::move(request), options, std::move(done));
    });
  }

 private:
  // On the loop.
  template <typename Request, typename Response>
  void WriteNow(Sender<Request, Response> send, Request request, const WriteOptions& options,
                Callback<Response> done) {
    if (!session_->IsAlive()) return std::move(done)(absl::Status(kv::kErrOnceSessionNotFound));
    const std::optional<uint64_t> sequence = ledger_.Begin();
    if (!sequence.has_value()) return std::move(done)(absl::Status(kv::kErrOnceTooMany));
    pontoon::v1::Once& once = *request.mutable_write_options()->mutable_once();
    once.set_session(session_->id());
    once.set_sequence(*sequence);
    once.set_answered_below(ledger_.answered_below());
    send(core_, std::move(request), options, Effect::kRepeatable,
         [writes = shared_from_this(), sequence = *sequence,
          done = std::move(done)](absl::StatusOr<Response> response) mutable {
           writes->ledger_.End(sequence);
           std::move(done)(std::move(response));
         });
  }

  ClientCore* const core_;
  const std::unique_ptr<LeaseKeeper> session_;
  OnceLedger ledger_;
};

absl::StatusOr<std::unique_ptr<OnceWriter>> OnceWriter::Open(Client* client,
                                                             const OnceWriterOptions& options) {
  if (client->IsInCallback()) return WouldWaitForItself();
  return Await<absl::StatusOr<std::unique_ptr<OnceWriter>>>(
      [&](auto done) { OpenAsync(client, options, std::move(done)); });
}

void OnceWriter::OpenAsync(Client* client, const OnceWriterOptions& options,
                           Callback<std::unique_ptr<OnceWriter>> done) {
  LeaseKeeper::GrantAsync(
      client, options.session,
      [client,
       done = std::move(done)](absl::StatusOr<std::unique_ptr<LeaseKeeper>> session) mutable {
        if (!session.ok()) return std::move(done)(session.status());
        auto writes = std::make_shared<Writes>(&client->core(), *std::move(session));
        std::move(done)(std::unique_ptr<OnceWriter>(new OnceWriter(client, std::move(writes))));
      });
}

OnceWriter::OnceWriter(Client* client, std::shared_ptr<Writes> writes)
    : client_(client), writes_(std::move(writes)) {}

OnceWriter::~OnceWriter() = default;

LeaseKeeper& OnceWriter::session() { return writes_->session(); }

void OnceWriter::RangeAsync(RangeRequest request, const ReadOptions& options,
                            Callback<RangeResponse> done) {
  client_->RangeAsync(std::move(request), options, std::move(done));
}

void OnceWriter::ReadTxnAsync(TxnRequest request, const ReadOptions& options,
                              Callback<TxnResponse> done) {
  client_->ReadTxnAsync(std::move(request), options, std::move(done));
}

void OnceWriter::PutAsync(PutRequest request, const WriteOptions& options,
                          Callback<PutResponse> done) {
  writes_->Write(SendPut, std::move(request), options, std::move(done));
}

void OnceWriter::DeleteAsync(DeleteRangeRequest request, const WriteOptions& options,
                             Callback<DeleteRangeResponse> done) {
  writes_->Write(SendDelete, std::move(request), options, std::move(done));
}

void OnceWriter::TxnAsync(TxnRequest request, const WriteOptions& options,
                          Callback<TxnResponse> done) {
  writes_->Write(SendTxn, std::move(request), options, std::move(done));
}

}  // namespace pontoon
