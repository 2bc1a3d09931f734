#include "kv/watch/watch_hub.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "kv/errors.h"
#include "kv/watch/watch_message.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

// A stream has its turn once in so many ticks.
constexpr uint64_t kTicksInInterval = 16;

// Of a response that belongs to no watcher.
constexpr int64_t kNoWatchId = -1;

constexpr absl::string_view kEmptyRange = "mvcc: watcher range is empty";
constexpr absl::string_view kDuplicateId = "mvcc: duplicate watch ID provided on the WatchStream";

}  // namespace

// What the hub knows of a stream.
struct WatchStream {
  uint64_t id = 0;
  std::shared_ptr<WatchOutlet> outlet;
  absl::flat_hash_map<int64_t, std::unique_ptr<Watcher>> watchers;
  absl::flat_hash_set<Watcher*> held;
  // Watchers that ended without the client's doing. As in etcd their ids are taken until the client
  // has cancelled them, which is answered.
  absl::flat_hash_set<int64_t> lost_ids;
  int64_t next_id = 0;  // to try next

  bool IsTaken(int64_t watch_id) const {
    return watchers.contains(watch_id) || lost_ids.contains(watch_id);
  }

  size_t late = 0;  // watchers that are not synced
  LeaderMonitor::Id in_leader_monitor = LeaderMonitor::kNone;
  bool full = false;
  bool request_waits = false;   // for room, before the next one may come
  bool progress_asked = false;  // and not told yet
};

WatchHub::WatchHub(KvStore* store, const Clock* clock, const WatchHubOptions& options,
                   FillHeader fill_header, HasLeader has_leader, std::unique_ptr<Executor> executor)
    : store_(store),
      clock_(clock),
      options_(options),
      fill_header_(std::move(fill_header)),
      leader_monitor_(std::move(has_leader), clock, executor.get(), options.leader_look_interval),
      executor_(std::move(executor)) {
  store_->Subscribe(this);
}

WatchHub::~WatchHub() {
  store_->Unsubscribe(this);
  executor_.reset();
}

bool WatchHub::ByNext::operator()(const Watcher* a, const Watcher* b) const {
  return a->next != b->next ? a->next < b->next : a->serial < b->serial;
}

// ---- From any thread.

void WatchHub::OnStep(const StoreStep& step) {
  if (!listening_) return;
  {
    absl::MutexLock lock(&mutex_);
    const bool compacts = step.view->compacted() != last_compacted_;
    last_compacted_ = step.view->compacted();
    WaitingStep waiting{step.kind, step.view, compacts || step.kind == StoreStep::Kind::kInstalled};
    if (!waiting.irreplaceable && !steps_.empty() && !steps_.back().irreplaceable) {
      steps_.back() = std::move(waiting);
    } else {
      steps_.push_back(std::move(waiting));
    }
  }
  ScheduleWork();
}

void WatchHub::ScheduleWork() {
  {
    absl::MutexLock lock(&mutex_);
    if (scheduled_) return;
    scheduled_ = true;
  }
  executor_->Post([this] { Work(); });
}

void WatchHub::PostTo(StreamId stream, absl::AnyInvocable<void(WatchStream*) &&> task) {
  executor_->Post([this, stream, task = std::move(task)]() mutable {
    const auto found = streams_.find(stream);
    if (found != streams_.end()) std::move(task)(found->second.get());
  });
}

WatchHub::StreamId WatchHub::Open(std::shared_ptr<WatchOutlet> outlet, Demand demand) {
  const StreamId id = ++last_stream_;
  executor_->Post([this, id, demand, outlet = std::move(outlet)]() mutable {
    if (ended_.has_value()) return outlet->End(*ended_);
    auto stream = std::make_unique<WatchStream>();
    stream->id = id;
    stream->outlet = std::move(outlet);
    if (demand == Demand::kLeader) {
      stream->in_leader_monitor = leader_monitor_.Add([this, id] { EndLeaderless(id); });
    }
    streams_.emplace(id, std::move(stream));
    ++streams_count_;
  });
  return id;
}

