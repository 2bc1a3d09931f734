#include "cmd/pontoon/peer_roster.h"

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

void PeerRoster::OnPeers(const PeerUrls& peers) {
  executor_->Post([this, peers] { Update(peers); });
}

void PeerRoster::OnHearsay(const PeerUrls& members) {
  executor_->Post([this, members] {
    heard_ = AddressesOf(members);
    Tell();
  });
}

void PeerRoster::OnIntroduced(NodeId self, const PeerUrls& members) {
  executor_->Post([this, self, members] {
    awaited_ = self;
    introduced_ = AddressesOf(members);
    heard_ = introduced_;
  });
}

void PeerRoster::Begin() {
  executor_->Post([this] {
    begun_ = true;
    Tell();
  });
}

void PeerRoster::Update(const PeerUrls& peers) {
  const raft::PeerAddresses before = std::exchange(addresses_, AddressesOf(peers));
  const Instant until = clock_->Now() + kFarewell;
  bool somebody_leaves = false;
  for (const auto& [node, address] : before) {
    if (addresses_.contains(node)) continue;
    leavers_[node] = {address, until};
    somebody_leaves = true;
  }
  ForgetHearsay(before);
  std::erase_if(leavers_, [&](const auto& leaver) { return addresses_.contains(leaver.first); });
  if (somebody_leaves) {
    executor_->PostAt(until, [this] { DropLeavers(); });
  }
  Tell();
}

void PeerRoster::ForgetHearsay(const raft::PeerAddresses& before) {
  bool is_added_now = false;
  if (awaited_ != kNoNode) {
    if (!addresses_.contains(awaited_) || addresses_ == introduced_) return;
    awaited_ = kNoNode;
    is_added_now = true;
  }
  std::erase_if(heard_, [&](const auto& heard) {
    const auto now = addresses_.find(heard.first);
    const auto then = before.find(heard.first);
    if (now == addresses_.end()) return then != before.end();
    return is_added_now || then == before.end() || then->second != now->second;
  });
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
