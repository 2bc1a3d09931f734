#include "cmd/pontoon/peer_roster.h"

#include <algorithm>
#include <utility>

#include "kv/service/url.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

raft::PeerAddresses AddressesOf(const PeerUrls& peers) {
  raft::PeerAddresses addresses;
  for (const auto& [node, urls] : peers) {
    const absl::StatusOr<Url> url = ParseUrl(urls.empty() ? "" : urls.front());
    if (url.ok()) {
      addresses[node] = url->HostPort();
    } else {
      LogError("a member has no address that can be dialled",
               {{"peer", node}, {"reason", std::string(url.status().message())}});
    }
  }
  return addresses;
}

}  // namespace

void PeerRoster::OnPeers(const PeerUrls& peers, LogIndex commit) {
  executor_->Post([this, peers, commit] { Update(peers, commit); });
}

void PeerRoster::OnHearsay(const PeerUrls& members, LogIndex index) {
  executor_->Post([this, members, index] {
    if (index <= std::max(commit_, heard_index_)) return;
    heard_ = AddressesOf(members);
    heard_index_ = index;
    Tell();
  });
}

void PeerRoster::Begin() {
  executor_->Post([this] {
    begun_ = true;
    Tell();
  });
}

void PeerRoster::Update(const PeerUrls& peers, LogIndex commit) {
  const raft::PeerAddresses before = std::exchange(addresses_, AddressesOf(peers));
  const Instant until = clock_->Now() + kFarewell;
  bool somebody_leaves = false;
  for (const auto& [node, address] : before) {
    if (addresses_.contains(node)) continue;
    leavers_[node] = {address, until};
    somebody_leaves = true;
  }
  commit_ = std::max(commit_, commit);
  if (commit_ >= heard_index_) heard_.clear();
  std::erase_if(leavers_, [&](const auto& leaver) { return addresses_.contains(leaver.first); });
  if (somebody_leaves) {
    executor_->PostAt(until, [this] { DropLeavers(); });
  }
  Tell();
}

void PeerRoster::DropLeavers() {
  const Instant now = clock_->Now();
  if (std::erase_if(leavers_, [&](const auto& leaver) { return leaver.second.until <= now; }) > 0) {
    Tell();
  }
}

void PeerRoster::Tell() {
  if (!begun_) return;
  raft::PeerAddresses all = heard_;
  all.insert(addresses_.begin(), addresses_.end());
  for (const auto& [node, leaver] : leavers_) all.emplace(node, leaver.address);
  listener_(all);
}

}  // namespace pontoon
