#include "raft/node/testing/cluster_fixture.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {

Payload Command(const std::string& text) { return std::make_shared<const std::string>(text); }

RestoredState RestoredFrom(const MemoryLog& log, const Membership& founding) {
  const RecoveredLog recovered = log.Recovered();
  return {.hard_state = recovered.hard_state,
          .base = recovered.base,
          .last = recovered.last,
          .terms = recovered.terms,
          .applied = LogIndex(),
          .memberships = recovered.HistoryFrom(founding)};
}

RaftNodeOptions QuickOptions(NodeId self, uint64_t life) {
  RaftNodeOptions options;
  options.core.self = self;
  options.core.heartbeat_interval = absl::Milliseconds(30);
  options.core.election_timeout = absl::Milliseconds(300);
  options.core.lease_duration = absl::Milliseconds(200);
  options.core.append_gather_delay = kGatherDelay;
  options.core.seed = self.value() * 100 + life;
  options.first_sequence = (self.value() * 100 + life) << 32;
  return options;
}

// ---- Event

void Event::Happen() {
  std::lock_guard lock(mutex_);
  happened_ = true;
  changed_.notify_all();
}

bool Event::Await(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout), [this] { return happened_; });
}

// ---- ClusterTest

ClusterTest::ClusterTest(const LogRetention& retention) : retention_(retention) {
  for (const NodeId id : kIds) StartMember(id);
}

ClusterTest::~ClusterTest() {
  for (auto& [id, member] : members_) StopMember(id);
}

PeerUrls::value_type ClusterTest::UrlOf(NodeId id) {
  return {id, {"http://node-" + std::to_string(id.value())}};
}

Membership ClusterTest::Founding() {
  Membership founding{.voters = {kIds.begin(), kIds.end()}};
  for (const NodeId id : kIds) founding.peer_urls.insert(UrlOf(id));
  return founding;
}

void ClusterTest::StartMember(NodeId id) {
  Member& member = members_[id];
  member.journal = std::make_unique<Journal>();
  RaftNodeOptions options = QuickOptions(id, ++member.lives);
  options.retention = retention_;
  options.on_removed = [&member] { member.removed.Happen(); };
  options.on_peers = [&member](const PeerNews& news) {
    std::lock_guard lock(member.mutex);
    member.peers = news.urls;
    member.peers_changed.notify_all();
  };
  const bool is_founder = Founding().IsVoter(id);
  member.node = std::make_unique<RaftNode>(
      options, RestoredFrom(member.log, is_founder ? Founding() : Membership{}),
      RaftNodeEnvironment{Clock::System(), &network_, &member.log, member.journal.get()},
      RaftNodeExecutors::Threads());
  network_.Connect(id, member.node.get());
}

void ClusterTest::StopMember(NodeId id) {
  Member& member = members_[id];
  if (member.node == nullptr) return;
  member.node->Stop();
  network_.Connect(id, nullptr);
  member.node.reset();
}

ProposeOutcome ClusterTest::Propose(NodeId id, const std::string& command) {
  Event notified;
  std::optional<ProposeOutcome> result;
  node(id).Propose(Command(command), Deadline(), [&](ProposeOutcome outcome) {
    result = std::move(outcome);
    notified.Happen();
  });
  CHECK(notified.Await(2 * kPatience));
  return *std::move(result);
}

absl::Status ClusterTest::Await(const std::function<void(ReadCallback)>& call) {
  Event notified;
  absl::Status result;
  call([&](absl::Status status) {
    result = std::move(status);
    notified.Happen();
  });
  CHECK(notified.Await(2 * kPatience));
  return result;
}

absl::Status ClusterTest::Read(NodeId id) {
  return Await([&](ReadCallback done) {
    node(id).ReadBarrier(ReadMode::kQuorum, Deadline(), std::move(done));
  });
}

absl::Status ClusterTest::Transfer(NodeId from, NodeId to) {
  return Await(
      [&](ReadCallback done) { node(from).TransferLeadership(to, Deadline(), std::move(done)); });
}

ChangeOutcome ClusterTest::Change(NodeId id, std::vector<MembershipChange> changes) {
  Event notified;
  ChangeOutcome result;
  node(id).ChangeMembership(std::move(changes), Deadline(), [&](ChangeOutcome outcome) {
    result = outcome;
    notified.Happen();
  });
  CHECK(notified.Await(2 * kPatience));
  return result;
}

void ClusterTest::AwaitPeers(NodeId id, const std::vector<NodeId>& peers) {
  PeerUrls expected;
  for (const NodeId peer : peers) expected.insert(UrlOf(peer));
  Member& member = members_[id];
  std::unique_lock lock(member.mutex);
  CHECK(member.peers_changed.wait_for(lock, absl::ToChronoSeconds(kPatience),
                                      [&] { return member.peers == expected; }));
}

NodeId ClusterTest::AwaitLeader(NodeId ask) {
  for (;;) {
    CHECK(Read(ask).ok());
    const NodeId leader = node(ask).Status().leader;
    if (leader != kNoNode) return leader;
  }
}

std::vector<NodeId> ClusterTest::Others(NodeId than) {
  std::vector<NodeId> others;
  for (const NodeId id : kIds) {
    if (id != than) others.push_back(id);
  }
  return others;
}

// ---- ShortLogTest

void ShortLogTest::WriteUntilDropped(LogIndex index, NodeId writer,
                                     const std::vector<NodeId>& nodes) {
  const Instant end = Deadline();
  const auto dropped = [&](NodeId id) { return members_[id].log.base().index > index; };
  while (!std::all_of(nodes.begin(), nodes.end(), dropped)) {
    ASSERT_LT(Clock::System()->Now(), end) << "the logs are not compacted";
    Propose(writer, "write " + std::to_string(++writes_));
  }
}

}  // namespace pontoon::raft
