#include "tests/sim/watchers.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

constexpr size_t kWatchers = 5;
constexpr absl::Duration kLookMost = absl::Milliseconds(200);
constexpr absl::Duration kSlowMost = absl::Seconds(1);

}  // namespace

class Watchers::Watcher {
 public:
  Watcher(size_t number, const SimOptions& options, EventLoop* loop, Machines* machines,
          const Ledger* ledger, const Trace* trace)
      : number_(number),
        loop_(loop),
        machines_(machines),
        ledger_(ledger),
        trace_(trace),
        dice_(Mix(Mix(options.seed, "watcher"), number)) {
    if (dice_.OneIn(2)) key_ = KeyId(static_cast<uint32_t>(dice_.Below(options.client.keys)));
    slow_ = dice_.OneIn(3);
  }

  void Look() {
    // In the end a node that takes no part has nothing to tell.
    const bool restless = settled_ ? !IsMember() : dice_.OneIn(100);
    if (outlet_ != nullptr && (!IsConnected() || restless)) Disconnect();
    if (outlet_ == nullptr) {
      Connect();
    } else if (dice_.OneIn(4)) {
      Ask(ProgressRequest());
    }
    loop_->After(dice_.Between(absl::Milliseconds(1), kLookMost), [this] { Look(); });
  }

  bool HasHeardEverything() {
    settled_ = true;
    return checked_ >= ledger_->model().revision();
  }

 private:
  // One stream. It outlives its connection in the hub's hands, and then is deaf.
  class Outlet final : public kv::WatchOutlet {
   public:
    explicit Outlet(Watcher* watcher) : watcher_(watcher) {}

    Room Send(grpc::ByteBuffer message) override {
      if (watcher_ == nullptr) return Room::kEnough;
      WatchResponse response;
      CHECK(grpc::SerializationTraits<WatchResponse>::Deserialize(&message, &response).ok());
      return watcher_->Take(response);
    }
    void OnRequestDone() override {}
    void End(const absl::Status& reason) override { CHECK(watcher_ == nullptr) << reason; }
    void Forget() { watcher_ = nullptr; }

   private:
    Watcher* watcher_;
  };

  static WatchRequest ProgressRequest() {
    WatchRequest request;
    request.mutable_progress_request();
    return request;
  }

  Machine& machine() { return *(*machines_)[machine_]; }
  bool IsConnected() { return machine().up() && machine().lives() == life_; }
  bool IsMember() { return ledger_->memberships().latest().membership.IsLasting(machine().id()); }
  void Ask(WatchRequest request) { machine().watch_hub()->Handle(stream_, std::move(request)); }

  void Connect() {
    machine_ = dice_.Below(machines_->size());
    if (!machine().up() || machine().paused() || (settled_ && !IsMember())) return;
    life_ = machine().lives();
    outlet_ = std::make_shared<Outlet>(this);
    stream_ = machine().watch_hub()->Open(outlet_);
    WatchRequest request;
    auto* const create = request.mutable_create_request();
    create->set_start_revision(checked_ + 1);
    if (key_.has_value()) {
      create->set_key(absl::StrCat("key-", key_->value()));
    } else {
      create->set_range_end(std::string(1, '\0'));
    }
    Ask(std::move(request));
    trace_->Say("watcher ", number_, " is at node ", machine().id().value(), ", from revision ",
                checked_ + 1);
  }

  void Disconnect() {
    outlet_->Forget();
    outlet_.reset();
    if (IsConnected()) machine().watch_hub()->Close(stream_);
  }

  kv::WatchOutlet::Room Take(const WatchResponse& response) {
    CHECK(!response.canceled()) << response.ShortDebugString();
    const int64_t revision = response.header().revision();
    for (const mvccpb::Event& event : response.events()) TakeEvent(event, revision);
    const bool tells_progress = response.watch_id() == -1;
    if (tells_progress) CheckUpTo(revision);
    if (!slow_ || settled_ || dice_.OneIn(2)) return kv::WatchOutlet::Room::kEnough;
    loop_->After(dice_.Skewed(absl::Microseconds(10), kSlowMost),
                 [this, life = life_, stream = stream_] {
                   if (outlet_ == nullptr || life != life_ || stream != stream_) return;
                   if (IsConnected()) machine().watch_hub()->OnDrained(stream);
                 });
    return kv::WatchOutlet::Room::kFull;
  }

  void TakeEvent(const mvccpb::Event& event, int64_t header_revision) {
    const int64_t revision = event.kv().mod_revision();
    CHECK_LE(revision, header_revision);
    CHECK_GT(revision, checked_) << "watcher " << number_ << " heard of it before";
    CheckUpTo(revision - 1);
    const Ledger::Change& change = ledger_->ChangeAt(revision);
    CHECK_EQ(event.kv().key(), absl::StrCat("key-", change.key.value()));
    if (change.value == kAbsent) {
      CHECK_EQ(event.type(), mvccpb::Event::DELETE);
    } else {
      CHECK_EQ(event.kv().value(), absl::StrCat(change.value.value()));
    }
    checked_ = revision;
  }

  // Nothing of its keys may have changed since the last event, up to `revision`.
  void CheckUpTo(int64_t revision) {
    for (; checked_ < revision; ++checked_) {
      CHECK(key_.has_value() && ledger_->ChangeAt(checked_ + 1).key != *key_)
          << "watcher " << number_ << " did not hear of revision " << checked_ + 1;
    }
  }

  const size_t number_;
  EventLoop* const loop_;
  Machines* const machines_;
  const Ledger* const ledger_;
  const Trace* const trace_;
  Dice dice_;
  std::optional<KeyId> key_;  // nothing: all
  bool slow_ = false;
  bool settled_ = false;

  int64_t checked_ = 1;  // the revision up to which it has heard everything
  size_t machine_ = 0;
  uint64_t life_ = 0;
  kv::WatchHub::StreamId stream_ = 0;
  std::shared_ptr<Outlet> outlet_;  // null: not connected
};

Watchers::Watchers(const SimOptions& options, EventLoop* loop, Machines* machines,
                   const Ledger* ledger, const Trace* trace) {
  if (!options.level_db) return;
  for (size_t i = 0; i < kWatchers; ++i) {
    watchers_.push_back(std::make_unique<Watcher>(i, options, loop, machines, ledger, trace));
  }
}

Watchers::~Watchers() = default;

void Watchers::Start() {
  for (const auto& watcher : watchers_) watcher->Look();
}

bool Watchers::HaveHeardEverything() {
  bool all = true;
  for (const auto& watcher : watchers_) all = watcher->HasHeardEverything() && all;
  return all;
}

}  // namespace pontoon::sim