void WatchHub::Handle(StreamId stream, WatchRequest request) {
  PostTo(stream, [this, request = std::move(request)](WatchStream* stream) mutable {
    // Who has seen a write of this member acknowledged is answered as after it.
    TakeSteps();
    if (ended_.has_value()) return;  // that failed, and the stream is gone
    switch (request.request_union_case()) {
      case WatchRequest::kCreateRequest:
        Create(stream, std::move(*request.mutable_create_request()));
        break;
      case WatchRequest::kCancelRequest:
        Cancel(stream, request.cancel_request().watch_id());
        break;
      case WatchRequest::kProgressRequest:
        stream->progress_asked = true;
        SendProgress(stream);
        break;
      case WatchRequest::REQUEST_UNION_NOT_SET:
        break;  // as in etcd
    }
    FinishRequest(stream);
  });
}

void WatchHub::OnDrained(StreamId stream) {
  PostTo(stream, [this](WatchStream* stream) {
    stream->full = false;
    const std::vector<Watcher*> held(stream->held.begin(), stream->held.end());
    for (Watcher* watcher : held) {
      Leave(watcher);
      Enter(watcher, watcher->next);
    }
    SendProgress(stream);
    if (stream->request_waits) FinishRequest(stream);
    if (!behind_.empty()) ScheduleWork();
  });
}

void WatchHub::Close(StreamId stream) {
  PostTo(stream, [this](WatchStream* stream) { Drop(stream->id); });
}

void WatchHub::EndOpen(const absl::Status& reason) {
  executor_->Post([this, reason] { EndStreams(reason); });
}

void WatchHub::EndAll(const absl::Status& reason) {
  executor_->Post([this, reason] { FailAll(reason); });
}

WatchHub::Statistics WatchHub::Stats() const {
  return {streams_count_, watchers_count_, slow_count_, events_count_};
}

// ---- Steps and turns.

void WatchHub::Work() {
  TakeSteps();
  CatchUp();
  {
    absl::MutexLock lock(&mutex_);
    if (steps_.empty() && behind_.empty()) {
      scheduled_ = false;
      return;
    }
  }
  executor_->Post([this] { Work(); });  // others get their turn in between
}

void WatchHub::TakeSteps() {
  std::deque<WaitingStep> steps;
  {
    absl::MutexLock lock(&mutex_);
    steps.swap(steps_);
  }
  for (const WaitingStep& step : steps) {
    if (view_) Advance(step);
  }
}

void WatchHub::Advance(const WaitingStep& step) {
  if (step.view->applied().index <= view_->applied().index) return;
  view_ = step.view;
  if (step.kind == StoreStep::Kind::kInstalled && position_.Next() < view_->compacted()) {
    return LeaveGap();
  }
  while (view_ && position_ < view_->revision()) {
    const Revision from = position_.Next();
    const absl::StatusOr<Revision> next = Distribute(synced_, from);
    if (!next.ok()) return FailAll(next.status());
    position_ = Revision(next->value() - 1);
    for (Watcher* watcher : SendBatches()) {
      Leave(watcher);
      Enter(watcher, std::max(watcher->next, from));
    }
  }
}

// Between what the watchers have seen and what the view has, events are missing. Those who need
// them are told when they read the history.
void WatchHub::LeaveGap() {
  const Revision from = position_.Next();
  std::vector<Watcher*> watchers;
  for (const auto& [id, stream] : streams_) {
    for (const auto& [watch_id, watcher] : stream->watchers) {
      if (watcher->state == Watcher::State::kSynced) watchers.push_back(watcher.get());
    }
  }
  position_ = view_->revision();
  for (Watcher* watcher : watchers) {
    Leave(watcher);
    Enter(watcher, std::max(watcher->next, from));
  }
}

