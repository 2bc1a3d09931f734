#include "kv/client/session.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "kv/client/outcome.h"
#include "kv/client/session_token.h"

namespace pontoon {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

class Session::Seen {
 public:
  SessionToken Get() const {
    absl::MutexLock lock(&mutex_);
    return token_;
  }
  void Set(const SessionToken& token) {
    absl::MutexLock lock(&mutex_);
    token_ = token;
  }
  absl::Status Note(const etcdserverpb::ResponseHeader& header) {
    absl::MutexLock lock(&mutex_);
    if (token_.cluster_id != 0 && token_.cluster_id != header.cluster_id()) {
      return absl::FailedPreconditionError(
          absl::StrCat("pontoon: the session is one of cluster ", absl::Hex(token_.cluster_id),
                       ", and cluster ", absl::Hex(header.cluster_id()), " answered"));
    }
    token_.cluster_id = header.cluster_id();
    token_.revision = std::max(token_.revision, header.revision());
    return absl::OkStatus();
  }

 private:
  mutable absl::Mutex mutex_;
  SessionToken token_ ABSL_GUARDED_BY(mutex_);
};

Session::Session(Kv* kv) : kv_(kv), seen_(std::make_shared<Seen>()) {}

absl::StatusOr<std::unique_ptr<Session>> Session::Continue(Kv* kv, absl::string_view token) {
  const absl::StatusOr<SessionToken> decoded = DecodeSessionToken(token);
  if (!decoded.ok()) return decoded.status();
  auto session = std::make_unique<Session>(kv);
  session->seen_->Set(*decoded);
  return session;
}

std::string Session::token() const { return EncodeSessionToken(seen_->Get()); }

int64_t Session::revision() const { return seen_->Get().revision; }

ReadOptions Session::WithRevision(const ReadOptions& options) const {
  ReadOptions with = options;
  with.min_revision = std::max(options.min_revision, revision());
  return with;
}

template <typename Response>
Callback<Response> Session::Noting(Kind kind, Callback<Response> done) const {
  return [seen = seen_, kind, done = std::move(done)](absl::StatusOr<Response> response) mutable {
    if (response.ok()) {
      absl::Status noted = seen->Note(response->header());
      if (!noted.ok() && kind == Kind::kWrite) noted = WithOutcomeUnknown(std::move(noted));
      if (!noted.ok()) response = std::move(noted);
    }
    std::move(done)(std::move(response));
  };
}

void Session::RangeAsync(RangeRequest request, const ReadOptions& options,
                         Callback<RangeResponse> done) {
  kv_->RangeAsync(std::move(request), WithRevision(options), Noting(Kind::kRead, std::move(done)));
}

void Session::ReadTxnAsync(TxnRequest request, const ReadOptions& options,
                           Callback<TxnResponse> done) {
  kv_->ReadTxnAsync(std::move(request), WithRevision(options),
                    Noting(Kind::kRead, std::move(done)));
}

void Session::PutAsync(PutRequest request, const WriteOptions& options,
                       Callback<PutResponse> done) {
  kv_->PutAsync(std::move(request), options, Noting(Kind::kWrite, std::move(done)));
}

void Session::DeleteAsync(DeleteRangeRequest request, const WriteOptions& options,
                          Callback<DeleteRangeResponse> done) {
  kv_->DeleteAsync(std::move(request), options, Noting(Kind::kWrite, std::move(done)));
}

void Session::TxnAsync(TxnRequest request, const WriteOptions& options,
                       Callback<TxnResponse> done) {
  kv_->TxnAsync(std::move(request), options, Noting(Kind::kWrite, std::move(done)));
}

}  // namespace pontoon
