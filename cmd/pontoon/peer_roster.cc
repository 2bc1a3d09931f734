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

void PeerRoster::OnGreeting(const raft::Greeting& greeting) {
  executor_->Post([this, greeting] { Take(greeting); });
}

void PeerRoster::Begin() {
  executor_->Post([this] {
    begun_ = true;
    Tell();
  });
}

void PeerRoster::Take(const raft::Greeting& greeting) {
  const raft::Whereabouts& news = greeting.whereabouts;
  if (news.url.empty() || !IsPeer(greeting.from)) return;
  const auto before = reports_.find(greeting.from);
  if (before != reports_.end()) {
    const raft::Greeting& last = before->second.greeting;
    // The log of one life of a process only ever gets more up to date; but after a crash it may
    // lack what was not durable.
    const bool is_same_life = last.incarnation == greeting.incarnation;
    if (is_same_life && AtLeastAsUpToDate(last.whereabouts.log_end, news.log_end)) return;
  }
  bool changes = reports_.erase(greeting.from) > 0;
  if (!AtLeastAsUpToDate(own_.log_end, news.log_end)) {
    for (auto& [node, address] : AddressesOf({{greeting.from, {news.url}}})) {
      reports_[node] = {std::move(address), greeting};
      changes = true;
    }
  }
  if (changes) Tell();
}

void PeerRoster::Update(const raft::PeerNews& news) {
  const raft::PeerAddresses before = std::exchange(addresses_, AddressesOf(news.urls));
  const auto own = news.urls.find(self_);
  const bool has_url = own != news.urls.end() && !own->second.empty();
  own_ = {.url = has_url ? own->second.front() : "", .index = news.index, .log_end = news.log_end};
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
    const raft::Whereabouts& told = report.second.greeting.whereabouts;
    return AtLeastAsUpToDate(own_.log_end, told.log_end) || !IsPeer(report.first);
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
    const bool is_latest =
        report.greeting.whereabouts.index > heard_index_ || !heard_.contains(node);
    if (is_latest && IsPeer(node)) all[node] = report.address;
  }
  for (const auto& [node, leaver] : leavers_) all.emplace(node, leaver.address);
  listener_(all, own_);
}

}  // namespace pontoon