// One turn of those who read the history: the ones that are farthest behind, together.
void WatchHub::CatchUp() {
  std::vector<Watcher*> group;
  while (!behind_.empty() && (*behind_.begin())->next < view_->compacted()) {
    CancelCompacted(*behind_.begin());
  }
  if (behind_.empty()) return;
  for (Watcher* watcher : behind_) {
    group.push_back(watcher);
    if (group.size() == options_.turn_watchers_max) break;
  }
  const Revision from = group.front()->next;
  WatcherIndex index;
  for (Watcher* watcher : group) {
    Leave(watcher);
    index.Add(watcher);
  }
  const absl::StatusOr<Revision> next = Distribute(index, from);
  for (Watcher* watcher : group) index.Remove(watcher);
  std::vector<Watcher*> held;
  if (next.ok()) held = SendBatches();
  const absl::flat_hash_set<Watcher*> without(held.begin(), held.end());
  for (Watcher* watcher : group) {
    const bool has_arrived = next.ok() && !without.contains(watcher);
    Enter(watcher, std::max(watcher->next, has_arrived ? *next : from));
  }
  for (Watcher* watcher : group) SendProgress(watcher->stream);  // once all are where they belong
  if (!next.ok()) FailAll(next.status());
}

absl::StatusOr<Revision> WatchHub::Distribute(const WatcherIndex& index, Revision from) {
  header_.reset();
  EventWalk walk(*view_, from);
  const Revision end(from.value() + static_cast<int64_t>(options_.turn_revisions_max));
  Revision revision = from;
  size_t bytes = 0;
  for (; walk.Valid(); walk.Next()) {
    if (walk.revision() != revision) {
      if (walk.revision() >= end || bytes >= options_.turn_bytes_max) return walk.revision();
      revision = walk.revision();
    }
    bytes += walk.event().key.size() + walk.event().state.value.size();
    WireEvent wire;
    index.ForEachOf(walk.event().key, [&](Watcher* watcher) { Note(&walk, &wire, watcher); });
    if (!walk.status().ok()) break;
  }
  if (!walk.status().ok()) return walk.status();
  return view_->revision().Next();
}

void WatchHub::Note(EventWalk* walk, WireEvent* wire, Watcher* watcher) {
  if (walk->revision() < watcher->next) return;
  const bool is_put = walk->event().kind == EventKind::kPut;
  if (is_put ? !watcher->wants_puts : !watcher->wants_deletions) return;
  std::optional<grpc::Slice>& slice = watcher->wants_previous ? wire->with_previous : wire->plain;
  if (!slice.has_value()) {
    slice =
        EncodeEventField(walk->event(), watcher->wants_previous ? walk->Previous() : std::nullopt);
  }
  if (watcher->batch == Watcher::kNoBatch) {
    watcher->batch = static_cast<uint32_t>(batches_.size());
    batches_.push_back({watcher, {}});
  }
  batches_[watcher->batch].events.push_back(*slice);
}

std::vector<Watcher*> WatchHub::SendBatches() {
  std::vector<Watcher*> held;
  for (Batch& batch : batches_) {
    batch.watcher->batch = Watcher::kNoBatch;
    if (batch.watcher->stream->full) {
      held.push_back(batch.watcher);
    } else {
      SendEvents(batch.watcher, batch.events);
    }
  }
  batches_.clear();
  return held;
}

void WatchHub::SendEvents(Watcher* watcher, std::span<const grpc::Slice> events) {
  watcher->heard_since_tick = true;
  events_count_ += events.size();
  while (watcher->takes_fragments && events.size() > 1) {
    size_t count = 0, bytes = 0;
    while (count < events.size() &&
           (count == 0 || bytes + events[count].size() <= options_.fragment_bytes_max)) {
      bytes += events[count++].size();
    }
    if (count == events.size()) break;
    Send(watcher->stream,
         MakeEventsMessage(Header(), watcher->id, /*fragment=*/true, events.first(count)));
    events = events.subspan(count);
  }
  Send(watcher->stream, MakeEventsMessage(Header(), watcher->id, /*fragment=*/false, events));
}

void WatchHub::Send(WatchStream* stream, grpc::ByteBuffer message) {
  if (stream->outlet->Send(std::move(message)) == WatchOutlet::Room::kFull) stream->full = true;
}

void WatchHub::Send(WatchStream* stream, WatchResponse response, Revision revision) {
  fill_header_(response.mutable_header());
  response.mutable_header()->set_revision(revision.value());
  Send(stream, MakeMessage(response));
}

