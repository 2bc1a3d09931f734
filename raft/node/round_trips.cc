#include "raft/node/round_trips.h"

#include <algorithm>

namespace pontoon::raft {

void RoundTrips::OnHeartbeat(NodeId node, RoundId round, Instant now) {
  std::lock_guard lock(mutex_);
  std::optional<Question>& open = peers_[node].open;
  if (!open || now - open->sent > kPatience) open = Question{round, now};
}

void RoundTrips::OnAnswer(NodeId node, RoundId round, Instant now) {
  std::lock_guard lock(mutex_);
  const auto peer = peers_.find(node);
  if (peer == peers_.end()) return;
  std::optional<Question>& open = peer->second.open;
  if (!open || round < open->round) return;
  if (now - open->sent <= kPatience) peer->second.durations.Record(now - open->sent);
  open.reset();
}

void RoundTrips::BeginAnew(std::span<const NodeId> members) {
  std::lock_guard lock(mutex_);
  std::erase_if(peers_, [&](const auto& peer) {
    return std::find(members.begin(), members.end(), peer.first) == members.end();
  });
  for (auto& [node, peer] : peers_) peer.open.reset();
}

std::map<NodeId, DurationHistogram::Reading> RoundTrips::Read() const {
  std::map<NodeId, DurationHistogram::Reading> readings;
  std::lock_guard lock(mutex_);
  for (const auto& [node, peer] : peers_) readings.emplace(node, peer.durations.Read());
  return readings;
}

}  // namespace pontoon::raft
