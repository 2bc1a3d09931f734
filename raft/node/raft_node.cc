#include "raft/node/raft_node.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "raft/base/check.h"
#include "raft/env/log.h"

namespace pontoon::raft {
namespace {

// Between a refusal and the next try, unless a new leader is heard of before. A leader that hands
// over refuses without any change of role that others could wait for.
constexpr absl::Duration kTryAgainDelay = absl::Milliseconds(50);

// The most bytes of commands that are offered to the core, and so forwarded, in one message.
constexpr size_t kOfferBytesMax = 1 << 20;

// How often proposals are looked for that may be lost on their way to the leader.
constexpr absl::Duration kForwardCheckInterval = absl::Milliseconds(100);

// How often it is asked whether the log is to be compacted.
constexpr absl::Duration kConsiderInterval = absl::Milliseconds(100);

// How old the followers' progress in Status may be while there is work.
constexpr absl::Duration kPeersAgeMax = absl::Milliseconds(20);

void AbortOnFatal(const absl::Status& error) {
  LogError("the node cannot go on", {{"error", error.ToString()}});
  ShutdownLogging();
  std::abort();
}

FatalHandler WithDefault(const FatalHandler& given) {
  return given ? given : FatalHandler(AbortOnFatal);
}

}  // namespace

RaftNodeExecutors RaftNodeExecutors::Threads() {
  return {.loop = NewCombiningExecutor("raft-loop"),
          .log_writer = NewThreadExecutor("raft-log-writer"),
          .log_reader = NewThreadExecutor("raft-log-reader"),
          .applier = NewThreadExecutor("raft-applier"),
          .snapshots = NewThreadExecutor("raft-snapshots")};
}

RaftNode::RaftNode(const RaftNodeOptions& options, const RestoredState& restored,
                   const RaftNodeEnvironment& environment, RaftNodeExecutors executors)
    : environment_(environment),
      gather_delay_(options.core.append_gather_delay),
      on_peers_(options.on_peers),
      on_removed_(options.on_removed),
      core_(options.core, restored, environment.clock->Now()),
      recorder_(&core_, &instruments_, restored.last, environment.clock->Now()),
      follower_needs_(options.retention),
      proposals_({.self = options.core.self,
                  .first_sequence = options.first_sequence,
                  .waiting_max = options.waiting_proposals_max,
                  .waiting_bytes_max = options.waiting_proposal_bytes_max},
                 &instruments_.proposals),
      reads_({.first_id = ReadId(options.first_sequence),
              .waiting_max = options.waiting_reads_max,
              .gather_delay = options.core.append_gather_delay}),
      executors_(std::move(executors)),
      loop_(executors_.loop.get()),
      loop_bell_(loop_, [this] { RunLoop(); }),
      answers_bell_(executors_.applier.get(), [this] { RunAnswers(); }),
      log_writer_(
          {.executor = executors_.log_writer.get(),
           .clock = environment.clock,
           .store = environment.log,
           .instruments = &instruments_.log_writes},
          [this](PersistSeq seq) { Tell([seq](Inbox* inbox) { inbox->persisted = seq; }); },
          WithDefault(options.on_fatal)),
      log_reader_(executors_.log_reader.get(), environment.log,
                  [this](EntriesRead read) {
                    Tell([&](Inbox* inbox) { inbox->entries_read.push_back(std::move(read)); });
                  }),
      applier_(
          {.executor = executors_.applier.get(),
           .clock = environment.clock,
           .state_machine = environment.state_machine,
           .log = environment.log,
           .proposals = &proposals_,
           .reads = &reads_,
           .instruments = &instruments_},
          restored.applied, [this] { loop_bell_.Ring(); }, WithDefault(options.on_fatal)),
      snapshot_sender_({.self = options.core.self,
                        .executor = executors_.snapshots.get(),
                        .clock = environment.clock,
                        .state_machine = environment.state_machine,
                        .transport = environment.transport,
                        .instruments = &instruments_.snapshots},
                       options.snapshots, TransferId(options.first_sequence),
                       [this](const SnapshotSent& sent) {
                         Tell([&](Inbox* inbox) { inbox->snapshots_sent.push_back(sent); });
                       }),
      snapshot_receiver_(
          {.self = options.core.self,
           .executor = executors_.snapshots.get(),
           .clock = environment.clock,
           .state_machine = environment.state_machine,
           .transport = environment.transport,
           .instruments = &instruments_.snapshots},
          [this](SnapshotReceived received) {
            Tell([&](Inbox* inbox) { inbox->snapshots_received.push_back(std::move(received)); });
          }),
      compactor_(
          options.retention, executors_.snapshots.get(), environment.state_machine,
          [this](LogIndex upto) { return DropFromLog(upto); }, WithDefault(options.on_fatal)) {
  OnPeers(core_.ReachablePeers());
  TakePicture(environment_.clock->Now());
  loop_bell_.Ring();
}

RaftNode::~RaftNode() {
  Stop();
  // First nothing is posted any more, from wherever; then the executors can go in any order.
  loop_bell_.Close();
  answers_bell_.Close();
  log_writer_.Close();
  log_reader_.Close();
  applier_.Close();
  snapshot_sender_.Close();
  snapshot_receiver_.Close();
  compactor_.Close();
  executors_ = RaftNodeExecutors();
  GiveUpCallers(TakeInbox());
  RunAnswers();
}

// ---- from any thread

template <typename Change>
void RaftNode::Tell(Change change) {
  {
    std::lock_guard lock(inbox_mutex_);
    change(&inbox_);
  }
  loop_bell_.Ring();
}

void RaftNode::Propose(Payload command, Instant deadline, ProposeCallback done) {
  CHECK(command != nullptr);
  CHECK_LE(command->size(), kCommandBytesMax) << "the services bound their requests";
  ProposalTracker::AddOutcome added = proposals_.Add(std::move(command), deadline, std::move(done));
  if (added.refused.has_value()) {
    Completions completions;
    completions.proposals.push_back(*std::move(added.refused));
    Answer(std::move(completions));
  } else {
    SeeToTurn(added.due);
  }
}

void RaftNode::ReadBarrier(ReadMode mode, Instant deadline, ReadCallback done) {
  ReadCoordinator::AddOutcome added =
      reads_.Add(mode, environment_.clock->Now(), deadline, std::move(done));
  if (added.refused.has_value()) {
    Completions completions;
    completions.calls.push_back(*std::move(added.refused));
    Answer(std::move(completions));
  } else {
    SeeToTurn(added.due);
  }
}

void RaftNode::SeeToTurn(TurnDue due) {
  switch (due) {
    case TurnDue::kNow:
      return loop_bell_.Ring();
    case TurnDue::kSoon:
      return loop_bell_.RingAt(environment_.clock->Now() + gather_delay_);
    case TurnDue::kSet:
      return;
  }
}

void RaftNode::ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                                ChangeCallback done) {
  Tell([&](Inbox* inbox) {
    inbox->changes.push_back({std::move(changes), deadline, std::move(done)});
  });
}

