#include "raft/node/follower_needs.h"

#include <algorithm>

namespace pontoon::raft {

FollowerNeeds::Needs FollowerNeeds::LookAt(const Picture& picture) {
  const Term term = picture.peers.empty() ? Term() : picture.term;
  if (term != term_) {
    term_ = term;
    elected_ = picture.now;
    sent_.clear();
  }
  Needs needs;
  const auto need = [&](LogIndex after) {
    needs.after = needs.after ? std::min(*needs.after, after) : after;
  };
  for (const RaftCore::PeerState& peer : picture.peers) {
    const bool in_contact = picture.now - std::max(peer.last_contact, elected_) < kContactAgeMax;
    if (in_contact && !peer.in_snapshot && picture.log_bytes < retention_.keep_bytes) {
      need(peer.match);
    }
  }
  for (const SnapshotStatus& snapshot : picture.snapshots) {
    const auto peer = std::find_if(picture.peers.begin(), picture.peers.end(),
                                   [&](const auto& p) { return p.node == snapshot.peer; });
    const bool is_needed =
        peer != picture.peers.end() &&
        (snapshot.stage == SnapshotStatus::Stage::kSent ? MustFollow(snapshot, *peer, picture)
                                                        : peer->in_snapshot);
    if (!is_needed) {
      needs.over.push_back(snapshot);
    } else if (snapshot.stage == SnapshotStatus::Stage::kUnderWay) {
      need(snapshot.index);
    } else if (snapshot.stage == SnapshotStatus::Stage::kSent) {
      need(std::max(snapshot.index, peer->match));
    }
  }
  return needs;
}

// Whether the entries after a snapshot that was sent are to be kept.
bool FollowerNeeds::MustFollow(const SnapshotStatus& sent, const RaftCore::PeerState& peer,
                               const Picture& picture) {
  Sent& first_seen = sent_[sent.peer];
  if (first_seen.index != sent.index) first_seen = {sent.index, picture.log_bytes};
  const bool in_contact = picture.now - std::max(peer.last_contact, elected_) < kContactAgeMax;
  const bool has_caught_up = peer.match + retention_.keep_entries >= picture.applied;
  const uint64_t bytes_max =
      std::max(retention_.keep_bytes, 2 * first_seen.log_bytes + retention_.step_bytes);
  return in_contact && !has_caught_up && picture.log_bytes < bytes_max;
}

}  // namespace pontoon::raft
