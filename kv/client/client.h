// Client: what a program talks to a cluster with. docs/client.md tells how.
//
//   absl::StatusOr<std::unique_ptr<pontoon::Client>> client =
//       pontoon::Client::Create({.endpoints = {"10.0.0.1:2379", "10.0.0.2:2379"}});
//   if (!client.ok()) return client.status();
//   const auto put = (*client)->Put("greeting", "hello");
//   const auto got = (*client)->Get("greeting");

#ifndef PONTOON_KV_CLIENT_CLIENT_H_
#define PONTOON_KV_CLIENT_CLIENT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kv/client/client_options.h"
#include "kv/client/kv.h"

namespace pontoon {

class ClientCore;

// Connects to members as calls need them, learns of the others from them, sends each call to the
// member that serves it best, and to another one where that is safe:
//
//   - what was certainly not applied is sent again until its time is over;
//   - what may have been applied is sent again only if it is a read, or a write of a OnceWriter:
//     otherwise the call ends, and IsOutcomeUnknown (outcome.h) says so;
//   - a read that takes long is sent to a second member, and the first answer counts.
//
// Watch, LeaseKeeper, Lock, OnceWriter and Session are made on top of a client, which must outlive
// them.
//
// Thread safety: all methods may be called from any thread. All callbacks, also those of what is
// made on top, are called on one thread of the client's own, one after the other: they must not
// wait, and must not destroy the client. The destructor ends what is under way with CANCELLED, and
// waits for that; what callbacks begin meanwhile ends so, too.
class Client final : public Kv {
 public:
  // Does not wait for a connection. INVALID_ARGUMENT if the options make no sense.
  static absl::StatusOr<std::unique_ptr<Client>> Create(const ClientOptions& options);
  ~Client() override;

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void RangeAsync(etcdserverpb::RangeRequest request, const ReadOptions& options,
                  Callback<etcdserverpb::RangeResponse> done) override;
  void ReadTxnAsync(etcdserverpb::TxnRequest request, const ReadOptions& options,
                    Callback<etcdserverpb::TxnResponse> done) override;
  void PutAsync(etcdserverpb::PutRequest request, const WriteOptions& options,
                Callback<etcdserverpb::PutResponse> done) override;
  void DeleteAsync(etcdserverpb::DeleteRangeRequest request, const WriteOptions& options,
                   Callback<etcdserverpb::DeleteRangeResponse> done) override;
  void TxnAsync(etcdserverpb::TxnRequest request, const WriteOptions& options,
                Callback<etcdserverpb::TxnResponse> done) override;

  bool IsInCallback() const override;

  // For the rest of the library.
  ClientCore& core() { return *core_; }

 private:
  explicit Client(std::unique_ptr<ClientCore> core);

  const std::unique_ptr<ClientCore> core_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_CLIENT_H_
