// Kv: the reads and writes of the key-value store, blocking and not.

#ifndef PONTOON_KV_CLIENT_KV_H_
#define PONTOON_KV_CLIENT_KV_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kv/client/key_prefix.h"  // for whoever makes requests
#include "kv/client/read_options.h"
#include "kv/client/write_options.h"
#include "proto/rpc.pb.h"

namespace pontoon {

// Called once, on the client's own thread; it must not wait. If the client goes before the answer
// comes: CANCELLED.
template <typename Result>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Result>) &&>;

struct GetResult {
  std::optional<mvccpb::KeyValue> kv;  // nothing: there is no such key
  ReadInfo info;
};

// A Client, or what adds a promise to one: a Session that reads what it wrote, a OnceWriter whose
// writes are done once. Code that takes a Kv& works with any of them.
//
// Requests are etcd's own messages (proto/rpc.proto); `read_options` and `write_options` in them
// are set here. Errors of the servers have the codes and texts of kv/errors.h, or those that
// docs/consistency.md gives for read and write options; the rest is the client's own or gRPC's. An
// error of a write says that nothing was written, unless IsOutcomeUnknown (outcome.h), and but for
// kErrOnceAnswerTooLarge (once_writer.h).
//
// Thread safety: all methods may be called from any thread; those that wait not from callbacks,
// which would wait for themselves: FAILED_PRECONDITION.
class Kv {
 public:
  virtual ~Kv() = default;

  // Whether the caller is a callback.
  virtual bool IsInCallback() const = 0;

  // ---- with callbacks

  virtual void RangeAsync(etcdserverpb::RangeRequest request, const ReadOptions& options,
                          Callback<etcdserverpb::RangeResponse> done) = 0;
  // A transaction that only reads.
  virtual void ReadTxnAsync(etcdserverpb::TxnRequest request, const ReadOptions& options,
                            Callback<etcdserverpb::TxnResponse> done) = 0;
  virtual void PutAsync(etcdserverpb::PutRequest request, const WriteOptions& options,
                        Callback<etcdserverpb::PutResponse> done) = 0;
  virtual void DeleteAsync(etcdserverpb::DeleteRangeRequest request, const WriteOptions& options,
                           Callback<etcdserverpb::DeleteRangeResponse> done) = 0;
  // A transaction that writes, or may.
  virtual void TxnAsync(etcdserverpb::TxnRequest request, const WriteOptions& options,
                        Callback<etcdserverpb::TxnResponse> done) = 0;

  void GetAsync(absl::string_view key, const ReadOptions& options, Callback<GetResult> done);

  // ---- waiting

  absl::StatusOr<GetResult> Get(absl::string_view key, const ReadOptions& options = {});
  absl::StatusOr<etcdserverpb::RangeResponse> Range(etcdserverpb::RangeRequest request,
                                                    const ReadOptions& options = {});
  absl::StatusOr<etcdserverpb::TxnResponse> ReadTxn(etcdserverpb::TxnRequest request,
                                                    const ReadOptions& options = {});
  absl::StatusOr<etcdserverpb::PutResponse> Put(absl::string_view key, absl::string_view value,
                                                const WriteOptions& options = {});
  absl::StatusOr<etcdserverpb::PutResponse> Put(etcdserverpb::PutRequest request,
                                                const WriteOptions& options = {});
  absl::StatusOr<etcdserverpb::DeleteRangeResponse> Delete(absl::string_view key,
                                                           const WriteOptions& options = {});
  absl::StatusOr<etcdserverpb::DeleteRangeResponse> Delete(etcdserverpb::DeleteRangeRequest request,
                                                           const WriteOptions& options = {});
  absl::StatusOr<etcdserverpb::TxnResponse> Txn(etcdserverpb::TxnRequest request,
                                                const WriteOptions& options = {});

 private:
  template <typename Result, typename Begin>
  absl::StatusOr<Result> AwaitResult(Begin begin) const;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_KV_H_
