#include "raft/node/change_tracker.h"

#include <algorithm>

#include "raft/base/check.h"

namespace pontoon::raft {
namespace {

bool IsForTheMoment(ChangeRefusal refusal) {
  return refusal == ChangeRefusal::kNoLeader || refusal == ChangeRefusal::kBusy;
}

bool IsDue(const auto& waiter, Instant now) { return !waiter.attempt && waiter.again <= now; }

}  // namespace

bool ChangeTracker::HasDue(Instant now) const {
  return std::any_of(waiters_.begin(), waiters_.end(),
                     [now](const Waiter& waiter) { return IsDue(waiter, now); });
}

std::vector<MembershipChange> ChangeTracker::TakeDue(Instant now, RequestId request,
                                                     LogIndex commit) {
  const auto waiter = std::find_if(waiters_.begin(), waiters_.end(),
                                   [now](const Waiter& each) { return IsDue(each, now); });
  CHECK(waiter != waiters_.end());
  waiter->attempt = {.request = request, .term = Term(), .commit = commit, .sent = now};
  return waiter->wish.changes;
}

void ChangeTracker::OnTaken(Instant now, RequestId request, Term term) {
  const auto waiter = Find(request);
  CHECK(waiter != waiters_.end());
  waiter->attempt->term = term;
  waiter->attempt->sent = now;
}

std::vector<CompletedChange> ChangeTracker::OnRefused(Instant now, RequestId request,
                                                      ChangeRefusal refusal) {
  std::vector<CompletedChange> completed;
  const auto waiter = Find(request);
  if (waiter == waiters_.end()) return completed;
  if (!IsForTheMoment(refusal)) {
    completed.push_back(Complete(waiter, refusal));
    return completed;
  }
  waiter->attempt.reset();
  waiter->again = now + kTryAgainDelay;
  waiter->refusal = refusal;
  return completed;
}

std::vector<ChangeTracker::Unanswered> ChangeTracker::TakeUnanswered(Instant now, Term term) {
  std::vector<Unanswered> unanswered;
  for (Waiter& waiter : waiters_) {
    if (!waiter.attempt || now - waiter.attempt->sent < kForwardAgainDelay) continue;
    waiter.attempt->sent = now;
    if (waiter.attempt->term != term) continue;
    unanswered.push_back({waiter.attempt->request, waiter.wish.changes});
  }
  return unanswered;
}

std::vector<CompletedChange> ChangeTracker::OnDone(RequestId request) {
  std::vector<CompletedChange> completed;
  const auto waiter = Find(request);
  if (waiter != waiters_.end()) completed.push_back(Complete(waiter, ChangeMade{}));
  return completed;
}

void ChangeTracker::OnCommitted(const Log& log) {
  for (Waiter& waiter : waiters_) {
    if (!waiter.attempt || waiter.attempt->term == Term()) continue;
    if (log.committed_term <= waiter.attempt->term) continue;
    if (log.base > waiter.attempt->commit) continue;  // it may have been in what is gone
    const bool in_log =
        std::any_of(log.memberships.begin(), log.memberships.end(),
                    [&](const auto& item) { return item.request == waiter.attempt->request; });
    if (!in_log) waiter.attempt.reset();
  }
}

void ChangeTracker::OnLeader() {
  for (Waiter& waiter : waiters_) waiter.again = Instant::InfinitePast();
}

Instant ChangeTracker::NextDeadline() const {
  Instant next = Instant::InfiniteFuture();
  for (const Waiter& waiter : waiters_) {
    const Instant look = waiter.attempt ? waiter.attempt->sent + kForwardAgainDelay : waiter.again;
    next = std::min({next, waiter.wish.deadline, look});
  }
  return next;
}

std::vector<CompletedChange> ChangeTracker::Expire(Instant now) {
  std::vector<CompletedChange> expired;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const auto next = std::next(waiter);
    if (waiter->wish.deadline <= now) expired.push_back(Complete(waiter, Unfulfilled(*waiter)));
    waiter = next;
  }
  return expired;
}

std::vector<CompletedChange> ChangeTracker::GiveUp() {
  std::vector<CompletedChange> given_up;
  while (!waiters_.empty()) {
    const auto waiter = waiters_.begin();
    given_up.push_back(Complete(waiter, Unfulfilled(*waiter)));
  }
  return given_up;
}

ChangeTracker::Waiters::iterator ChangeTracker::Find(RequestId request) {
  return std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
    return waiter.attempt && waiter.attempt->request == request;
  });
}

CompletedChange ChangeTracker::Complete(Waiters::iterator waiter, ChangeOutcome outcome) {
  CompletedChange completed{std::move(waiter->wish.done), outcome};
  waiters_.erase(waiter);
  return completed;
}

ChangeOutcome ChangeTracker::Unfulfilled(const Waiter& waiter) {
  if (waiter.attempt) return ChangeUnknown{};
  return waiter.refusal;
}

}  // namespace pontoon::raft
