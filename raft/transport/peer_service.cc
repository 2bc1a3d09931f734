#include "raft/transport/peer_service.h"

#include <grpcpp/alarm.h>

#include <mutex>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/env/log.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;

// How many refused callers are told apart in the log.
constexpr size_t kRefusalsKept = 64;
// Each of them waits for a quorum, on behalf of somebody who need not be a member.
constexpr int kIntroductionsMax = 8;

// Abseil and gRPC number the canonical codes alike.
grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace

// One stream. Its reactions run one after the other, but for the end, which may be called for by
// any thread. gRPC does not take a write and the end from two threads at once; so an end that is
// called for during a reaction is left to that reaction. The service keeps the stream alive until
// it is done.
class PeerService::Stream final : public grpc::ServerBidiReactor<wire::Envelope, wire::Envelope>,
                                  public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(PeerService* service) : service_(service) {}

  void Start() {
    // Whoever has reached the port may have a stream: not for long, unless it is a peer. The alarm
    // keeps its function as long as it lives itself, so that must not keep the stream, its owner.
    const int64_t timeout_ms = absl::ToInt64Milliseconds(service_->options_.greeting_timeout);
    greeting_due_.Set(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN)),
        [weak = weak_from_this()](bool) {
          if (const auto self = weak.lock()) self->OnGreetingDue();
        });
    StartRead(&in_);
  }

  // Ends the stream; only the first call counts.
  void End(const absl::Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (end_.has_value()) return;
      end_ = status;
      if (reacting_) return;
    }
    Finish(ToGrpc(status));
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End(absl::OkStatus());
      return;
    }
    if (!BeginReaction()) return;
    const absl::Status taken = greeting_.has_value() ? TakeMessages() : TakeGreeting();
    if (!taken.ok()) {
      service_->OnRefused(caller_, taken);
      End(taken);
    }
    FinishReaction();
  }

  // Releases this object.
  void OnDone() override {
    greeting_due_.Cancel();
    service_->OnStreamDone(shared_from_this());
  }

  // Null unless the stream was let in.
  const Greeting* greeting() const { return greeting_.has_value() ? &*greeting_ : nullptr; }

  // By the service, under its lock, when it lets the stream in.
  void LetIn(const Greeting& greeting, TransportReceiver* receiver) {
    greeting_ = greeting;
    receiver_ = receiver;
  }

 private:
  // False if the stream has ended.
  bool BeginReaction() {
    std::lock_guard lock(mutex_);
    reacting_ = !end_.has_value();
    greeted_ = true;
    return reacting_;
  }

  // Also called when the alarm is cancelled.
  void OnGreetingDue() {
    {
      std::lock_guard lock(mutex_);
      if (greeted_) return;
    }
    End(absl::DeadlineExceededError("no greeting came"));
  }

  // Ends the stream, if that was called for meanwhile, or reads on. The next reaction may begin
  // before this returns.
  void FinishReaction() {
    std::optional<absl::Status> end;
    {
      std::lock_guard lock(mutex_);
      reacting_ = false;
      end = end_;
    }
    if (end.has_value()) {
      Finish(ToGrpc(*end));
    } else {
      StartRead(&in_);
    }
  }

  absl::Status TakeGreeting() {
    caller_ = NodeId(in_.hello().from_member_id());
    const absl::StatusOr<Greeting> greeting = ReadGreeting(service_->options_.self, in_);
    if (!greeting.ok()) return greeting.status();
    const absl::Status admitted = service_->Admit(shared_from_this(), *greeting);
    if (!admitted.ok()) return admitted;
    greeting_due_.Cancel();
    WriteGreeting(service_->options_.self, greeting->from, greeting->kind, &answer_);
    StartWrite(&answer_);
    return absl::OkStatus();
  }

  absl::Status TakeMessages() {
    absl::StatusOr<std::vector<Message>> messages =
        DecodeEnvelope({greeting_->from, service_->options_.self.member}, &in_);
    if (!messages.ok()) return messages.status();
    receiver_->OnMessages(*std::move(messages));
    return absl::OkStatus();
  }

  PeerService* const service_;
  wire::Envelope in_;
  wire::Envelope answer_;
  NodeId caller_;  // as it says
  std::optional<Greeting> greeting_;
  TransportReceiver* receiver_ = nullptr;
  grpc::Alarm greeting_due_;

  std::mutex mutex_;
  std::optional<absl::Status> end_;  // guarded by mutex_; not empty: how the stream ends
  bool reacting_ = false;            // guarded by mutex_
  bool greeted_ = false;             // guarded by mutex_; something came, whatever it was
};

PeerService::~PeerService() { Stop(); }

grpc::ServerBidiReactor<wire::Envelope, wire::Envelope>* PeerService::Exchange(
    grpc::CallbackServerContext*) {
  const auto stream = std::make_shared<Stream>(this);
  {
    std::lock_guard lock(mutex_);
    streams_.insert(stream);
  }
  stream->Start();
  return stream.get();
}