// All events of a distribution come with the revision of its view: it is not less than theirs.
const grpc::Slice& WatchHub::Header() {
  if (!header_.has_value()) {
    etcdserverpb::ResponseHeader header;
    fill_header_(&header);
    header.set_revision(view_->revision().value());
    header_ = EncodeHeaderField(header);
  }
  return *header_;
}

// ---- Requests.

void WatchHub::Create(WatchStream* stream, WatchCreateRequest request) {
  Listen();
  if (request.start_revision() < 0) return RefuseCreation(stream, kErrCompacted.text);
  if (request.key().empty()) request.set_key(std::string(1, '\0'));
  const std::string& end = request.range_end();
  if (!end.empty() && end != std::string(1, '\0') && request.key() >= end) {
    return RefuseCreation(stream, kEmptyRange);
  }
  int64_t id = request.watch_id();
  if (id == 0) {
    while (stream->IsTaken(stream->next_id)) ++stream->next_id;
    id = stream->next_id++;
  } else if (stream->IsTaken(id)) {
    return RefuseCreation(stream, kDuplicateId);
  }

  auto watcher = std::make_unique<Watcher>();
  watcher->stream = stream;
  watcher->id = id;
  watcher->serial = ++watchers_made_;
  watcher->key = std::move(*request.mutable_key());
  watcher->range_end = std::move(*request.mutable_range_end());
  watcher->wants_previous = request.prev_kv();
  watcher->wants_progress = request.progress_notify();
  watcher->takes_fragments = request.fragment();
  for (const int filter : request.filters()) {
    if (filter == WatchCreateRequest::NOPUT) watcher->wants_puts = false;
    if (filter == WatchCreateRequest::NODELETE) watcher->wants_deletions = false;
  }
  Watcher* const made = watcher.get();
  stream->watchers.emplace(id, std::move(watcher));
  ++watchers_count_;

  WatchResponse response;
  response.set_watch_id(id);
  response.set_created(true);
  Send(stream, std::move(response), position_);
  const Revision start(request.start_revision());
  Enter(made, start == Revision(0) ? position_.Next() : start);
  if (made->wants_progress) TickLater();
  if (!behind_.empty()) ScheduleWork();
}

void WatchHub::RefuseCreation(WatchStream* stream, absl::string_view reason) {
  WatchResponse response;
  response.set_watch_id(kNoWatchId);
  response.set_created(true);
  response.set_canceled(true);
  response.set_cancel_reason(std::string(reason));
  Send(stream, std::move(response), position_);
  if (watchers_count_ == 0) StopListening();
}

void WatchHub::Cancel(WatchStream* stream, int64_t watch_id) {
  const auto found = stream->watchers.find(watch_id);
  if (found == stream->watchers.end() && stream->lost_ids.erase(watch_id) == 0) return;
  WatchResponse response;
  response.set_watch_id(watch_id);
  response.set_canceled(true);
  // Without any watcher the hub does not follow the store.
  Send(stream, std::move(response), view_ ? position_ : store_->View()->revision());
  if (found != stream->watchers.end()) Remove(found->second.get());
}

void WatchHub::CancelCompacted(Watcher* watcher) {
  WatchResponse response;
  response.set_watch_id(watcher->id);
  response.set_canceled(true);
  response.set_compact_revision(view_->compacted().value());
  Send(watcher->stream, std::move(response), Revision(0));  // as etcd: it has seen none
  watcher->stream->lost_ids.insert(watcher->id);
  Remove(watcher);
}

void WatchHub::SendProgress(WatchStream* stream) {
  if (!stream->progress_asked || stream->full || stream->late > 0) return;
  stream->progress_asked = false;
  const bool in_future =
      std::any_of(stream->watchers.begin(), stream->watchers.end(),
                  [this](const auto& watcher) { return watcher.second->next > position_.Next(); });
  if (stream->watchers.empty() || in_future) return;  // as in etcd
  WatchResponse response;
  response.set_watch_id(kNoWatchId);
  Send(stream, std::move(response), position_);
}

