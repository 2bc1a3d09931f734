#include "kv/client/balancer.h"

#include <algorithm>
#include <tuple>

namespace pontoon {
namespace {

// Of a new measurement, in the smoothed round trip (Jacobson's 1/8 is for packets, of which there
// are many; here there is one every few seconds).
constexpr double kWeight = 0.3;

}  // namespace

void Balancer::SetAddresses(const std::vector<std::string>& addresses) {
  std::map<std::string, Member> members;
  for (const std::string& address : addresses) {
    const auto known = members_.find(address);
    members.emplace(address, known == members_.end() ? Member() : known->second);
  }
  members_ = std::move(members);
}

std::vector<std::string> Balancer::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& [address, member] : members_) addresses.push_back(address);
  return addresses;
}

std::optional<std::string> Balancer::Choose(Prefer prefer, const std::vector<std::string>& tried,
                                            Instant now) {
  const auto was_tried = [&](const std::string& address, const Member& member) {
    return std::any_of(tried.begin(), tried.end(), [&](const std::string& other) {
      if (other == address) return true;
      const auto found = members_.find(other);
      return member.id != 0 && found != members_.end() && found->second.id == member.id;
    });
  };
  std::vector<std::map<std::string, Member>::value_type*> left;
  std::optional<absl::Duration> nearest;  // of those that are well
  for (auto& entry : members_) {
    const Member& member = entry.second;
    if (was_tried(entry.first, member)) continue;
    left.push_back(&entry);
    if (member.aside_until <= now && member.round_trip.has_value()) {
      nearest = std::min(nearest.value_or(absl::InfiniteDuration()), *member.round_trip);
    }
  }
  if (left.empty()) return std::nullopt;
  const absl::Duration near_enough = nearest.has_value()
                                         ? *nearest + std::max(kAlike, *nearest * kAlikeRatio)
                                         : absl::ZeroDuration();
  // Less is better.
  const auto rank = [&](const Member& member) {
    const bool is_aside = member.aside_until > now;
    const absl::Duration distance = member.round_trip.value_or(absl::InfiniteDuration());
    return std::make_tuple(is_aside, is_aside ? member.aside_until : Instant(),
                           prefer == Prefer::kLeader && !IsLeader(member),
                           distance <= near_enough ? absl::ZeroDuration() : distance,
                           member.chosen);
  };
  auto* const best = *std::min_element(left.begin(), left.end(), [&](auto* a, auto* b) {
    return rank(a->second) < rank(b->second);
  });
  best->second.chosen = ++choices_;
  return best->first;
}

void Balancer::OnAnswer(const std::string& address, uint64_t member_id, uint64_t term) {
  Member* const member = Find(address);
  HearOf(member, member_id, term);
  if (member != nullptr) Readmit(member);
}

void Balancer::OnSignOfLife(const std::string& address, uint64_t member_id, uint64_t term) {
  Member* const member = Find(address);
  HearOf(member, member_id, term);
  if (member != nullptr && member->is_lost) Readmit(member);
}

void Balancer::OnProbeFailure(const std::string& address, uint64_t member_id, uint64_t term,
                              Instant now) {
  Member* const member = Find(address);
  HearOf(member, member_id, term);
  if (member == nullptr) return;
  member->is_lost = true;
  SetAside(member, now);
}

void Balancer::OnRoundTrip(const std::string& address, absl::Duration took) {
  Member* const member = Find(address);
  if (member == nullptr) return;
  std::optional<absl::Duration>& smoothed = member->round_trip;
  smoothed = smoothed.has_value() ? *smoothed * (1 - kWeight) + took * kWeight : took;
}

void Balancer::OnFailure(const std::string& address, Instant now) {
  Member* const member = Find(address);
  if (member != nullptr) SetAside(member, now);
}

void Balancer::OnOvertaken(const std::string& address, Instant now) {
  Member* const member = Find(address);
  if (member == nullptr || ++member->overtaken < kOvertakenMax) return;
  member->overtaken = 0;
  SetAside(member, now);
}

Balancer::Member* Balancer::Find(const std::string& address) {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : &found->second;
}

void Balancer::HearOf(Member* member, uint64_t member_id, uint64_t term) {
  if (term > term_) {
    term_ = term;
    leader_ = 0;  // whoever led, led in an older one
  }
  if (member != nullptr && member_id != 0) member->id = member_id;
}

void Balancer::Readmit(Member* member) {
  member->failures = 0;
  member->overtaken = 0;
  member->is_lost = false;
  member->aside_until = Instant();
}

void Balancer::SetAside(Member* member, Instant now) {
  constexpr int kDoublingsMax = 30;
  const int doublings = std::min(member->failures++, kDoublingsMax);
  const absl::Duration time =
      std::min(options_.set_aside_first * (int64_t{1} << doublings), options_.set_aside_longest);
  member->aside_until = std::max(member->aside_until, now + time);
}

void Balancer::OnLeader(uint64_t leader_id, uint64_t term) {
  if (term < term_ || (term == term_ && leader_id == 0)) return;
  term_ = term;
  leader_ = leader_id;
}

std::optional<absl::Duration> Balancer::RoundTripOf(const std::string& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? std::nullopt : found->second.round_trip;
}

}  // namespace pontoon
