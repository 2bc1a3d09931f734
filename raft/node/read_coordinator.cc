#include "raft/node/read_coordinator.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pontoon::raft {
namespace {

absl::Status Stopped() { return absl::UnavailableError("the node is stopping"); }

}  // namespace

std::optional<CompletedCall> ReadCoordinator::Add(Instant deadline, ReadCallback done) {
  std::lock_guard lock(mutex_);
  if (stopped_) return CompletedCall{std::move(done), Stopped()};
  if (count_ >= options_.waiting_max) {
    return CompletedCall{std::move(done), absl::ResourceExhaustedError("too many reads wait")};
  }
  ++count_;
  deadlines_.Include(deadline);
  waiting_.push_back({deadline, std::move(done)});
  return std::nullopt;
}

std::optional<ReadId> ReadCoordinator::BeginBatch(Instant now) {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  const ReadId id = next_id_;
  ++next_id_;
  asked_.emplace(id, Batch{now, std::exchange(waiting_, {})});
  deadlines_.Include(now + options_.answer_timeout);
  return id;
}

void ReadCoordinator::OnGranted(const ReadGrant& grant) {
  std::lock_guard lock(mutex_);
  const auto batch = asked_.find(grant.id);
  if (batch == asked_.end()) return;
  Callers& callers = granted_[grant.index];
  std::move(batch->second.callers.begin(), batch->second.callers.end(),
            std::back_inserter(callers));
  asked_.erase(batch);
}

void ReadCoordinator::OnRefused(ReadId id) {
  std::lock_guard lock(mutex_);
  const auto batch = asked_.find(id);
  if (batch == asked_.end()) return;
  WaitAgain(std::move(batch->second.callers));
  asked_.erase(batch);
}

void ReadCoordinator::OnLeaderChange() {
  std::lock_guard lock(mutex_);
  for (auto& [id, batch] : asked_) WaitAgain(std::move(batch.callers));
  asked_.clear();
}

bool ReadCoordinator::HasWaiting() const {
  std::lock_guard lock(mutex_);
  return !waiting_.empty();
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
    if (it->second.asked + options_.answer_timeout <= now) {
      WaitAgain(std::move(it->second.callers));
      it = asked_.erase(it);
    } else {
      deadlines_.Include(it->second.asked + options_.answer_timeout);
      ExpireIn(now, &it->second.callers, &expired);
      ++it;
    }
  }
  ExpireIn(now, &waiting_, &expired);
  for (auto& [index, callers] : granted_) ExpireIn(now, &callers, &expired);
  return expired;
}

void ReadCoordinator::ExpireIn(Instant now, Callers* callers, std::vector<CompletedCall>* expired) {
  Callers left;
  for (Caller& caller : *callers) {
    if (caller.deadline <= now) {
      expired->push_back(Complete(std::move(caller),
                                  absl::UnavailableError("no leader confirmed the read in time")));
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
  for (Caller& caller : waiting_) given_up.push_back(Complete(std::move(caller), Stopped()));
  waiting_.clear();
  return given_up;
}

void ReadCoordinator::WaitAgain(Callers callers) {
  std::move(callers.begin(), callers.end(), std::back_inserter(waiting_));
}

CompletedCall ReadCoordinator::Complete(Caller caller, absl::Status status) {
  --count_;
  return CompletedCall{std::move(caller.done), std::move(status)};
}

}  // namespace pontoon::raft
