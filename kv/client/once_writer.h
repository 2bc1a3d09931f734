// OnceWriter: writes that are done once, whatever happens to members and connections.

#ifndef PONTOON_KV_CLIENT_ONCE_WRITER_H_
#define PONTOON_KV_CLIENT_ONCE_WRITER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kv/client/client.h"
#include "kv/client/lease_keeper.h"

namespace pontoon {

struct OnceWriterOptions {
  // The session's lease: its ttl is how long the cluster may be out of reach before it ends.
  LeaseKeeper::Options session = {.ttl = absl::Seconds(60)};
};

// Gives each write a name, by which the servers know it again: so a write whose answer was lost is
// sent again, under the same name, until it is answered, and has its effect once. The names belong
// to a session, which is a lease that this object keeps alive.
//
// Two ends leave open if a write was done (IsOutcomeUnknown): its time is over, or the session has
// ended meanwhile, and what the servers knew of its writes with it. Once the session has ended
// every write is refused with kErrOnceSessionNotFound, and a new OnceWriter is needed.
//
// kErrOnceAnswerTooLarge: the write was done, and its answer, which got lost on the way, is larger
// than what servers keep to give it again. kErrOnceTooMany: at most 512 writes may be begun from
// the oldest on that is not answered yet, that one among them; nothing was sent.
//
// Reads go to the client, as they are.
//
// Thread safety: all methods may be called from any thread. The client must outlive it; writes that
// are under way when it goes keep the session until they end.
class OnceWriter final : public Kv {
 public:
  static absl::StatusOr<std::unique_ptr<OnceWriter>> Open(Client* client,
                                                          const OnceWriterOptions& options = {});
  static void OpenAsync(Client* client, const OnceWriterOptions& options,
                        Callback<std::unique_ptr<OnceWriter>> done);
  ~OnceWriter() override;

  OnceWriter(const OnceWriter&) = delete;
  OnceWriter& operator=(const OnceWriter&) = delete;

  LeaseKeeper& session();

  void RangeAsync(etcdserverpb::RangeRequest request, const ReadOptions& options,
                  Callback<etcdserverpb::RangeResponse> done) override;
  void ReadTxnAsync(etcdserverpb::TxnRequest request, const ReadOptions& options,
                    Callback<etcdserverpb::TxnResponse> done) override;
  void PutAsync(etcdserverpb::PutRequest request, const WriteOptions& options,
                Callback<etcdserverpb::PutResponse> done) override;
  void DeleteAsync(etcdserverpb::DeleteRangeRequest request, const WriteOptions& options,
                   Callback<etcdserverpb::DeleteRangeResponse> done) override;
  // It must write: one that only reads is refused.
  void TxnAsync(etcdserverpb::TxnRequest request, const WriteOptions& options,
                Callback<etcdserverpb::TxnResponse> done) override;

  bool IsInCallback() const override { return client_->IsInCallback(); }

 private:
  class Writes;

  OnceWriter(Client* client, std::shared_ptr<Writes> writes);

  Client* const client_;
  const std::shared_ptr<Writes> writes_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_ONCE_WRITER_H_
