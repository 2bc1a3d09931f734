#include "raft/transport/peer_link.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/check.h"
#include "raft/env/log.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// An envelope takes messages up to about this size; a larger message travels alone.
constexpr size_t kEnvelopeBytesTarget = 1 << 20;

// While the peer is away messages wait for a reconnection this long.
constexpr milliseconds kPatience{1000};

// A stream that held for this long counts as a success: the next redial is a quick one.
constexpr milliseconds kHolds{1000};

// Between a stream that ended and the next attempt.
constexpr milliseconds kRedialDelayMin{50};
constexpr milliseconds kRedialDelayMax{1000};

// An envelope's buffers are kept for the next one unless they have grown beyond this.
constexpr size_t kKeptBufferBytesMax = 4 << 20;

grpc::ChannelArguments ChannelArguments(StreamKind kind) {
  grpc::ChannelArguments args;
  // A connection for this link alone.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetMaxSendMessageSize(kEnvelopeBytesMax);
  // A stream waits until its channel is connected, and the channel tries again this often: a peer
  // that comes back is found at once, without a new stream for each attempt.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  // Despite its name, the time that one attempt to connect is given.
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // A peer whose machine vanished sends no reset: without pings that shows only after hours.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 1000);
  // Megabytes of entries may stand before the answer to a ping on a slow line.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kind == StreamKind::kBulk ? 10000 : 2000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Retrying is Raft's business; gRPC's would buffer what is sent.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return args;
}

}  // namespace

// One attempt. Reports to its link; the link keeps it alive until OnStreamDone.
class PeerLink::Stream final : public grpc::ClientBidiReactor<wire::Envelope, wire::Envelope> {
 public:
  explicit Stream(std::shared_ptr<PeerLink> link) : link_(std::move(link)) {}

  // A stream that does not wait for the connection fails when there is none.
  enum class Patience { kWaits, kFails };

  void Start(Patience patience) {
    context_.set_wait_for_ready(patience == Patience::kWaits);
    link_->stub_->async()->Exchange(&context_, this);
    // Writes are started from outside the reactions below. So the stream must not be done before
    // the link knows that it will start no other one: it then calls RemoveHold.
    AddHold();
    WriteGreeting(link_->self_, link_->target_.peer, link_->target_.kind, &out_);
    WriteWhereabouts(link_->owner_.whereabouts(), &out_);
    StartWrite(&out_);
    StartRead(&in_);
    StartCall();
  }

  void Write(const std::vector<Message>& messages) {
    if (out_bytes_ > kKeptBufferBytesMax) {
      out_ = wire::Envelope();
      out_bytes_ = 0;
    } else {
      out_.Clear();
    }
    for (const Message& message : messages) EncodeMessage(message, &out_);
    out_bytes_ = std::max(out_bytes_, out_.ByteSizeLong());
    StartWrite(&out_);
  }

  void Cancel() { context_.TryCancel(); }

  void OnWriteDone(bool ok) override { link_->OnWritten(ok); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      link_->OnReadEnd();
      return;
    }
    fault_ = CheckAnswer();
    if (fault_.ok()) {
      greeted_ = true;
      link_->OnGreeted();
    } else {
      Cancel();
    }
    StartRead(&in_);  // nothing more is to come; its failure tells the end of the stream
  }

  void OnDone(const grpc::Status& status) override {
    // The link releases this object.
    const std::shared_ptr<PeerLink> link = std::move(link_);
    const std::string reason = fault_.ok() ? status.error_message() : std::string(fault_.message());
    link->OnStreamDone(status, reason);
  }

 private:
  absl::Status CheckAnswer() const {
    if (greeted_) return absl::InvalidArgumentError("the peer sent more than its greeting");
    const absl::StatusOr<Greeting> greeting = ReadGreeting(link_->self_, in_);
    if (!greeting.ok()) return greeting.status();
    if (greeting->from != link_->target_.peer || greeting->kind != link_->target_.kind) {
      return absl::FailedPreconditionError("the peer's greeting does not answer ours");
    }
    return link_->owner_.admission(*greeting);
  }

  std::shared_ptr<PeerLink> link_;
  grpc::ClientContext context_;
  wire::Envelope out_;
  size_t out_bytes_ = 0;  // of the largest envelope that out_ has held since it was new
  wire::Envelope in_;
  bool greeted_ = false;
  absl::Status fault_;
};