void RaftNode::OnMessages(std::vector<Message> messages) {
  Tell([&](Inbox* inbox) {
    if (inbox->messages.empty()) {
      inbox->messages = std::move(messages);
    } else {
      std::move(messages.begin(), messages.end(), std::back_inserter(inbox->messages));
    }
  });
}

void RaftNode::OnPeerUnreachable(NodeId peer) {
  Tell([peer](Inbox* inbox) { inbox->unreachable.push_back(peer); });
}

void RaftNode::OnPeerDown(NodeId peer) {
  Tell([peer](Inbox* inbox) { inbox->down.push_back(peer); });
}

void RaftNode::TransferLeadership(NodeId target, Instant deadline, TransferCallback done) {
  Tell([&](Inbox* inbox) { inbox->transfers.push_back({target, deadline, std::move(done)}); });
}

void RaftNode::Stop() {
  if (stopped_.exchange(true)) return;
  Completions completions;
  completions.Add(proposals_.Stop());
  completions.Add(reads_.Stop());
  Answer(std::move(completions));
  loop_bell_.Ring();  // for the transfers and the changes, which are the loop's own
}

ReplicaStatus RaftNode::Status() const {
  const LogIndex applied = applier_.applied();
  const Instant now = environment_.clock->Now();
  std::lock_guard lock(picture_mutex_);
  ReplicaStatus status = picture_.status;
  status.applied = applied;
  // The picture may be older than what has been applied since.
  status.commit = std::max(status.commit, applied);
  for (const PeerPicture& peer : picture_.peers) {
    const bool heard = peer.state.last_contact != Instant::InfinitePast();
    const bool is_behind = peer.lag.since != Instant::InfiniteFuture();
    status.followers.push_back(
        {.node = peer.state.node,
         .match = peer.state.match,
         .last_contact_age = heard ? now - peer.state.last_contact : absl::InfiniteDuration(),
         .lag_entries = peer.lag.entries,
         .lag_bytes = peer.lag.bytes,
         .lag_age = is_behind ? now - peer.lag.since : absl::ZeroDuration(),
         .gets_snapshot = peer.state.in_snapshot});
  }
  return status;
}

