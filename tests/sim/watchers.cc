#include "tests/sim/watchers.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "kv/watch/watch_hub.h"
#include "proto/rpc.pb.h"
#include "raft/base/check.h"
#include "tests/sim/dice.h"
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
  Watcher(size_t number, const World& world, Machines* machines, const Ledger* ledger)
      : number_(number),
        world_(world),
        machines_(machines),
        ledger_(ledger),
        dice_(Mix(Mix(world.options->seed, "watcher"), number)) {
    if (dice_.OneIn(2)) {
      key_ = KeyId(static_cast<uint32_t>(dice_.Below(world.options->client.keys)));
    } else if (dice_.OneIn(3)) {
      key_ = kLeaseKeysBegin;
    }
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
    world_.loop->After(dice_.Between(absl::Milliseconds(1), kLookMost), [this] { Look(); });
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
    Ask(CreateRequest());
    world_.trace->Say("watcher ", number_, " is at node ", machine().id().value(),
                      ", from revision ", checked_ + 1);
  }

  WatchRequest CreateRequest() const {
    WatchRequest request;
    auto* const create = request.mutable_create_request();
    create->set_start_revision(checked_ + 1);
    if (key_.has_value()) {
      create->set_key(NameOf(*key_));
    } else {
      create->set_range_end(std::string(1, '\0'));
    }
    return request;
  }

  void Disconnect() {
    outlet_->Forget();
    outlet_.reset();
    if (IsConnected()) machine().watch_hub()->Close(stream_);
  }

  kv::WatchOutlet::Room Take(const WatchResponse& response) {
    const int64_t revision = response.header().revision();
    if (response.canceled()) {
      TakeCompaction(response);
    } else if (response.events_size() > 0) {
      TakeEvents(response);
    }
    const bool tells_progress = response.watch_id() == -1;
    if (tells_progress) CheckUpTo(revision);
    if (!slow_ || settled_ || dice_.OneIn(2)) return kv::WatchOutlet::Room::kEnough;
    world_.loop->After(dice_.Skewed(absl::Microseconds(10), kSlowMost),
                       [this, life = life_, stream = stream_] {
                         if (outlet_ == nullptr || life != life_ || stream != stream_) return;
                         if (IsConnected()) machine().watch_hub()->OnDrained(stream);
                       });
    return kv::WatchOutlet::Room::kFull;
  }

  // The events of one revision are those that the ledger has, in the same order.
  void TakeEvents(const WatchResponse& response) {
    auto event = response.events().begin();
    while (event != response.events().end()) {
      const int64_t revision = event->kv().mod_revision();
      CHECK_LE(revision, response.header().revision());
      CHECK_GT(revision, checked_) << "watcher " << number_ << " heard of it before";
      CheckUpTo(revision - 1);
      for (const Ledger::Change& change : ledger_->ChangesAt(revision)) {
        if (!Watches(change)) continue;
        CHECK(event != response.events().end())
            << "watcher " << number_ << " heard of a part of revision " << revision;
        CheckEvent(*event++, change, revision);
      }
      checked_ = revision;
    }
  }

  void CheckEvent(const mvccpb::Event& event, const Ledger::Change& change, int64_t revision) {
    CHECK_EQ(event.kv().mod_revision(), revision);
    CHECK_EQ(event.kv().key(), NameOf(change.key));
    if (change.value == kAbsent) {
      CHECK_EQ(event.type(), mvccpb::Event::DELETE);
    } else {
      CHECK_EQ(ValueOf(event.kv().value()), change.value);
      CHECK_EQ(LeaseId(event.kv().lease()), change.lease);
    }
  }

  bool Watches(const Ledger::Change& change) const {
    return !key_.has_value() || change.key == *key_;
  }

  // Nothing of its keys may have changed since the last event, up to `revision`.
  void CheckUpTo(int64_t revision) {
    for (; checked_ < revision; ++checked_) {
      for (const Ledger::Change& change : ledger_->ChangesAt(checked_ + 1)) {
        CHECK(!Watches(change)) << "watcher " << number_ << " did not hear of revision "
                                << checked_ + 1;
      }
    }
  }

  // What is of the compacted revision itself can still be heard of.
  void TakeCompaction(const WatchResponse& response) {
    const int64_t compacted = response.compact_revision();
    CHECK(ledger_->WasCompactedTo(compacted)) << response.ShortDebugString();
    CHECK_LT(checked_ + 1, compacted)
        << "watcher " << number_ << " is told that what it needs is compacted";
    world_.trace->Say("watcher ", number_, " lost what is before revision ", compacted);
    world_.coverage->Reached(Path::kWatcherCompacted);
    checked_ = compacted - 1;
    Ask(CreateRequest());
  }

  const size_t number_;
  const World& world_;
  Machines* const machines_;
  const Ledger* const ledger_;
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

Watchers::Watchers(const World& world, Machines* machines, const Ledger* ledger) : world_(world) {
  if (!world.options->level_db) return;
  for (size_t i = 0; i < kWatchers; ++i) {
    watchers_.push_back(std::make_unique<Watcher>(i, world_, machines, ledger));
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