PeerLink::PeerLink(const Identity& self, Target target, const LinkLimits& limits,
                   const std::shared_ptr<grpc::ChannelCredentials>& credentials, Owner owner)
    : self_(self),
      target_(std::move(target)),
      limits_(limits),
      owner_(std::move(owner)),
      stub_(wire::Peer::NewStub(
          grpc::CreateCustomChannel(target_.address, credentials, ChannelArguments(target_.kind)))),
      since_(steady_clock::now()),
      jitter_(self.incarnation ^ (target_.peer.value() << 1) ^
              static_cast<uint64_t>(target_.kind)) {}

PeerLink::~PeerLink() { CHECK_EQ(under_way_, 0) << "a link must be stopped first"; }

void PeerLink::Start() {
  {
    std::lock_guard lock(mutex_);
    ++under_way_;
  }
  Dial();
}

void PeerLink::Dial() {
  std::shared_ptr<Stream> stream;
  std::shared_ptr<grpc::Alarm> fired;
  Stream::Patience patience;
  {
    std::lock_guard lock(mutex_);
    fired = std::move(redial_);
    patience = probing_ ? Stream::Patience::kFails : Stream::Patience::kWaits;
    if (!stopped_) {
      stream = stream_ = std::make_shared<Stream>(shared_from_this());
      writing_ = true;  // the greeting
    }
  }
  if (stream == nullptr) {
    Finish();
  } else {
    stream->Start(patience);
  }
}

void PeerLink::DialLater(milliseconds delay) {
  auto alarm = std::make_shared<grpc::Alarm>();
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    ++under_way_;
    redial_ = alarm;
  }
  const gpr_timespec when =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(delay.count(), GPR_TIMESPAN));
  // Also called, at once, if Stop cancels the alarm.
  alarm->Set(when, [link = shared_from_this()](bool) { link->Dial(); });
}

void PeerLink::Send(std::vector<Message> messages) {
  Queued queued;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    queued = Enqueue(std::move(messages));
    if (queued == Queued::kDroppedAndUntold) ++under_way_;
  }
  if (queued == Queued::kDroppedAndUntold) {
    LogWarn("messages to a peer were dropped",
            {{"peer", target_.peer}, {"stream", StreamKindName(target_.kind)}});
    owner_.receiver->OnPeerUnreachable(target_.peer);
    Finish();
  }
  WriteNext();
}

PeerLink::Queued PeerLink::Enqueue(std::vector<Message> messages) {
  for (Message& message : messages) {
    queued_bytes_ += EstimateBytes(message);
    queue_.push_back(std::move(message));
  }
  const bool full =
      queue_.size() > limits_.queued_messages_max || queued_bytes_ > limits_.queued_bytes_max;
  const bool too_late = !open_ && steady_clock::now() - since_ > kPatience;
  if (!full && !too_late) return Queued::kAll;
  // All of it: what is left after a gap would only be refused by the receiver.
  ClearQueue();
  return std::exchange(loss_told_, true) ? Queued::kDropped : Queued::kDroppedAndUntold;
}