std::vector<PastRoleChange> RaftNode::RecentRoleChanges() const {
  return recorder_.RecentRoleChanges(environment_.clock->Now());
}

Leadership RaftNode::CurrentLeadership() const {
  std::lock_guard lock(picture_mutex_);
  return {picture_.status.term, picture_.status.leader};
}

void RaftNode::Answer(Completions completions) {
  if (completions.empty()) return;
  {
    std::lock_guard lock(answers_mutex_);
    answers_.Add(std::move(completions));
  }
  answers_bell_.Ring();
}

void RaftNode::RunAnswers() {
  Completions completions;
  {
    std::lock_guard lock(answers_mutex_);
    std::swap(completions, answers_);
  }
  std::move(completions).Run();
}

RaftNode::Inbox RaftNode::TakeInbox() {
  std::lock_guard lock(inbox_mutex_);
  return std::exchange(inbox_, Inbox());
}

// ---- on the loop

void RaftNode::RunLoop() {
  Inbox inbox = TakeInbox();
  if (stopped_) {
    GiveUpCallers(std::move(inbox));
    return;
  }
  const Instant now = environment_.clock->Now();
  Expire(now);
  FeedCore(now, std::move(inbox));
  ProposeQueued(now);
  ForwardUnanswered(now);
  OfferChanges(now);
  ForwardChangesAgain(now);
  BeginReads(now);
  ContinueTransfers(now);
  core_.OnDeadline(now);
  while (core_.HasReady()) Execute(now, core_.TakeReady());
  FinishReceived();
  ConsiderCompaction(now);
  TakePicture(now);
  WakeAt(NextDeadline(now));
}

void RaftNode::FeedCore(Instant now, Inbox inbox) {
  if (inbox.persisted != PersistSeq()) core_.OnPersisted(now, inbox.persisted);
  for (Message& message : inbox.messages) {
    if (!away_.empty()) away_.erase(message.from);
    recorder_.OnMessage(now, message);
    core_.OnMessage(now, std::move(message));
  }
  for (EntriesRead& read : inbox.entries_read) {
    if (read.unreadable) {
      core_.OnEntriesUnreadable(now, read.peer, read.term);
    } else {
      core_.OnEntriesRead(now, read.peer, read.term, std::move(read.entries));
    }
  }
  for (const NodeId peer : inbox.unreachable) {
    away_.insert(peer);
    core_.OnPeerUnreachable(now, peer);
    snapshot_sender_.OnNewConnection(peer);
  }
  for (const NodeId peer : inbox.down) core_.OnPeerDown(now, peer);
  if (inbox.log_base) {
    core_.OnLogCompacted(*inbox.log_base);
    recorder_.OnLogCompacted(inbox.log_base->index);
  }
  for (const SnapshotSent& sent : inbox.snapshots_sent) {
    core_.OnSnapshotSent(now, sent.peer, sent.term, sent.position);
  }
  for (SnapshotReceived& received : inbox.snapshots_received) {
    core_.OnSnapshotReceived(now, received.leader, received.term, received.position,
                             received.membership);
    received_.push_back(std::move(received));
  }
  for (Transfer& transfer : inbox.transfers) BeginTransfer(now, std::move(transfer));
  for (ChangeTracker::Wish& wish : inbox.changes) changes_.Add(std::move(wish));
}