// A client that does not read its answers does not get to ask more.
void WatchHub::FinishRequest(WatchStream* stream) {
  stream->request_waits = stream->full;
  if (!stream->full) stream->outlet->OnRequestDone();
}

void WatchHub::TickLater() {
  if (ticking_) return;
  ticking_ = true;
  executor_->PostAt(clock_->Now() + options_.progress_interval / kTicksInInterval,
                    [this] { Tick(); });
}

void WatchHub::Tick() {
  ticking_ = false;
  if (!view_) return;
  ++ticks_;
  TakeSteps();
  bool wanted = false;
  for (const auto& [id, stream] : streams_) {
    const bool its_turn = id % kTicksInInterval == ticks_ % kTicksInInterval;
    for (const auto& [watch_id, watcher] : stream->watchers) {
      if (!watcher->wants_progress) continue;
      wanted = true;
      if (!its_turn) continue;
      const bool silent = !std::exchange(watcher->heard_since_tick, false);
      const bool synced = watcher->state == Watcher::State::kSynced;
      if (!silent || !synced || stream->full || watcher->next > position_.Next()) continue;
      WatchResponse response;
      response.set_watch_id(watch_id);
      Send(stream.get(), std::move(response), position_);
    }
  }
  if (wanted) TickLater();
}

void WatchHub::EndLeaderless(StreamId stream) {
  streams_.at(stream)->outlet->End(kErrNoLeader);
  Drop(stream);
}

// ---- Where watchers are.

void WatchHub::Enter(Watcher* watcher, Revision next) {
  watcher->next = next;
  WatchStream* const stream = watcher->stream;
  if (next > position_) {
    watcher->state = Watcher::State::kSynced;
    synced_.Add(watcher);
    return;
  }
  ++stream->late;
  ++slow_count_;
  if (stream->full) {
    watcher->state = Watcher::State::kHeld;
    stream->held.insert(watcher);
  } else {
    watcher->state = Watcher::State::kBehind;
    behind_.insert(watcher);
  }
}

void WatchHub::Leave(Watcher* watcher) {
  WatchStream* const stream = watcher->stream;
  switch (watcher->state) {
    case Watcher::State::kSynced:
      synced_.Remove(watcher);
      return;
    case Watcher::State::kBehind:
      behind_.erase(watcher);
      break;
    case Watcher::State::kHeld:
      stream->held.erase(watcher);
      break;
  }
  --stream->late;
  --slow_count_;
}

void WatchHub::Remove(Watcher* watcher) {
  Leave(watcher);
  WatchStream* const stream = watcher->stream;
  stream->watchers.erase(watcher->id);
  --watchers_count_;
  SendProgress(stream);
  if (watchers_count_ == 0) StopListening();
}

void WatchHub::Drop(StreamId id) {
  const auto found = streams_.find(id);
  const std::unique_ptr<WatchStream> stream = std::move(found->second);
  streams_.erase(found);
  --streams_count_;
  leader_monitor_.Remove(stream->in_leader_monitor);
  for (const auto& [watch_id, watcher] : stream->watchers) Leave(watcher.get());
  watchers_count_ -= static_cast<int64_t>(stream->watchers.size());
  if (watchers_count_ == 0) StopListening();
}

// Steps that come before this begins to listen are part of the view that it takes; those that come
// later are told.
void WatchHub::Listen() {
  if (view_) return;
  listening_ = true;
  view_ = store_->View();
  position_ = view_->revision();
  absl::MutexLock lock(&mutex_);
  last_compacted_ = view_->compacted();
}

void WatchHub::StopListening() {
  listening_ = false;
  view_.reset();
  absl::MutexLock lock(&mutex_);
  steps_.clear();
}

void WatchHub::FailAll(const absl::Status& reason) {
  ended_ = reason;
  EndStreams(reason);
}

void WatchHub::EndStreams(const absl::Status& reason) {
  batches_.clear();
  std::vector<StreamId> ids;
  for (const auto& [id, stream] : streams_) {
    stream->outlet->End(reason);
    ids.push_back(id);
  }
  for (const StreamId id : ids) Drop(id);
}

}  // namespace pontoon::kv
