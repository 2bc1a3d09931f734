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

void PeerRoster::OnPeers(const raft::PeerNews& news) {
  executor_->Post([this, news] { Update(news); });
}

void PeerRoster::OnHearsay(const PeerUrls& members, LogIndex index) {
  executor_->Post([this, members, index] {
    if (index <= std::max(commit_, heard_index_)) return;
    heard_ = AddressesOf(members);
    heard_index_ = index;
    Tell();
  });
}

void PeerRoster::OnWhereabouts(NodeId peer, const raft::Whereabouts& whereabouts) {
  if (whereabouts.url.empty()) return;
  executor_->Post([this, peer, whereabouts] {
    const auto before = reports_.find(peer);
    const LogIndex known = before == reports_.end() ? own_.index : before->second.index;
    if (!IsPeer(peer) || whereabouts.index <= known) return;
    for (auto& [node, address] : AddressesOf({{peer, {whereabouts.url}}})) {
      reports_[node] = {std::move(address), whereabouts.index};
    }
    Tell();
  });
}

void PeerRoster::Begin() {
  executor_->Post([this] {
    begun_ = true;
    Tell();
  });
}

void PeerRoster::Update(const raft::PeerNews& news) {
  const raft::PeerAddresses before = std::exchange(addresses_, AddressesOf(news.urls));
  const auto own = news.urls.find(self_);
  const bool has_url = own != news.urls.end() && !own->second.empty();
  own_ = {has_url ? own->second.front() : "", news.index};
  const Instant until = clock_->Now() + kFarewell;
  bool somebody_leaves = false;
  for (const auto& [node, address] : before) {
    if (addresses_.contains(node)) continue;
    leavers_[node] = {address, until};
    somebody_leaves = true;
  }
  commit_ = std::max(commit_, news.commit);
  if (commit_ >= heard_index_) heard_.clear();
  std::erase_if(reports_, [&](const auto& report) {
    return report.second.index <= own_.index || !IsPeer(report.first);
  });
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
  for (const auto& [node, report] : reports_) {
    const bool is_latest = report.index > heard_index_ || !heard_.contains(node);
    if (is_latest && IsPeer(node)) all[node] = report.address;
  }
  for (const auto& [node, leaver] : leavers_) all.emplace(node, leaver.address);
  listener_(all, own_);
}

}  // namespace pontoon