void RaftNode::ProposeQueued(Instant now) {
  while (now >= propose_again_) {
    std::vector<Proposal> proposals;
    const ProposalTracker::Offer offer = proposals_.TakeQueued(kOfferBytesMax, &proposals);
    if (offer.count == 0) return;
    const TakenInTerm taken = core_.Propose(now, std::move(proposals));
    if (const Term* term = std::get_if<Term>(&taken)) {
      // Before TakeReady: nothing of the offer can have been applied yet.
      proposals_.OnTaken(offer, *term, now);
      if (core_.role() != Role::kLeader) instruments_.proposals.forwarded.Add(offer.count);
      continue;
    }
    const Refusal refusal = std::get<Refusal>(taken);
    Completions given_back;
    given_back.Add(proposals_.OnRefused(offer, refusal));
    Answer(std::move(given_back));
    if (refusal != Refusal::kOverloaded) propose_again_ = now + kTryAgainDelay;
  }
}

// A follower's proposals may be lost on their way to the leader without any change of term. (What
// the leader itself has taken is in its log.)
void RaftNode::ForwardUnanswered(Instant now) {
  if (now < forward_again_ || core_.role() == Role::kLeader || core_.leader() == kNoNode) return;
  forward_again_ = now + kForwardCheckInterval;
  std::vector<Proposal> proposals = proposals_.TakeUnanswered(now, core_.term(), kOfferBytesMax);
  if (!proposals.empty()) core_.ForwardAgain(now, core_.term(), std::move(proposals));
}

void RaftNode::BeginReads(Instant now) {
  if (now < read_again_) return;
  BeginRead(ReadMode::kQuorum);
  BeginRead(ReadMode::kLease);
}

void RaftNode::BeginRead(ReadMode mode) {
  const std::optional<ReadId> id = reads_.BeginBatch(mode, environment_.clock->Now());
  if (!id.has_value()) return;
  // Read now: the process may have stood still since the turn began, and the callers have come
  // after that, when the lease had ended.
  const Instant now = environment_.clock->Now();
  if (std::holds_alternative<Refusal>(core_.BeginRead(now, *id, mode))) {
    reads_.OnRefused(*id);
    read_again_ = now + kTryAgainDelay;
  }
}

void RaftNode::BeginTransfer(Instant now, Transfer transfer) {
  if (core_.role() != Role::kLeader) {
    AnswerTransfer(std::move(transfer), absl::FailedPreconditionError("this node does not lead"));
    return;
  }
  // There is one at a time: whoever asks meanwhile waits for how it ends.
  const bool under_way = !transfers_.empty();
  if (!under_way && !core_.TransferLeadership(now, transfer.target)) {
    AnswerTransfer(std::move(transfer), absl::NotFoundError("nobody is there to take over"));
    return;
  }
  transfers_.push_back(std::move(transfer));
}

void RaftNode::ContinueTransfers(Instant now) {
  if (transfers_.empty()) return;
  std::vector<Transfer> left;
  for (Transfer& transfer : transfers_) {
    if (transfer.deadline <= now) {
      AnswerTransfer(std::move(transfer), absl::DeadlineExceededError("nobody has taken over yet"));
    } else {
      left.push_back(std::move(transfer));
    }
  }
  transfers_.swap(left);
  // As when all members are stopped together: the last one need not wait for the others.
  if (EverybodyElseIsAway()) {
    EndTransfers(absl::NotFoundError("no other voter can be reached"));
  }
  // The core gives up after a while, and refuses this while it has not.
  if (!transfers_.empty()) core_.TransferLeadership(now, transfers_.front().target);
}

