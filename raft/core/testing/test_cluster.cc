#include "raft/core/testing/test_cluster.h"

#include <algorithm>
#include <sstream>

#include "raft/base/check.h"
#include "raft/core/testing/describe.h"

namespace pontoon::raft {
namespace {

template <typename... Parts>
std::string Join(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

Term TermAt(const std::vector<Entry>& log, LogIndex index) {
  return index == LogIndex() ? Term() : log.at(index.value() - 1).term;
}

std::vector<TermRun> RunsOf(const std::vector<Entry>& log, LogIndex base) {
  std::vector<TermRun> runs;
  for (const Entry& entry : log) {
    if (entry.index <= base) continue;
    if (runs.empty() || runs.back().term != entry.term) runs.push_back({entry.index, entry.term});
  }
  return runs;
}

// The entries that are still on the disk.
std::string DescribeLog(const TestDisk& disk) {
  if (disk.base == LogIndex()) return Describe(disk.log);
  const std::vector<Entry> kept(disk.log.begin() + disk.base.value(), disk.log.end());
  return Join(Describe(kept), " after ", disk.base);
}

}  // namespace

void TestDisk::Write(const PersistBatch& batch, const std::vector<Entry>& history) {
  if (batch.hard_state) hard_state = *batch.hard_state;
  if (batch.reset_to) {
    base = batch.reset_to->index;
    log.assign(history.begin(), history.begin() + base.value());
  }
  if (batch.truncate_from) {
    CHECK_LE(batch.truncate_from->value(), log.size() + 1);
    CHECK_GT(*batch.truncate_from, base);
    log.resize(batch.truncate_from->value() - 1);
  }
  for (const Entry& entry : batch.entries) {
    CHECK_EQ(entry.index.value(), log.size() + 1) << "the disk's log would have a gap";
    log.push_back(entry);
  }
}

bool TestDisk::Has(LogPosition position) const {
  return position.index.value() <= log.size() && TermAt(log, position.index) == position.term;
}

TestCluster::TestCluster(const Options& options, Sink sink) : sink_(std::move(sink)) {
  const size_t founders = options.founders == 0 ? options.nodes : options.founders;
  for (size_t i = 1; i <= founders; ++i) founding_.voters.push_back(NodeId(i));
  for (size_t i = 1; i <= options.nodes; ++i) {
    Node& node = nodes_.emplace_back();
    node.id = NodeId(i);
    node.options = options.core;
    node.options.self = node.id;
    node.options.seed = options.seed * 1000 + i;
    const auto priority = options.priorities.find(node.id);
    if (priority != options.priorities.end()) node.options.priority = priority->second;
  }
  for (Node& node : nodes_) Start(&node);
}

std::vector<NodeId> TestCluster::nodes() const {
  std::vector<NodeId> ids;
  for (const Node& node : nodes_) ids.push_back(node.id);
  return ids;
}

void TestCluster::Say(NodeId node, const std::string& words) {
  if (sink_) sink_(Join(node, " ", words));
}

void TestCluster::Fail(const std::string& words) {
  if (failure_) return;
  failure_ = words;
  if (sink_) sink_("BROKEN: " + words);
}

// ---- what a node does

void TestCluster::Give(NodeId id, HardState hard_state, std::vector<Entry> log, LogIndex applied) {
  Node& node = At(id);
  node.disk = {.hard_state = hard_state, .log = log, .base = {}};
  node.applied = applied;
  PersistBatch all;
  all.entries = log;
  CheckNewEntries(node, all);
  for (uint64_t i = committed_.size(); i < applied.value(); ++i) {
    committed_.push_back({log.at(i), log.at(applied.value() - 1).term});
  }
  Start(&node);
}

void TestCluster::Start(Node* node) {
  ++node->life;
  node->requests = 0;
  node->proposals.clear();
  node->pending.clear();
  node->log_reads.clear();
  node->snapshot_requests.clear();
  node->transfers.clear();
  node->written = node->reported = PersistSeq();
  node->issued = node->disk;
  node->role = Role::kFollower;
  node->term = node->disk.hard_state.term;
  node->commit = std::max(node->applied, node->disk.base);
  node->match.clear();
  RestoredState restored{.hard_state = node->disk.hard_state,
                         .base = {node->disk.base, TermAt(node->disk.log, node->disk.base)},
                         .last = LogIndex(node->disk.log.size()),
                         .terms = RunsOf(node->disk.log, node->disk.base),
                         .applied = node->applied,
                         .memberships = MembershipsOf(*node)};
  node->core.emplace(node->options, restored, node->clock);
  while (node->core->HasReady()) {
    Ready ready = node->core->TakeReady();
    ready.role_change.reset();  // that it is a follower now is no news
    Execute(node, std::move(ready));
  }
}

void TestCluster::FireDeadline(NodeId id) {
  Node& node = At(id);
  if (!node.core || node.clock < node.core->NextDeadline()) return;
  node.core->OnDeadline(node.clock);
  Drain(&node);
}

void TestCluster::Propose(NodeId id, std::vector<std::string> payloads) {
  Node& node = At(id);
  std::vector<Proposal> proposals;
  std::vector<Outstanding> outstanding;
  for (std::string& payload : payloads) {
    const RequestId request{id, node.life << 32 | ++node.requests};
    proposals.push_back({request, std::make_shared<const std::string>(payload)});
    outstanding.push_back({request, std::move(payload), Term()});
  }
  const TakenInTerm taken = node.core->Propose(node.clock, std::move(proposals));
  if (const Term* term = std::get_if<Term>(&taken)) {
    for (Outstanding& proposal : outstanding) {
      proposal.term = *term;
      node.proposals.push_back(std::move(proposal));
    }
  } else {
    static constexpr const char* kReasons[] = {"no leader is known", "the leader is handing over",
                                               "too much is uncommitted"};
    const Refusal refusal = std::get<Refusal>(taken);
    for (const Outstanding& proposal : outstanding) {
      Say(id,
          Join("refuses to propose ", proposal.name, ": ", kReasons[static_cast<int>(refusal)]));
      CheckRefused(node, proposal.request, "refused at once");
    }
  }
  Drain(&node);
}

void TestCluster::BeginRead(NodeId id, ReadMode mode) {
  Node& node = At(id);
  const ReadId read(++reads_begun_);
  read_floor_[read] = LogIndex(committed_.size());
  const TakenInTerm taken = node.core->BeginRead(node.clock, read, mode);
  if (std::holds_alternative<Refusal>(taken)) {
    Say(id, Join("refuses read ", read, ": no leader is known"));
  } else {
    Say(id, Join("begins read ", read));
  }
  Drain(&node);
}

void TestCluster::Transfer(NodeId from, NodeId target) {
  Node& node = At(from);
  const bool started = node.core->TransferLeadership(node.clock, target);
  Say(from, started ? "hands over its leadership" : "cannot hand over");
  Drain(&node);
}

void TestCluster::Change(NodeId id, std::vector<MembershipChange> changes) {
  Node& node = At(id);
  std::string words;
  for (const MembershipChange& change : changes) words += " " + Describe(change);
  const RequestId request{id, node.life << 32 | ++node.requests};
  const ChangeTakenInTerm taken =
      node.core->ChangeMembership(node.clock, request, std::move(changes));
  if (const auto* refusal = std::get_if<ChangeRefusal>(&taken)) {
    Say(id, Join("refuses", words, ": ", RefusalText(*refusal)));
  }
  Drain(&node);
}

void TestCluster::ReportDown(NodeId id, NodeId peer) {
  Node& node = At(id);
  node.core->OnPeerDown(node.clock, peer);
  Drain(&node);
}

void TestCluster::Compact(NodeId id, LogIndex upto) {
  Node& node = At(id);
  CHECK_LE(upto, node.applied) << "compaction of what is not applied";
  // An installed snapshot may be ahead of the log, whose disk was not told yet.
  if (upto <= node.disk.base || !node.disk.Has({upto, TermAt(node.issued.log, upto)})) return;
  node.disk.base = upto;
  node.issued.base = std::max(node.issued.base, upto);
  node.applied_for_good = std::max(node.applied_for_good, upto);
  Say(id, Join("drops its log up to ", upto));
  node.core->OnLogCompacted({upto, TermAt(node.disk.log, upto)});
  Drain(&node);
}

void TestCluster::ReportUnreachable(NodeId id, NodeId peer) {
  Node& node = At(id);
  node.core->OnPeerUnreachable(node.clock, peer);
  Drain(&node);
}

void TestCluster::AdvanceClock(NodeId node, absl::Duration by) {
  At(node).clock = At(node).clock + by;
}

// ---- network

void TestCluster::Cut(NodeId from, NodeId to) {
  cut_.insert({from, to});
  std::erase_if(network_, [&](const Packet& packet) {
    return !packet.delayed && packet.message.from == from && packet.message.to == to;
  });
}

void TestCluster::Deliver(size_t position) {
  Message message = std::move(network_.at(position).message);
  network_.erase(network_.begin() + position);
  Node& node = At(message.to);
  if (!node.core || IsCut(message.from, message.to)) return;
  node.core->OnMessage(node.clock, std::move(message));
  Drain(&node);
}

void TestCluster::Send(Node* node, Message message) {
  CheckPromise(*node, message);
  const bool lost = IsCut(message.from, message.to);
  if (sink_) sink_(Describe(message) + (lost ? " (lost)" : ""));
  if (!lost) network_.push_back({std::move(message)});
}

// ---- disks

void TestCluster::WriteOne(NodeId id) {
  Node& node = At(id);
  if (node.pending.empty()) return;
  WriteTo(&node.disk, node.pending.front());
  node.written = node.pending.front().seq;
  node.pending.pop_front();
}

void TestCluster::ReportWritten(NodeId id) {
  Node& node = At(id);
  if (!node.core || node.reported == node.written) return;
  node.reported = node.written;
  Say(id, Join("has kept batch ", node.written));
  node.core->OnPersisted(node.clock, node.written);
  Drain(&node);
}

void TestCluster::WriteTo(TestDisk* disk, const PersistBatch& batch) {
  disk->Write(batch, batch.reset_to ? History(batch.reset_to->index) : std::vector<Entry>());
}

std::vector<Entry> TestCluster::History(LogIndex upto) const {
  CHECK_LE(upto.value(), committed_.size()) << "a snapshot of what is not committed";
  std::vector<Entry> history;
  for (uint64_t i = 0; i < upto.value(); ++i) history.push_back(committed_[i].entry);
  return history;
}

// ---- snapshots

void TestCluster::SendSnapshot(NodeId id) {
  Node& node = At(id);
  const SnapshotRequest request = node.snapshot_requests.front();
  node.snapshot_requests.pop_front();
  if (node.core->role() != Role::kLeader || node.core->term() != request.term) return;
  if (node.applied < request.at_least) {
    Say(id, Join("has no snapshot for ", request.peer, " yet"));
    node.core->OnSnapshotSent(node.clock, request.peer, request.term, std::nullopt);
    return Drain(&node);
  }
  const LogPosition position{node.applied, TermAt(node.issued.log, node.applied)};
  const TransferId transfer(++transfers_begun_);
  node.transfers[transfer] = {request.peer, request.term, position};
  SnapshotChunk chunk{.transfer = transfer,
                      .position = position,
                      .offset = 0,
                      .bytes = std::make_shared<const std::string>("state"),
                      .last = true};
  Send(&node, {id, request.peer, request.term, std::move(chunk)});
}

void TestCluster::GiveUpTransfers(NodeId id) {
  Node& node = At(id);
  for (const auto& [transfer, sent] : std::exchange(node.transfers, {})) {
    Say(id, Join("gives up the snapshot for ", sent.peer));
    node.core->OnSnapshotSent(node.clock, sent.peer, sent.term, std::nullopt);
  }
  Drain(&node);
}

void TestCluster::Receive(Node* node, const ReceivedChunk& received) {
  const LogPosition position = received.chunk.position;
  std::optional<MembershipHistory::Item> membership;
  if (position.index.value() <= committed_.size()) {
    for (const Entry& entry : History(position.index)) {
      if (entry.kind != EntryKind::kMembership) continue;
      membership = {entry.index, entry.request, *DecodeMembership(*entry.payload)};
    }
  }
  node->core->OnSnapshotReceived(node->clock, received.leader, received.term, position,
                                 std::move(membership));
  const SnapshotAck ack{.transfer = received.chunk.transfer,
                        .received = received.chunk.bytes->size(),
                        .state = SnapshotAck::State::kComplete};
  Send(node, {node->id, received.leader, received.term, ack});
}

void TestCluster::EndTransfer(Node* node, const ReceivedAck& received) {
  const auto found = node->transfers.find(received.ack.transfer);
  if (found == node->transfers.end()) return;
  const SnapshotTransfer sent = found->second;
  node->transfers.erase(found);
  std::optional<LogPosition> position;
  if (received.ack.state == SnapshotAck::State::kComplete) position = sent.position;
  node->core->OnSnapshotSent(node->clock, sent.peer, sent.term, position);
}

// The state is durable before the core hears of it.
void TestCluster::Install(Node* node, LogPosition position) {
  if (position.index.value() > committed_.size() ||
      committed_[position.index.value() - 1].entry.term != position.term) {
    return Fail(Join("node ", node->id, " installs ", Describe(position), ", not committed"));
  }
  if (position.index <= node->applied) {
    return Fail(Join("node ", node->id, " goes back to ", Describe(position)));
  }
  Say(node->id, Join("installs the snapshot of ", Describe(position)));
  ++snapshots_installed_;
  node->applied = node->applied_for_good = position.index;
  // What its clients wait for may be in there, or not.
  std::erase_if(node->proposals, [&](const Outstanding& o) { return o.term <= position.term; });
}

// ---- log reads

// The disk is read at once, and the result is handed over later: much may happen in between.
void TestCluster::BeginLogRead(Node* node, const LogReadRequest& request) {
  std::vector<Entry> entries;
  size_t bytes = 0;
  for (LogIndex i = request.first; i <= request.last && i.value() <= node->disk.log.size(); ++i) {
    if (i <= node->disk.base) break;
    const Entry& entry = node->disk.log[i.value() - 1];
    bytes += entry.CountedBytes();
    if (!entries.empty() && bytes > request.bytes_max) break;
    entries.push_back(entry);
  }
  node->log_reads.push_back({request, std::move(entries)});
}

void TestCluster::ServeLogRead(NodeId id) {
  Node& node = At(id);
  auto [request, entries] = std::move(node.log_reads.front());
  node.log_reads.pop_front();
  Say(id, Join("reads ", Describe(entries), " from its disk for ", request.peer));
  node.core->OnEntriesRead(node.clock, request.peer, request.term, std::move(entries));
  Drain(&node);
}

void TestCluster::FailLogRead(NodeId id) {
  Node& node = At(id);
  const LogReadRequest request = node.log_reads.front().first;
  node.log_reads.pop_front();
  Say(id, Join("cannot read its disk for ", request.peer));
  node.core->OnEntriesUnreadable(node.clock, request.peer, request.term);
  Drain(&node);
}

// ---- crashes

void TestCluster::Crash(NodeId id, const Remains& remains) {
  Node& node = At(id);
  for (size_t i = 0; i < remains.whole_batches; ++i) WriteOne(id);
  if (remains.entries_of_next && !node.pending.empty()) {
    PersistBatch begun = node.pending.front();
    begun.entries.resize(std::min(begun.entries.size(), *remains.entries_of_next));
    WriteTo(&node.disk, begun);
  }
  node.applied = std::min(node.applied, std::max(remains.applied_kept, node.applied_for_good));
  if (remains.state_lost) node.applied = node.applied_for_good = LogIndex();
  Say(id, Join("crashes", node.pending.empty()
                              ? ""
                              : Join(" and loses ", node.pending.size(), " unwritten batch(es)")));
  node.pending.clear();
  node.core.reset();
}

void TestCluster::Restart(NodeId id) {
  Node& node = At(id);
  CHECK(!node.core);
  // A snapshot was installed, and the crash came before the log was told.
  const LogIndex applied = node.applied;
  if (applied > LogIndex() &&
      !node.disk.Has({applied, committed_[applied.value() - 1].entry.term})) {
    PersistBatch reset;
    reset.reset_to = LogPosition{applied, committed_[applied.value() - 1].entry.term};
    WriteTo(&node.disk, reset);
  }
  Say(id,
      Join("restarts with term ", node.disk.hard_state.term, " vote ", node.disk.hard_state.vote,
           " log ", DescribeLog(node.disk), " applied ", node.applied));
  Start(&node);
  CheckNode(&node);
}

// ---- letting it run

bool TestCluster::DoOneThing(const std::set<NodeId>& held_disks) {
  for (size_t i = 0; i < network_.size(); ++i) {
    if (network_[i].delayed) continue;
    Deliver(i);
    return true;
  }
  for (Node& node : nodes_) {
    if (!node.core || held_disks.contains(node.id)) continue;
    if (!node.pending.empty() || HasUnreported(node.id)) {
      while (!node.pending.empty()) WriteOne(node.id);
      ReportWritten(node.id);
      return true;
    }
    if (!node.log_reads.empty()) {
      ServeLogRead(node.id);
      return true;
    }
    if (!node.snapshot_requests.empty()) {
      SendSnapshot(node.id);
      return true;
    }
    if (!node.transfers.empty()) {  // nothing is on its way any more
      GiveUpTransfers(node.id);
      return true;
    }
  }
  return false;
}

void TestCluster::RunClocks(absl::Duration duration, const std::vector<NodeId>& firing,
                            const std::function<void()>& after_each) {
  const auto advance = [&](absl::Duration by) {
    for (Node& node : nodes_) node.clock = node.clock + by;
    duration -= by;
  };
  constexpr int kDeadlinesMax = 100'000;
  for (int deadlines = 0; !failure_; ++deadlines) {
    if (deadlines > kDeadlinesMax) return Fail("deadlines fire without end");
    NodeId first = kNoNode;
    absl::Duration wait = absl::InfiniteDuration();
    for (const NodeId id : firing) {
      const Node& node = At(id);
      if (!node.core) continue;
      const absl::Duration its_wait =
          std::max(absl::ZeroDuration(), node.core->NextDeadline() - node.clock);
      if (its_wait < wait) {
        first = id;
        wait = its_wait;
      }
    }
    if (wait > duration) return advance(duration);
    advance(wait);
    FireDeadline(first);
    after_each();
  }
}

// ---- the way of a Ready

void TestCluster::Drain(Node* node) {
  for (int turns = 0; node->core->HasReady(); ++turns) {
    if (turns > 1000) return Fail(Join("node ", node->id, " never comes to rest"));
    Execute(node, node->core->TakeReady());
  }
  CheckNode(node);
}

void TestCluster::Execute(Node* node, Ready ready) {
  if (ready.role_change) {
    const RoleChange& change = *ready.role_change;
    const std::string following = change.role == Role::kFollower && change.leader != kNoNode
                                      ? Join(" of ", change.leader)
                                      : "";
    Say(node->id, Join("is ", RoleName(change.role), following, " in term ", change.term, ": ",
                       change.reason));
  }
  if (ready.persist) {
    if (sink_) {
      Say(node->id, Join("writes batch ", ready.persist->seq, ": ", Describe(*ready.persist)));
    }
    CheckNewEntries(*node, *ready.persist);
    WriteTo(&node->issued, *ready.persist);
    node->pending.push_back(std::move(*ready.persist));
  }
  for (const LogReadRequest& request : ready.log_reads) {
    if (sink_) {
      Say(node->id, Join("wants entries from ", request.first, " read for ", request.peer));
    }
    BeginLogRead(node, request);
  }
  for (const SnapshotRequest& request : ready.snapshots_wanted) {
    Say(node->id, Join("wants to send a snapshot to ", request.peer));
    node->snapshot_requests.push_back(request);
  }
  for (Message& message : ready.messages) Send(node, std::move(message));
  if (node->core->commit() > node->commit) CheckCommit(node);
  if (ready.install) Install(node, *ready.install);
  if (ready.committed) Apply(node, *ready.committed);
  for (const ReceivedChunk& received : ready.chunks) Receive(node, received);
  for (const ReceivedAck& received : ready.acks) EndTransfer(node, received);
  for (const ReadGrant& grant : ready.reads_granted) CheckGrant(*node, grant);
  for (const ReadId id : ready.reads_refused)
    Say(node->id, Join("learns that read ", id, " was refused"));
  if (ready.removed) {
    Say(node->id, "learns that it was removed");
    if (committed_membership().IsLasting(node->id)) {
      Fail(Join("node ", node->id, " takes itself for removed"));
    }
  }
  for (const RequestId& request : ready.changes_done) {
    Say(node->id, "learns that its change is made");
    if (request.origin != node->id) Fail(Join("node ", node->id, " is told of another's change"));
  }
  for (const RefusedChange& refused : ready.changes_refused) {
    Say(node->id, Join("learns that its change was refused: ", RefusalText(refused.refusal)));
  }
  for (const RequestId& request : ready.proposals_refused) {
    const auto found = std::find_if(node->proposals.begin(), node->proposals.end(),
                                    [&](const Outstanding& o) { return o.request == request; });
    if (found == node->proposals.end()) continue;  // of an earlier life, or settled
    Say(node->id, Join("learns that ", found->name, " was refused"));
    node->proposals.erase(found);
    CheckRefused(*node, request, "refused");
  }
}

void TestCluster::Apply(Node* node, const CommittedRange& range) {
  if (range.first != node->applied.Next() || range.last < range.first) {
    return Fail(Join("node ", node->id, " applies ", range.first, "..", range.last, " after ",
                     node->applied));
  }
  if (range.last.value() > node->disk.log.size()) {
    return Fail(Join("node ", node->id, " applies ", range.last, " before its disk has it"));
  }
  if (!range.entries.empty() && range.entries.back().index != range.last) {
    return Fail(Join("node ", node->id, " is given the wrong entries to apply"));
  }
  if (range.first <= node->disk.base) {
    return Fail(Join("node ", node->id, " applies ", range.first, ", which its log dropped"));
  }
  std::string names;
  for (LogIndex index = range.first; index <= range.last; ++index) {
    const Entry& entry = node->disk.log[index.value() - 1];
    const uint64_t in_memory_from = range.last.value() - range.entries.size();
    if (index.value() > in_memory_from) {
      const Entry& given = range.entries[index.value() - in_memory_from - 1];
      if (given.index != index || given.term != entry.term || given.payload != entry.payload) {
        return Fail(
            Join("node ", node->id, " is given another entry than its disk has at ", index));
      }
    }
    if (index.value() > committed_.size() ||
        committed_[index.value() - 1].entry.term != entry.term) {
      return Fail(Join("node ", node->id, " applies ", index, ", which is not committed"));
    }
    names += " " + NameOf(entry);
  }
  Say(node->id, Join("applies ", range.first, "..", range.last, ":", names));
  for (LogIndex index = range.first; index <= range.last; ++index) {
    const Entry& entry = node->disk.log[index.value() - 1];
    std::erase_if(node->proposals, [&](const Outstanding& o) {
      return entry.kind == EntryKind::kCommand && o.request == entry.request;
    });
    // The fence: an entry of a later term is applied, so what was taken in an earlier one and is
    // not here will never come.
    std::erase_if(node->proposals, [&](const Outstanding& o) {
      if (o.term >= entry.term) return false;
      Say(node->id, Join("knows that ", o.name, " will never be applied"));
      CheckRefused(*node, o.request, "past the fence");
      return true;
    });
  }
  node->applied = range.last;
}

// ---- checks

void TestCluster::CheckNode(Node* node) {
  const RaftCore& core = *node->core;
  if (core.term() < node->term) Fail(Join("the term of node ", node->id, " fell"));
  if (core.commit() < node->commit) Fail(Join("the commit index of node ", node->id, " fell"));
  if (core.commit() > core.last_index()) Fail(Join("node ", node->id, " commits what it lacks"));
  if (core.last_index().value() != node->issued.log.size()) {
    Fail(Join("the log of node ", node->id, " is not what the disk was given"));
  }
  const bool elected =
      core.role() == Role::kLeader && (node->role != Role::kLeader || node->term != core.term());
  if (core.term() != node->term || elected) node->match.clear();
  node->term = core.term();
  node->role = core.role();
  CheckMembership(*node);
  if (elected) CheckBecameLeader(*node);
  if (core.commit() > node->commit) CheckCommit(node);
  if (core.role() == Role::kLeader) CheckMatches(node);
}

// What the log says, read by other means than the core's.
Membership TestCluster::MembershipAlong(Membership first, const std::vector<Entry>& log) {
  for (const Entry& entry : log) {
    if (entry.kind == EntryKind::kMembership) first = *DecodeMembership(*entry.payload);
  }
  return first;
}

bool TestCluster::WasEverMember(NodeId node) const {
  if (founding_.IsVoter(node)) return true;
  return std::any_of(committed_.begin(), committed_.end(), [&](const Committed& committed) {
    return committed.entry.kind == EntryKind::kMembership &&
           DecodeMembership(*committed.entry.payload)->IsLasting(node);
  });
}

Membership TestCluster::FirstMembershipOf(const Node& node) const {
  return founding_.IsVoter(node.id) ? founding_ : Membership();
}

MembershipHistory TestCluster::MembershipsOf(const Node& node) const {
  MembershipHistory history({.index = {}, .request = {}, .membership = FirstMembershipOf(node)});
  for (const Entry& entry : node.disk.log) {
    if (entry.kind != EntryKind::kMembership) continue;
    history.Append({entry.index, entry.request, *DecodeMembership(*entry.payload)});
  }
  history.DropUpTo(node.disk.base);
  return history;
}

bool TestCluster::HasCopies(const Membership& membership, LogPosition position) const {
  const auto majority = [&](const std::vector<NodeId>& voters) {
    const auto copies = std::count_if(voters.begin(), voters.end(),
                                      [&](NodeId voter) { return At(voter).disk.Has(position); });
    return 2 * static_cast<size_t>(copies) > voters.size();
  };
  return majority(membership.voters) &&
         (membership.outgoing.empty() || majority(membership.outgoing));
}

void TestCluster::CheckMembership(const Node& node) {
  const Membership expected = MembershipAlong(FirstMembershipOf(node), node.issued.log);
  if (node.core->membership() != expected) {
    Fail(Join("node ", node.id, " goes by ", Describe(node.core->membership()),
              ", and its log says ", Describe(expected)));
  }
  if (node.core->role() != Role::kLeader) return;
  size_t uncommitted = 0;
  for (uint64_t i = committed_.size(); i < node.issued.log.size(); ++i) {
    uncommitted += node.issued.log[i].kind == EntryKind::kMembership;
  }
  if (uncommitted > 1) Fail(Join("node ", node.id, " makes two changes at once"));
}

void TestCluster::CheckBecameLeader(const Node& node) {
  const auto [leader, first] = leader_of_.emplace(node.term, node.id);
  if (!first) {
    return Fail(
        Join("nodes ", leader->second, " and ", node.id, " were both elected in term ", node.term));
  }
  for (const Committed& committed : committed_) {
    const LogPosition position{committed.entry.index, committed.entry.term};
    if (committed.by < node.term && !node.issued.Has(position)) {
      return Fail(Join("the leader ", node.id, " of term ", node.term, " lacks ",
                       Describe(position), ", committed in term ", committed.by));
    }
  }
}

void TestCluster::CheckCommit(Node* node) {
  const LogIndex commit = node->core->commit();
  if (node->issued.log.size() < commit.value()) {
    return Fail(Join("node ", node->id, " commits ", commit, ", which is not in its log"));
  }
  if (node->core->role() == Role::kLeader && commit.value() > committed_.size() &&
      TermAt(node->issued.log, commit) != node->core->term()) {
    Fail(Join("the leader ", node->id, " of term ", node->core->term(), " commits ",
              Describe(LogPosition{commit, TermAt(node->issued.log, commit)}), " by counting"));
  }
  for (LogIndex index = node->commit.Next(); index <= commit; ++index) {
    const Entry& entry = node->issued.log[index.value() - 1];
    if (index.value() > committed_.size()) {
      AddCommitted(*node, entry);
    } else if (committed_[index.value() - 1].entry.term != entry.term) {
      Fail(Join("node ", node->id, " commits ", Describe(LogPosition{index, entry.term}), " where ",
                Describe(LogPosition{index, committed_[index.value() - 1].entry.term}),
                " was committed"));
    }
  }
  node->commit = commit;
}

void TestCluster::AddCommitted(const Node& leader, const Entry& entry) {
  const LogPosition position{entry.index, entry.term};
  if (leader.core->role() != Role::kLeader) {
    return Fail(
        Join("node ", leader.id, " commits ", Describe(position), ", which no leader committed"));
  }
  if (!HasCopies(leader.core->membership(), position)) {
    Fail(Join("node ", leader.id, " commits ", Describe(position), " with too few copies on the ",
              "disks of ", Describe(leader.core->membership())));
  }
  const Term by = leader.core->term();
  for (const Node& other : nodes_) {
    if (other.core && other.core->role() == Role::kLeader && other.core->term() > by &&
        !other.issued.Has(position)) {
      Fail(Join("the leader ", leader.id, " of term ", by, " commits ", Describe(position),
                ", which the leader ", other.id, " of a later term lacks"));
    }
  }
  committed_.push_back({entry, by});
  if (entry.kind == EntryKind::kMembership) ++changes_committed_;
  if (entry.kind != EntryKind::kCommand || entry.request.origin == kNoNode) return;
  const RequestKey key{entry.request.origin, entry.request.sequence};
  if (!requests_committed_.insert(key).second) Fail(Join(NameOf(entry), " is committed twice"));
  if (requests_refused_.contains(key)) {
    Fail(Join(NameOf(entry), " is committed after it was refused"));
  }
}

void TestCluster::CheckMatches(Node* node) {
  for (const RaftCore::PeerState& peer : node->core->peer_states()) {
    LogIndex& match = node->match[peer.node];
    if (peer.match < match) Fail(Join("the match of ", peer.node, " fell"));
    if (peer.match == match) continue;
    match = peer.match;
    // In a later term the follower may have to give up what it kept in this one.
    const Node& follower = At(peer.node);
    if (follower.disk.hard_state.term > node->term) continue;
    if (match.value() > node->issued.log.size() ||
        !follower.disk.Has({match, TermAt(node->issued.log, match)})) {
      Fail(Join("node ", node->id, " takes node ", peer.node, " to have its log up to ", match));
    }
  }
}

// An entry's index and term name its content and, by induction, all before it (thesis figure 3.2,
// "log matching").
void TestCluster::CheckNewEntries(const Node& node, const PersistBatch& batch) {
  for (const Entry& entry : batch.entries) {
    Term previous;
    if (&entry != &batch.entries.front()) {
      previous = (&entry)[-1].term;
    } else if (entry.index > LogIndex(1)) {
      previous = TermAt(node.issued.log, entry.index.Prev());
    }
    const auto [known, first] = entries_.try_emplace(
        {entry.index, entry.term}, EntryFacts{previous, entry.kind, entry.request, entry.payload});
    if (first) continue;
    const EntryFacts& facts = known->second;
    const bool same_payload = facts.payload == entry.payload ||
                              (facts.payload && entry.payload && *facts.payload == *entry.payload);
    if (facts.previous != previous || facts.kind != entry.kind ||
        !(facts.request == entry.request) || !same_payload) {
      Fail(Join("node ", node.id, " has another entry ",
                Describe(LogPosition{entry.index, entry.term}), " than others have"));
    }
  }
}

// What `message` says must be true even if the sender loses power this instant.
void TestCluster::CheckPromise(const Node& node, const Message& message) {
  const HardState& kept = node.disk.hard_state;
  const auto fail = [&](const char* why) {
    Fail(Join("\"", Describe(message), "\" leaves although ", why));
  };
  const MessageBody& body = message.body;
  if (std::holds_alternative<PreVoteRequest>(body)) return;  // no promise
  if (std::holds_alternative<SnapshotAck>(body)) return;     // nor this: AppendAccepted is
  if (const auto* m = std::get_if<PreVoteResponse>(&body); m && m->granted) return;
  // News that rest on a term of the past, addressed to it.
  if (message.term < kept.term) return;
  const bool follower_asks = std::holds_alternative<ForwardProposals>(body) ||
                             std::holds_alternative<ForwardChange>(body) ||
                             std::holds_alternative<ReadRequest>(body);
  if (follower_asks) return;
  const bool refuses = std::holds_alternative<ProposalsRefused>(body) ||
                       std::holds_alternative<ChangeRefused>(body) ||
                       std::holds_alternative<ReadRefused>(body);
  if (refuses) return;
  if (message.term > kept.term) return fail("its term is not on the disk");

  if (const auto* m = std::get_if<VoteResponse>(&body); m && m->granted) {
    if (kept.vote != message.to) fail("the vote is not on the disk");
  } else if (const auto* m = std::get_if<VoteRequest>(&body)) {
    if (kept.vote != message.from) fail("the vote for itself is not on the disk");
    if (node.core->role() == Role::kCandidate && !node.disk.Has(m->last)) {
      fail("the log's end is not on the disk");
    }
  } else if (const auto* m = std::get_if<AppendAccepted>(&body)) {
    const Node& leader = At(message.to);
    if (m->match.value() > node.disk.log.size()) {
      fail("the entries are not on the disk");
    } else if (leader.core && leader.core->role() == Role::kLeader &&
               leader.core->term() == message.term &&
               !node.disk.Has({m->match, TermAt(leader.issued.log, m->match)})) {
      fail("the disk has other entries");
    }
  } else if (std::holds_alternative<AppendRequest>(body) ||
             std::holds_alternative<Heartbeat>(body) ||
             std::holds_alternative<CommitNotice>(body) ||
             std::holds_alternative<SnapshotChunk>(body)) {
    if (kept.vote != message.from) fail("the leader's vote for itself is not on the disk");
  }
}

void TestCluster::CheckGrant(const Node& node, const ReadGrant& grant) {
  ++reads_granted_;
  Say(node.id, Join("may serve read ", grant.id, " at ", grant.index));
  const LogIndex floor = read_floor_.at(grant.id);
  if (grant.index < floor) {
    Fail(Join("read ", grant.id, " is granted at ", grant.index, ", but ", floor,
              " was committed when it began"));
  }
  if (grant.index.value() > committed_.size()) {
    Fail(Join("read ", grant.id, " is granted at ", grant.index, ", which is not committed"));
  }
}

void TestCluster::CheckRefused(const Node& node, const RequestId& request, const char* why) {
  const RequestKey key{request.origin, request.sequence};
  requests_refused_.insert(key);
  if (requests_committed_.contains(key)) {
    Fail(Join("a proposal of node ", node.id, " is ", why, ", but it was committed"));
  }
}

}  // namespace pontoon::raft
