// Session: reads that show what the same session wrote and saw before.

#ifndef PONTOON_KV_CLIENT_SESSION_H_
#define PONTOON_KV_CLIENT_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kv/client/kv.h"

namespace pontoon {

// Remembers the highest revision of all answers, and asks for it in every read: so a read shows the
// session's own writes, and nothing older than an earlier read, whichever members answer, with any
// consistency. The token hands that over, to another process too.
//
// The promise covers what was answered before the read was begun.
//
// Thread safety: all methods may be called from any thread.
class Session final : public Kv {
 public:
  // `kv`, a Client or a OnceWriter, is borrowed.
  explicit Session(Kv* kv);
  // Goes on from where the session was that gave `token`. INVALID_ARGUMENT if it is none. What
  // another cluster answers ends with FAILED_PRECONDITION, and a write with IsOutcomeUnknown too:
  // it was done there. (A read may also wait in vain there for the revision: UNAVAILABLE.)
  static absl::StatusOr<std::unique_ptr<Session>> Continue(Kv* kv, absl::string_view token);

  // For Continue.
  std::string token() const;
  // 0: nothing was seen yet.
  int64_t revision() const;

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

  bool IsInCallback() const override { return kv_->IsInCallback(); }

 private:
  // What was seen; shared with calls that are under way.
  class Seen;

  ReadOptions WithRevision(const ReadOptions& options) const;
  enum class Kind { kRead, kWrite };

  template <typename Response>
  Callback<Response> Noting(Kind kind, Callback<Response> done) const;

  Kv* const kv_;
  const std::shared_ptr<Seen> seen_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_SESSION_H_