bool RaftNode::EverybodyElseIsAway() const {
  const std::vector<NodeId>& voters = core_.membership().voters;
  return std::all_of(voters.begin(), voters.end(), [this](NodeId voter) {
    return voter == core_.self() || away_.contains(voter);
  });
}

void RaftNode::EndTransfers(const absl::Status& status) {
  for (Transfer& transfer : transfers_) AnswerTransfer(std::move(transfer), status);
  transfers_.clear();
}

void RaftNode::OnOtherLeader(NodeId leader) {
  for (Transfer& transfer : std::exchange(transfers_, {})) {
    const bool as_asked = transfer.target == kNoNode || transfer.target == leader;
    AnswerTransfer(std::move(transfer),
                   as_asked ? absl::OkStatus() : absl::AbortedError("another node leads now"));
  }
}

void RaftNode::GiveUpCallers(Inbox inbox) {
  std::move(inbox.transfers.begin(), inbox.transfers.end(), std::back_inserter(transfers_));
  EndTransfers(absl::UnavailableError("the node is stopping"));
  for (ChangeTracker::Wish& wish : inbox.changes) changes_.Add(std::move(wish));
  Completions given_up;
  given_up.Add(changes_.GiveUp());
  Answer(std::move(given_up));
}

void RaftNode::AnswerTransfer(Transfer transfer, absl::Status status) {
  Completions completions;
  completions.calls.push_back({std::move(transfer.done), std::move(status)});
  Answer(std::move(completions));
}

void RaftNode::OfferChanges(Instant now) {
  while (changes_.HasDue(now)) {
    const RequestId request{core_.self(), proposals_.TakeSequence()};
    const ChangeTakenInTerm taken =
        core_.ChangeMembership(now, request, changes_.TakeDue(now, request, core_.commit()));
    if (const Term* term = std::get_if<Term>(&taken)) {
      changes_.OnTaken(now, request, *term);
      continue;
    }
    Completions refused;
    refused.Add(changes_.OnRefused(now, request, std::get<ChangeRefusal>(taken)));
    Answer(std::move(refused));
  }
}

// As with proposals: the leader takes each attempt once.
void RaftNode::ForwardChangesAgain(Instant now) {
  if (changes_.empty()) return;
  const bool can_forward = core_.role() != Role::kLeader && core_.leader() != kNoNode;
  for (ChangeTracker::Unanswered& attempt : changes_.TakeUnanswered(now, core_.term())) {
    if (can_forward) core_.ChangeMembership(now, attempt.request, std::move(attempt.changes));
  }
}

void RaftNode::SettleChanges(Instant now, const Ready& ready) {
  if (changes_.empty()) return;
  Completions settled;
  for (const RequestId& request : ready.changes_done) settled.Add(changes_.OnDone(request));
  for (const RefusedChange& refused : ready.changes_refused) {
    settled.Add(changes_.OnRefused(now, refused.request, refused.refusal));
  }
  Answer(std::move(settled));
  changes_.OnCommitted({.base = core_.log_base().index,
                        .committed_term = core_.commit_term(),
                        .memberships = core_.memberships().items()});
}

