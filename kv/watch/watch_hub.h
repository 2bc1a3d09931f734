// WatchHub: knows who watches what, and brings to each watcher its events.

#ifndef PONTOON_KV_WATCH_WATCH_HUB_H_
#define PONTOON_KV_WATCH_WATCH_HUB_H_

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "kv/service/leader_monitor.h"
#include "kv/store/kv_store.h"
#include "kv/store/read_view.h"
#include "kv/store/store_observer.h"
#include "kv/watch/event_walk.h"
#include "kv/watch/watcher.h"
#include "kv/watch/watcher_index.h"
#include "proto/rpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Where the messages of one stream go. They may pile up here, for a client that is slow: the hub
// stops when it is told that there are many, until it hears that they have drained.
//
// Thread safety: all methods may be called from any thread. None blocks.
class WatchOutlet {
 public:
  virtual ~WatchOutlet() = default;

  enum class Room { kEnough, kFull };
  // Sends `message` after those before it. kFull: nothing more, please, until WatchHub::OnDrained.
  virtual Room Send(grpc::ByteBuffer message) = 0;
  // The request is dealt with: the next one may come.
  virtual void OnRequestDone() = 0;
  // Ends the stream. What is not sent yet is dropped.
  virtual void End(const absl::Status& reason) = 0;
};

struct WatchHubOptions {
  // After so long without events, who wants it hears how far the store is. Spread by a tenth, so
  // that the watchers that were made together do not all hear it together.
  absl::Duration progress_interval = absl::Minutes(10);
  // A response of more bytes is cut in pieces for those who take that.
  size_t fragment_bytes_max = (3 << 19) + (512 << 10);
  absl::Duration leader_look_interval = absl::Seconds(1);  // of the LeaderMonitor
  // Of history, read in one turn: what is more waits for the next one.
  size_t turn_revisions_max = 1000;
  size_t turn_bytes_max = 1 << 20;
  // Watchers that read the history together.
  size_t turn_watchers_max = 512;
};

// All watchers of a member. There is one way for events: a step of the store rings a bell, and on
// the hub's executor the events are read from the step's view and sent to the watchers of their
// keys. A watcher that begins in the past, or whose stream had no room, reads the history in the
// same way, in turns of bounded size, until it has arrived where the others are. So what a slow
// client costs is a number, the revision that comes next; and the applying thread never waits.
//
// What a watcher is promised: events come in order of revisions, each once, all of one revision
// together; none is left out; and a response without events tells a revision up to which everything
// was sent. If the history that a watcher needs is compacted away, it is told so and ends.
//
// Thread safety: all public methods may be called from any thread; the work is done on the
// executor.
class WatchHub final : private StoreObserver {
 public:
  // Fills in all of a header but the revision.
  using FillHeader = absl::AnyInvocable<void(etcdserverpb::ResponseHeader*) const>;
  using HasLeader = LeaderMonitor::HasLeader;

  // Borrows `store` and `clock`.
  WatchHub(KvStore* store, const Clock* clock, const WatchHubOptions& options,
           FillHeader fill_header, HasLeader has_leader, std::unique_ptr<Executor> executor);
  // Nobody may use the hub any more; streams that are open are forgotten.
  ~WatchHub() override;

  using StreamId = uint64_t;
  enum class Demand { kNone, kLeader };
  StreamId Open(std::shared_ptr<WatchOutlet> outlet, Demand demand = Demand::kNone);
  // Answers through the outlet.
  void Handle(StreamId stream, etcdserverpb::WatchRequest request);
  // The outlet has room again.
  void OnDrained(StreamId stream);
  // Nobody hears of the stream's watchers any more.
  void Close(StreamId stream);
  // Ends all streams that are open.
  void EndOpen(const absl::Status& reason);
  // Those, too, that are opened later.
  void EndAll(const absl::Status& reason);

  struct Statistics {
    int64_t streams = 0;
    int64_t watchers = 0;
    int64_t slow_watchers = 0;  // that are not up to date
    uint64_t events = 0;        // sent, one for each watcher
  };
  Statistics Stats() const;

