#include "raft/node/read_coordinator.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pontoon::raft {
namespace {

absl::Status Stopped() { return absl::UnavailableError("the node is stopping"); }

}  // namespace

ReadCoordinator::AddOutcome ReadCoordinator::Add(ReadMode mode, Instant now, Instant deadline,
                                                 ReadCallback done) {
  std::lock_guard lock(mutex_);
  if (stopped_) return {.refused = CompletedCall{std::move(done), Stopped()}};
  if (count_ >= options_.waiting_max) {
    return {.refused = CompletedCall{std::move(done),
                                     absl::ResourceExhaustedError("too many reads wait")}};
  }
  ++count_;
  deadlines_.Include(deadline);
  Callers& waiting = WaitingFor(mode);
  const TurnDue due = GatherUntil(mode) <= now ? TurnDue::kNow
                      : waiting.empty()        ? TurnDue::kSoon
                                               : TurnDue::kSet;
  waiting.push_back({mode, deadline, std::move(done)});
  return {.refused = std::nullopt, .due = due};
}

Instant ReadCoordinator::GatherUntil(ReadMode mode) const {
  if (leads_) return Instant::InfinitePast();
  const auto newest = std::find_if(asked_.rbegin(), asked_.rend(),
                                   [mode](const auto& asked) { return asked.second.mode == mode; });
  if (newest == asked_.rend()) return Instant::InfinitePast();
  return newest->second.asked + options_.gather_delay;
}

std::optional<ReadId> ReadCoordinator::BeginBatch(ReadMode mode, Instant now) {
  std::lock_guard lock(mutex_);
  if (asked_.empty()) ask_again_ = false;
  Callers& waiting = WaitingFor(mode);
  // To ask again for all is a matter of the mode that serves all.
  const bool again = mode == ReadMode::kQuorum && MustAskAgain();
  const bool due = !waiting.empty() && GatherUntil(mode) <= now;
  if (!due && !again) return std::nullopt;
  if (again) ask_again_ = false;
  const ReadId id = next_id_;
  ++next_id_;
  if (mode == ReadMode::kLease) NoteLeaseQuestion(id);
  if (!waiting.empty()) asked_.emplace(id, Batch{mode, now, std::exchange(waiting, {})});
  deadlines_.Include(now + options_.answer_timeout);
  return id;
}

void ReadCoordinator::NoteLeaseQuestion(ReadId id) {
  // What is older than all batches can serve none of them.
  const auto oldest =
      asked_.empty() ? lease_questions_.end() : lease_questions_.lower_bound(asked_.begin()->first);
  lease_questions_.erase(lease_questions_.begin(), oldest);
  lease_questions_.insert(id);
}

void ReadCoordinator::OnGranted(const ReadGrant& grant) {
  std::lock_guard lock(mutex_);
  // Of an earlier life of this node: it says nothing about the callers of this one.
  if (grant.id < options_.first_id || grant.id >= next_id_) return;
  const bool maybe_by_lease = lease_questions_.contains(grant.id);
  for (auto batch = asked_.begin(); batch != asked_.end() && batch->first <= grant.id;) {
    if (maybe_by_lease && batch->second.mode == ReadMode::kQuorum) {
      ++batch;
      continue;
    }
    std::move(batch->second.callers.begin(), batch->second.callers.end(),
              std::back_inserter(granted_[grant.index]));
    batch = asked_.erase(batch);
  }
}

bool ReadCoordinator::OnRefused(ReadId id) {
  std::lock_guard lock(mutex_);
  if (id < options_.first_id || id >= next_id_) return false;
  // Earlier questions went to the same node or to one before it.
  const auto end = asked_.upper_bound(id);
  const bool concerns_anybody = end != asked_.begin();
  for (auto batch = asked_.begin(); batch != end; ++batch) {
    WaitAgain(std::move(batch->second.callers));
  }
  asked_.erase(asked_.begin(), end);
  return concerns_anybody;
}

void ReadCoordinator::OnLeaderChange(bool leads) {
  std::lock_guard lock(mutex_);
  leads_ = leads;
  for (auto& [id, batch] : asked_) WaitAgain(std::move(batch.callers));
  asked_.clear();
}

Instant ReadCoordinator::NextBatch() const {
  std::lock_guard lock(mutex_);
  if (MustAskAgain()) return Instant::InfinitePast();
  Instant next = Instant::InfiniteFuture();
  for (const ReadMode mode : {ReadMode::kQuorum, ReadMode::kLease}) {
    if (!waiting_[static_cast<size_t>(mode)].empty()) next = std::min(next, GatherUntil(mode));
  }
  return next;
}

std::vector<CompletedCall> ReadCoordinator::TakeReadable(LogIndex applied) {
  std::vector<CompletedCall> readable;
  std::lock_guard lock(mutex_);
  while (!granted_.empty() && granted_.begin()->first <= applied) {
    for (Caller& caller : granted_.begin()->second) {
      readable.push_back(Complete(std::move(caller), absl::OkStatus()));
    }
    granted_.erase(granted_.begin());
  }
  return readable;
}

Instant ReadCoordinator::NextDeadline() const {
  std::lock_guard lock(mutex_);
  return deadlines_.next_look();
}

std::vector<CompletedCall> ReadCoordinator::Expire(Instant now) {
  std::vector<CompletedCall> expired;
  std::lock_guard lock(mutex_);
  if (now < deadlines_.next_look()) return expired;
  deadlines_.BeginLook(now);
  for (auto it = asked_.begin(); it != asked_.end();) {
    Batch& batch = it->second;
    ExpireIn(now, &batch.callers, &expired);
    if (batch.asked + options_.answer_timeout <= now) ask_again_ = true;
    it = batch.callers.empty() ? asked_.erase(it) : std::next(it);
  }
  for (auto& [id, batch] : asked_) {
    if (ask_again_) batch.asked = now;
    deadlines_.Include(batch.asked + options_.answer_timeout);
  }
  for (Callers& callers : waiting_) ExpireIn(now, &callers, &expired);
  for (auto& [index, callers] : granted_) ExpireIn(now, &callers, &expired);
  return expired;
}

void ReadCoordinator::ExpireIn(Instant now, Callers* callers, std::vector<CompletedCall>* expired) {
  Callers left;
  for (Caller& caller : *callers) {
    if (caller.deadline <= now) {
      expired->push_back(Complete(
          std::move(caller), absl::DeadlineExceededError("no leader confirmed the read in time")));
    } else {
      deadlines_.Include(caller.deadline);
      left.push_back(std::move(caller));
    }
  }
  callers->swap(left);
}

std::vector<CompletedCall> ReadCoordinator::Stop() {
  std::vector<CompletedCall> given_up;
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto& [id, batch] : asked_) WaitAgain(std::move(batch.callers));
  for (auto& [index, callers] : granted_) WaitAgain(std::move(callers));
  asked_.clear();
  granted_.clear();
  for (Callers& callers : waiting_) {
    for (Caller& caller : callers) given_up.push_back(Complete(std::move(caller), Stopped()));
    callers.clear();
  }
  return given_up;
}

void ReadCoordinator::WaitAgain(Callers callers) {
  for (Caller& caller : callers) WaitingFor(caller.mode).push_back(std::move(caller));
}

CompletedCall ReadCoordinator::Complete(Caller caller, absl::Status status) {
  --count_;
  return CompletedCall{std::move(caller.done), std::move(status)};
}

}  // namespace pontoon::raft