void RaftNode::Execute(Instant now, Ready ready) {
  recorder_.OnReady(now, ready);
  // Whoever is told below that something is committed must find it in the membership.
  if (ready.peers.has_value()) TakePicture(now);
  MoveSnapshots(&ready);
  if (!ready.messages.empty()) environment_.transport->Send(std::move(ready.messages));
  if (ready.persist.has_value()) log_writer_.Submit(*std::move(ready.persist));
  if (ready.committed.has_value()) applier_.Submit(*std::move(ready.committed));
  for (const LogReadRequest& request : ready.log_reads) log_reader_.Submit(request);

  for (const ReadGrant& grant : ready.reads_granted) reads_.OnGranted(grant);
  if (!ready.reads_granted.empty()) {
    applier_.AnswerReads();
    if (reads_.NextBatch() <= now) loop_bell_.Ring();  // for those who gathered meanwhile
  }
  for (const ReadId id : ready.reads_refused) {
    // What an earlier leader refuses concerns nobody any more.
    if (reads_.OnRefused(id)) read_again_ = now + kTryAgainDelay;
  }
  if (!ready.proposals_refused.empty()) {
    // What an earlier leader refuses is not the fault of the present one.
    if (proposals_.OnRefusedLater(ready.proposals_refused, core_.term())) {
      propose_again_ = now + kTryAgainDelay;
    } else {
      loop_bell_.Ring();  // to propose again
    }
  }
  SettleChanges(now, ready);
  if (ready.role_change.has_value()) OnRoleChange(*ready.role_change);
  if (ready.peers.has_value()) OnPeers(*std::move(ready.peers));
  if (ready.removed) {
    LogWarn("this node was removed from the cluster", {{"node", core_.self()}});
    if (on_removed_) on_removed_();
  }
}

void RaftNode::MoveSnapshots(Ready* ready) {
  if (ready->role_change) {
    snapshot_sender_.CancelAll();
    snapshot_receiver_.OnLeader(ready->role_change->term, ready->role_change->leader);
  }
  for (const SnapshotRequest& request : ready->snapshots_wanted) snapshot_sender_.Start(request);
  for (ReceivedAck& ack : ready->acks) snapshot_sender_.OnAck(std::move(ack));
  for (ReceivedChunk& chunk : ready->chunks) snapshot_receiver_.OnChunk(std::move(chunk));
  if (!ready->install) return;
  const auto chosen =
      std::find_if(received_.begin(), received_.end(), [&](const SnapshotReceived& received) {
        return received.sink != nullptr && received.position == *ready->install;
      });
  CHECK(chosen != received_.end()) << "no snapshot of " << ready->install->index << " is here";
  std::unique_ptr<SnapshotSink> superseded =
      applier_.Install(chosen->position, std::move(chosen->sink));
  if (superseded) snapshot_receiver_.Discard(std::move(superseded));
}

// The leader hears of it after what the core had to say: that no longer tells of the state before.
void RaftNode::FinishReceived() {
  for (SnapshotReceived& received : std::exchange(received_, {})) {
    const bool installed = received.sink == nullptr;
    const bool has_entries = !core_.needs_snapshot() && core_.commit() >= received.position.index;
    if (installed || has_entries) snapshot_receiver_.Confirm(received);
    if (!installed) snapshot_receiver_.Discard(std::move(received.sink));
  }
}

void RaftNode::ConsiderCompaction(Instant now) {
  if (now < consider_again_) return;
  consider_again_ = now + kConsiderInterval;
  const LogIndex applied = applier_.applied();
  const uint64_t log_bytes = environment_.log->SizeBytes();
  const FollowerNeeds::Needs needs =
      follower_needs_.LookAt({.now = now,
                              .term = core_.term(),
                              .applied = applied,
                              .log_bytes = log_bytes,
                              .peers = core_.peer_states(),
                              .snapshots = snapshot_sender_.Statuses()});
  for (const SnapshotStatus& status : needs.over) snapshot_sender_.Drop(status);
  compactor_.Consider({.base = core_.log_base().index,
                       .applied = applied,
                       .bytes = log_bytes,
                       .needed_after = needs.after});
}

// On the executor of the snapshots.
absl::Status RaftNode::DropFromLog(LogIndex upto) {
  const LogPosition before = environment_.log->base();
  if (absl::Status dropped = environment_.log->DropPrefix(upto); !dropped.ok()) return dropped;
  const LogPosition base = environment_.log->base();
  if (base != before) Tell([base](Inbox* inbox) { inbox->log_base = base; });
  return absl::OkStatus();
}