absl::Status PeerService::CheckPeer(const Greeting& greeting) {
  std::lock_guard lock(mutex_);
  if (receiver_ == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("member ", FormatNodeId(options_.self.member), " is starting or stopping"));
  }
  if (!peers_.contains(greeting.from)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "member ", FormatNodeId(options_.self.member), " has no peer ", FormatNodeId(greeting.from),
        ": it was removed from the cluster, or is not added yet"));
  }
  return absl::OkStatus();
}

absl::Status PeerService::Admit(const std::shared_ptr<Stream>& stream, const Greeting& greeting) {
  // Before the admission, so that it hears of peers only; and after it, since it may take its time.
  if (absl::Status s = CheckPeer(greeting); !s.ok()) return s;
  if (absl::Status s = options_.admission(greeting); !s.ok()) return s;
  std::shared_ptr<Stream> older;
  {
    std::lock_guard lock(mutex_);
    if (receiver_ == nullptr || !peers_.contains(greeting.from)) {
      return absl::UnavailableError("the peers have just changed");
    }
    stream->LetIn(greeting, receiver_);
    older = std::exchange(by_sender_[{greeting.from, greeting.kind}], stream);
  }
  if (older != nullptr)
    older->End(absl::AbortedError("a newer stream takes the place of this one"));
  return absl::OkStatus();
}

void PeerService::OnRefused(NodeId peer, const absl::Status& reason) {
  {
    // Who is refused tries again and again: that is worth one line.
    std::lock_guard lock(mutex_);
    const auto last = refusals_.find(peer);
    if (last != refusals_.end() && last->second == reason.message()) return;
    if (last == refusals_.end() && refusals_.size() >= kRefusalsKept) refusals_.clear();
    refusals_[peer] = std::string(reason.message());
  }
  LogWarn("ended the stream of a peer", {{"peer", peer}, {"reason", reason.message()}});
}

void PeerService::OnStreamDone(const std::shared_ptr<Stream>& stream) {
  std::lock_guard lock(mutex_);
  if (const Greeting* greeting = stream->greeting(); greeting != nullptr) {
    const auto entry = by_sender_.find({greeting->from, greeting->kind});
    if (entry != by_sender_.end() && entry->second == stream) by_sender_.erase(entry);
  }
  streams_.erase(stream);
  if (streams_.empty()) idle_.notify_all();
}

grpc::ServerUnaryReactor* PeerService::Introduce(grpc::CallbackServerContext* context,
                                                 const wire::IntroduceRequest* request,
                                                 wire::IntroduceResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (absl::Status s = CheckIntroductionRequest(*request); !s.ok()) {
    reactor->Finish(ToGrpc(s));
    return reactor;
  }
  if (absl::Status s = BeginIntroduction(); !s.ok()) {
    reactor->Finish(ToGrpc(s));
    return reactor;
  }
  options_.introducer(ReadIntroductionRequest(*request),
                      [this, reactor, response](absl::StatusOr<Introduction> introduction) {
                        WriteAnswer({options_.self, std::move(introduction)}, response);
                        {
                          std::lock_guard lock(mutex_);
                          --introductions_;
                        }
                        reactor->Finish(grpc::Status::OK);
                      });
  return reactor;
}

absl::Status PeerService::BeginIntroduction() {
  std::lock_guard lock(mutex_);
  if (receiver_ == nullptr || options_.introducer == nullptr) {
    return absl::UnavailableError("this member cannot tell now");
  }
  if (introductions_ == kIntroductionsMax) {
    return absl::UnavailableError("this member has too many to introduce now");
  }
  ++introductions_;
  return absl::OkStatus();
}

void PeerService::Start(TransportReceiver* receiver) {
  std::lock_guard lock(mutex_);
  CHECK(receiver_ == nullptr) << "started twice";
  receiver_ = receiver;
}

void PeerService::SetPeers(std::set<NodeId> peers) {
  Streams to_end;
  {
    std::lock_guard lock(mutex_);
    peers_ = std::move(peers);
    for (const auto& [key, stream] : by_sender_) {
      if (!peers_.contains(key.first)) to_end.push_back(stream);
    }
  }
  for (const auto& stream : to_end) {
    stream->End(absl::FailedPreconditionError("no longer a peer of this member"));
  }
}

void PeerService::Stop() {
  Streams to_end;
  {
    std::lock_guard lock(mutex_);
    receiver_ = nullptr;
    to_end.assign(streams_.begin(), streams_.end());
  }
  for (const auto& stream : to_end) {
    stream->End(absl::UnavailableError(
        absl::StrCat("member ", FormatNodeId(options_.self.member), " is stopping")));
  }
  to_end.clear();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return streams_.empty(); });
}

}  // namespace pontoon::raft
