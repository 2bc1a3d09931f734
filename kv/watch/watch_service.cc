#include "kv/watch/watch_service.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "kv/errors.h"
#include "kv/outcome.h"

namespace pontoon::kv {
namespace {

// What a message takes beside its bytes.
constexpr size_t kMessageOverheadBytes = 256;

size_t CostOf(const grpc::ByteBuffer& message) { return message.Length() + kMessageOverheadBytes; }

}  // namespace

// One call. It lives as long as gRPC or the hub refers to it.
class WatchService::Stream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public WatchOutlet,
      public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(WatchService* service) : service_(service) {}

  // Takes part from then on.
  void Begin(WatchHub::Demand demand) {
    self_ = shared_from_this();
    id_ = service_->hub_->Open(self_, demand);
    StartRead(&request_bytes_);
  }
  // Ends before it has begun.
  void Refuse(const absl::Status& reason) {
    self_ = shared_from_this();
    End(reason);
  }

  // ---- WatchOutlet

  Room Send(grpc::ByteBuffer message) override {
    absl::MutexLock lock(&mutex_);
    if (ended_) return Room::kEnough;
    Count(static_cast<ptrdiff_t>(CostOf(message)));
    messages_.push_back(std::move(message));
    if (messages_.size() == 1) Write();
    // Once told, it holds until OnDrained.
    if (queued_bytes_ > service_->options_.stream_bytes_max || IsCrowded()) told_full_ = true;
    return told_full_ ? Room::kFull : Room::kEnough;
  }

  void OnRequestDone() override {
    absl::MutexLock lock(&mutex_);
    if (!ended_) StartRead(&request_bytes_);
  }

  void End(const absl::Status& reason) override {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    // The first message may be on its way.
    while (messages_.size() > 1) {
      Count(-static_cast<ptrdiff_t>(CostOf(messages_.back())));
      messages_.pop_back();
    }
    Finish(ToGrpc(reason));
  }

  // ---- gRPC's

  // A client that has no more requests goes on watching.
  void OnReadDone(bool ok) override {
    if (!ok) return;
    etcdserverpb::WatchRequest request;
    const grpc::Status parsed = grpc::SerializationTraits<etcdserverpb::WatchRequest>::Deserialize(
        &request_bytes_, &request);
    if (!parsed.ok()) return End(absl::InternalError("the request cannot be decoded"));
    service_->hub_->Handle(id_, std::move(request));
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    Count(-static_cast<ptrdiff_t>(CostOf(messages_.front())));
    messages_.pop_front();
    if (ended_ || !ok) return;  // a stream that is broken is cancelled, too
    if (!messages_.empty()) Write();
    if (!told_full_) return;
    const bool few = queued_bytes_ <= service_->options_.stream_bytes_max / 2 && !IsCrowded();
    if (!few && !messages_.empty()) return;
    told_full_ = false;
    service_->hub_->OnDrained(id_);
  }

  void OnCancel() override { End(kErrWatchCanceled); }

  void OnDone() override {
    service_->hub_->Close(id_);
    {
      absl::MutexLock lock(&mutex_);
      for (const grpc::ByteBuffer& message : messages_) {
        Count(-static_cast<ptrdiff_t>(CostOf(message)));
      }
      messages_.clear();
    }
    self_.reset();  // `this` may be gone
  }

 private:
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    grpc::WriteOptions options;
    if (messages_.size() > 1) options.set_buffer_hint();
    StartWrite(&messages_.front(), options);
  }

  void Count(ptrdiff_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    queued_bytes_ += static_cast<size_t>(bytes);
    service_->queued_bytes_ += static_cast<size_t>(bytes);
  }

  bool IsCrowded() const { return service_->queued_bytes_ > service_->options_.total_bytes_max; }

  WatchService* const service_;
  WatchHub::StreamId id_ = 0;
  grpc::ByteBuffer request_bytes_;

  absl::Mutex mutex_;
  std::deque<grpc::ByteBuffer> messages_ ABSL_GUARDED_BY(mutex_);  // the first one is being written
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool told_full_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  std::shared_ptr<Stream> self_;  // from the beginning until gRPC is done with it
};

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* WatchService::Watch(
    grpc::CallbackServerContext* call) {
  const auto stream = std::make_shared<Stream>(this);
  if (absl::Status s = member_->CheckServing(*call); !s.ok()) {
    stream->Refuse(s);
  } else {
    stream->Begin(Member::NeedsLeader(*call) ? WatchHub::Demand::kLeader : WatchHub::Demand::kNone);
  }
  return stream.get();
}

}  // namespace pontoon::kv