void RaftNode::OnRoleChange(const RoleChange& change) {
  LogInfo("role changed", {{"role", RoleName(change.role)},
                           {"term", change.term},
                           {"leader", change.leader},
                           {"reason", change.reason}});
  reads_.OnLeaderChange(/*leads=*/change.role == Role::kLeader);
  if (change.leader == kNoNode) return;
  propose_again_ = read_again_ = Instant::InfinitePast();
  changes_.OnLeader();
  if (change.leader != core_.self()) OnOtherLeader(change.leader);
  loop_bell_.Ring();  // to propose and to read again
}

void RaftNode::OnPeers(PeerUrls peers) {
  std::vector<NodeId> members = core_.membership().AllNodes();
  for (const NodeId node : members) {
    const bool is_new = !std::binary_search(members_.begin(), members_.end(), node);
    if (is_new && node != core_.self()) away_.insert(node);
  }
  members_ = std::move(members);
  if (!on_peers_) return;
  on_peers_({.urls = std::move(peers),
             .index = core_.memberships().latest().index,
             .commit = core_.commit(),
             .log_end = core_.last_position()});
}

void RaftNode::Expire(Instant now) {
  Completions expired;
  expired.Add(proposals_.Expire(now));
  expired.Add(reads_.Expire(now));
  expired.Add(changes_.Expire(now));
  Answer(std::move(expired));
}

// ---- state and time

void RaftNode::TakePicture(Instant now) {
  std::lock_guard lock(picture_mutex_);
  ReplicaStatus& status = picture_.status;
  const bool role_changed = status.role != core_.role() || status.term != core_.term();
  status.self = core_.self();
  status.role = core_.role();
  status.term = core_.term();
  status.leader = core_.leader();
  status.last_index = core_.last_index();
  status.commit = core_.commit();
  const MembershipHistory::Item& committed = core_.memberships().At(core_.commit());
  if (picture_.membership_index != committed.index) {
    status.membership = committed.membership;
    status.membership_index = committed.index;
    picture_.membership_index = committed.index;
    is_learner_ = status.membership.IsLearner(status.self);
  }
  if (role_changed || now - picture_.peers_taken >= kPeersAgeMax) {
    picture_.peers = TakePeers();
    picture_.peers_taken = now;
  }
}

std::vector<RaftNode::PeerPicture> RaftNode::TakePeers() const {
  std::vector<PeerPicture> peers;
  for (const RaftCore::PeerState& state : core_.peer_states()) {
    NodeRecorder::Lag lag = recorder_.LagOf(state.match);
    if (lag.entries_unknown > 0) lag.bytes += lag.entries_unknown * MeanEntryBytes();
    peers.push_back({state, lag});
  }
  return peers;
}

// Of those in the log, on the disk.
uint64_t RaftNode::MeanEntryBytes() const {
  const uint64_t entries = core_.last_index().value() - core_.log_base().index.value();
  return entries == 0 ? 0 : environment_.log->SizeBytes() / entries;
}

Instant RaftNode::NextDeadline(Instant now) const {
  Instant next = std::min({core_.NextDeadline(), proposals_.NextDeadline(), reads_.NextDeadline(),
                           changes_.NextDeadline()});
  for (const Transfer& transfer : transfers_) next = std::min(next, transfer.deadline);
  if (propose_again_ > now && proposals_.HasQueued()) next = std::min(next, propose_again_);
  const Instant next_read = std::max(read_again_, reads_.NextBatch());
  if (next_read > now) next = std::min(next, next_read);
  return next;
}

// A posted wake-up cannot be taken back, and deadlines mostly move further away. So one that comes
// too early is left to find out, and only one that would come too late is helped by another.
void RaftNode::WakeAt(Instant when) {
  if (when == Instant::InfiniteFuture()) return;
  if (!wake_ups_.empty() && *wake_ups_.begin() <= when) return;
  wake_ups_.insert(when);
  loop_->PostAt(when, [this, when] {
    wake_ups_.erase(when);
    RunLoop();
  });
}

}  // namespace pontoon::raft
