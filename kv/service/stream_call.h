// StreamCall: a call that answers with a stream of pieces, as fast as the client takes them.

#ifndef PONTOON_KV_SERVICE_STREAM_CALL_H_
#define PONTOON_KV_SERVICE_STREAM_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/errors.h"
#include "kv/outcome.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Makes one piece at a time, on an executor, and the next one once gRPC has taken it: a client that
// does not read costs the memory of one piece, and no thread. Streams that share an executor take
// turns.
//
// Owns itself: gRPC deletes it through OnDone.
//
// Thread safety: FinishNow or Begin is called once, from any thread; the call may be gone then.
template <typename Response>
class StreamCall final : public grpc::ServerWriteReactor<Response> {
 public:
  enum class Step {
    kNothing,    // there is no piece yet: go on
    kPiece,      // and more to come
    kLastPiece,  // the stream ends with it
  };
  // Makes the next piece, of an empty response; takes no longer than some milliseconds.
  using MakePiece = absl::AnyInvocable<absl::StatusOr<Step>(Response*)>;

  // Borrows `executor`, which must outlive the call.
  explicit StreamCall(Executor* executor) : executor_(executor) {}

  // Ends the call before it has begun.
  void FinishNow(const absl::Status& status) { this->Finish(ToGrpc(status)); }

  void Begin(MakePiece make_piece) {
    make_piece_ = std::move(make_piece);
    Post();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return FinishNow(kErrCanceled);
    Post();
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  void Post() {
    executor_->Post([this] { Go(); });
  }

  void Go() {
    if (cancelled_) return FinishNow(kErrCanceled);
    piece_.Clear();
    const absl::StatusOr<Step> step = make_piece_(&piece_);
    if (!step.ok()) return FinishNow(step.status());
    switch (*step) {
      case Step::kNothing:
        return Post();
      case Step::kPiece:
        return this->StartWrite(&piece_);
      case Step::kLastPiece:
        return this->StartWriteAndFinish(&piece_, grpc::WriteOptions(), grpc::Status::OK);
    }
  }

  Executor* const executor_;
  MakePiece make_piece_;
  Response piece_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_STREAM_CALL_H_