std::vector<Message> PeerLink::TakeEnvelope() {
  std::vector<Message> messages;
  size_t bytes = 0;
  while (!queue_.empty() && messages.size() < kEnvelopeMessagesMax) {
    const size_t next = EstimateBytes(queue_.front());
    if (!messages.empty() && bytes + next > kEnvelopeBytesTarget) break;
    bytes += next;
    messages.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return messages;
}

void PeerLink::ClearQueue() {
  queue_.clear();
  queued_bytes_ = 0;
}

void PeerLink::WriteNext() {
  std::shared_ptr<Stream> stream;
  std::vector<Message> messages;
  {
    std::lock_guard lock(mutex_);
    if (!open_ || writing_ || write_failed_ || read_ended_) return;
    if (queue_.empty()) {
      loss_told_ = false;
      return;
    }
    messages = TakeEnvelope();
    writing_ = true;
    stream = stream_;
  }
  stream->Write(messages);
}

void PeerLink::OnGreeted() {
  {
    std::lock_guard lock(mutex_);
    open_ = true;
    since_ = steady_clock::now();
    last_failure_.clear();
  }
  LogInfo("connected to peer", {{"peer", target_.peer},
                                {"stream", StreamKindName(target_.kind)},
                                {"address", target_.address}});
  WriteNext();
}

void PeerLink::OnWritten(bool ok) {
  std::shared_ptr<Stream> to_release;
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    write_failed_ = !ok;
    if (read_ended_) to_release = stream_;
  }
  if (to_release != nullptr) {
    to_release->RemoveHold();
  } else {
    WriteNext();
  }
}

void PeerLink::OnReadEnd() {
  std::shared_ptr<Stream> to_release;
  {
    std::lock_guard lock(mutex_);
    read_ended_ = true;
    if (!writing_) to_release = stream_;
  }
  if (to_release != nullptr) to_release->RemoveHold();
}

void PeerLink::OnStreamDone(const grpc::Status& status, const std::string& reason) {
  std::shared_ptr<Stream> done;
  bool was_open;
  bool is_down;
  bool failure_is_news;
  bool stopped;
  milliseconds delay;
  {
    std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    delay = NextDelay(now);
    done = std::move(stream_);
    was_open = std::exchange(open_, false);
    writing_ = write_failed_ = read_ended_ = false;
    const bool probed = probing_ && !was_open;
    is_down = probed && status.error_code() == grpc::StatusCode::UNAVAILABLE;
    // A server that is about to end cancels what still comes: the next attempt will tell.
    probing_ = probed && status.error_code() == grpc::StatusCode::CANCELLED;
    if (was_open) {
      // Part of what was sent is lost, and with the gap the rest has lost its sense.
      since_ = now;
      loss_told_ = true;
      ClearQueue();
      probing_ = target_.kind == StreamKind::kControl;
      if (probing_) delay = milliseconds(0);
    }
    failure_is_news = last_failure_ != reason;
    last_failure_ = reason;
    stopped = stopped_;
  }
  if (!stopped) {
    const char* what = was_open ? "lost the connection to peer" : "could not connect to peer";
    if (was_open || failure_is_news) {
      LogWarn(what, {{"peer", target_.peer},
                     {"stream", StreamKindName(target_.kind)},
                     {"address", target_.address},
                     {"reason", reason}});
    }
    if (was_open) owner_.receiver->OnPeerUnreachable(target_.peer);
    if (is_down) owner_.receiver->OnPeerDown(target_.peer);
    DialLater(delay);
  }
  Finish();
}

milliseconds PeerLink::NextDelay(TimePoint now) {
  const bool held = open_ && now - since_ >= kHolds;
  failed_attempts_ = held ? 0 : std::min(failed_attempts_ + 1, 10);
  const milliseconds longest = std::min(kRedialDelayMax, kRedialDelayMin * (1 << failed_attempts_));
  return longest / 2 + milliseconds(jitter_.Below(longest.count() / 2));
}

void PeerLink::Stop() {
  std::shared_ptr<Stream> stream;
  std::shared_ptr<grpc::Alarm> redial;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    ClearQueue();
    stream = stream_;
    redial = redial_;
  }
  if (stream != nullptr) stream->Cancel();
  if (redial != nullptr) redial->Cancel();
}

void PeerLink::AwaitStopped() {
  std::unique_lock lock(mutex_);
  CHECK(stopped_);
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

bool PeerLink::HasStopped() {
  std::lock_guard lock(mutex_);
  return stopped_ && under_way_ == 0;
}

void PeerLink::Finish() {
  std::lock_guard lock(mutex_);
  if (--under_way_ == 0) idle_.notify_all();
}

}  // namespace pontoon::raft