 private:
  // A step of the store that waits. One that brought a compaction has the last view of what that
  // removes, so that no later step may stand in for it.
  struct WaitingStep {
    StoreStep::Kind kind;
    std::shared_ptr<const ReadView> view;
    bool irreplaceable;
  };
  // One event of the distribution under way, as bytes, made when the first watcher needs it.
  struct WireEvent {
    std::optional<grpc::Slice> plain, with_previous;
  };
  // What one watcher gets of it.
  struct Batch {
    Watcher* watcher;
    std::vector<grpc::Slice> events;
  };
  // By what they read next; then as they came.
  struct ByNext {
    bool operator()(const Watcher* a, const Watcher* b) const;
  };

  void OnStep(const StoreStep& step) override;

  // Runs `task` on the executor with the stream, if that is still there.
  void PostTo(StreamId stream, absl::AnyInvocable<void(WatchStream*) &&> task);
  void ScheduleWork();

  // ---- on the executor
  void Work();
  void TakeSteps();
  void Advance(const WaitingStep& step);
  void LeaveGap();
  void CatchUp();
  void Tick();
  void TickLater();
  void EndLeaderless(StreamId stream);

  // Hands the events of the view from `from` on to the watchers in `index`, up to the limits of a
  // turn. Returns the first revision that was not looked at. An error: the storage failed.
  absl::StatusOr<Revision> Distribute(const WatcherIndex& index, Revision from);
  void Note(EventWalk* walk, WireEvent* wire, Watcher* watcher);
  // Sends what was noted. Returns the watchers that did not get theirs, for want of room.
  std::vector<Watcher*> SendBatches();
  void SendEvents(Watcher* watcher, std::span<const grpc::Slice> events);
  void Send(WatchStream* stream, grpc::ByteBuffer message);
  void Send(WatchStream* stream, etcdserverpb::WatchResponse response, Revision revision);

  void Create(WatchStream* stream, etcdserverpb::WatchCreateRequest request);
  void RefuseCreation(WatchStream* stream, absl::string_view reason);
  void Cancel(WatchStream* stream, int64_t watch_id);
  void CancelCompacted(Watcher* watcher);
  void SendProgress(WatchStream* stream);
  void FinishRequest(WatchStream* stream);

  // A watcher comes to where it belongs that reads `next` next; is taken from there; goes for good.
  void Enter(Watcher* watcher, Revision next);
  void Leave(Watcher* watcher);
  void Remove(Watcher* watcher);
  void Drop(StreamId stream);

  void Listen();
  void StopListening();
  void EndStreams(const absl::Status& reason);
  void FailAll(const absl::Status& error);
  const grpc::Slice& Header();

  KvStore* const store_;
  const Clock* const clock_;
  const WatchHubOptions options_;
  const FillHeader fill_header_;

  // ---- of the executor
  absl::flat_hash_map<StreamId, std::unique_ptr<WatchStream>> streams_;
  std::shared_ptr<const ReadView> view_;  // null while nobody watches
  Revision position_;                     // how far the synced ones are, in the view
  WatcherIndex synced_;
  absl::btree_set<Watcher*, ByNext> behind_;
  std::vector<Batch> batches_;
  std::optional<grpc::Slice> header_;  // of the distribution under way
  std::optional<absl::Status> ended_;
  uint64_t watchers_made_ = 0;
  uint64_t ticks_ = 0;
  bool ticking_ = false;
  LeaderMonitor leader_monitor_;  // of the streams that need a leader

  // Whether there is anybody for whom steps matter.
  std::atomic<bool> listening_ = false;

  absl::Mutex mutex_;
  std::deque<WaitingStep> steps_ ABSL_GUARDED_BY(mutex_);
  Revision last_compacted_ ABSL_GUARDED_BY(mutex_);  // of the last step
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;   // Work is posted, or runs

  std::atomic<StreamId> last_stream_ = 0;
  std::atomic<int64_t> streams_count_ = 0;
  std::atomic<int64_t> watchers_count_ = 0;
  std::atomic<int64_t> slow_count_ = 0;
  std::atomic<uint64_t> events_count_ = 0;

  std::unique_ptr<Executor> executor_;  // last: its tasks use the rest
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_WATCH_WATCH_HUB_H_
