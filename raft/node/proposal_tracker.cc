#include "raft/node/proposal_tracker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "raft/base/check.h"

namespace pontoon::raft {

ProposalTracker::AddOutcome ProposalTracker::Add(Payload command, Instant deadline,
                                                 ProposeCallback done) {
  Waiter waiter{std::move(command), deadline, std::move(done)};
  const auto refuse = [&](NotApplied::Reason reason) {
    Count(NotApplied{reason});
    return AddOutcome{.refused = CompletedProposal{std::move(waiter.done), NotApplied{reason}}};
  };
  std::lock_guard lock(mutex_);
  if (stopped_) return refuse(NotApplied::Reason::kStopped);
  const size_t bytes = CountedBytes(waiter);
  if (queue_.size() + attempts_.size() >= options_.waiting_max ||
      waiting_bytes_ + bytes > options_.waiting_bytes_max) {
    return refuse(NotApplied::Reason::kOverloaded);
  }
  waiting_bytes_ += bytes;
  deadlines_.Include(deadline);
  const TurnDue due = attempts_.empty() ? TurnDue::kNow
                      : queue_.empty()  ? TurnDue::kSoon
                                        : TurnDue::kSet;
  queue_.push_back(std::move(waiter));
  instruments_->waiting.fetch_add(1, std::memory_order_relaxed);
  return {.refused = std::nullopt, .due = due};
}

bool ProposalTracker::HasQueued() const {
  std::lock_guard lock(mutex_);
  return !queue_.empty();
}

uint64_t ProposalTracker::TakeSequence() {
  std::lock_guard lock(mutex_);
  return next_sequence_++;
}

ProposalTracker::Offer ProposalTracker::TakeQueued(size_t bytes_max,
                                                   std::vector<Proposal>* proposals) {
  std::lock_guard lock(mutex_);
  Offer offer{.first_sequence = next_sequence_};
  size_t bytes = 0;
  while (!queue_.empty()) {
    Waiter& waiter = queue_.front();
    bytes += CountedBytes(waiter);
    if (offer.count > 0 && bytes > bytes_max) break;
    const uint64_t sequence = next_sequence_++;
    proposals->push_back({{options_.self, sequence}, waiter.command});
    attempts_.emplace(sequence, Attempt{std::move(waiter), Term(), Instant()});
    queue_.pop_front();
    ++offer.count;
  }
  return offer;
}

void ProposalTracker::OnTaken(Offer offer, Term term, Instant now) {
  std::lock_guard lock(mutex_);
  CHECK_GE(term, applied_term_) << "the core is of an earlier term than its log";
  for (uint64_t i = 0; i < offer.count; ++i) {
    const auto attempt = attempts_.find(offer.first_sequence + i);
    if (attempt == attempts_.end()) continue;
    attempt->second.term = term;
    attempt->second.sent = now;
  }
}

std::vector<Proposal> ProposalTracker::TakeUnanswered(Instant now, Term term, size_t bytes_max) {
  std::vector<Proposal> proposals;
  size_t bytes = 0;
  std::lock_guard lock(mutex_);
  for (auto& [sequence, attempt] : attempts_) {
    if (attempt.term != term || now - attempt.sent < kForwardAgainDelay) continue;
    bytes += CountedBytes(attempt.waiter);
    if (!proposals.empty() && bytes > bytes_max) break;
    attempt.sent = now;
    proposals.push_back({{options_.self, sequence}, attempt.waiter.command});
  }
  return proposals;
}

std::vector<CompletedProposal> ProposalTracker::OnRefused(Offer offer, Refusal refusal) {
  std::vector<uint64_t> sequences;
  for (uint64_t i = 0; i < offer.count; ++i) sequences.push_back(offer.first_sequence + i);
  std::vector<CompletedProposal> given_back;
  std::lock_guard lock(mutex_);
  if (refusal != Refusal::kOverloaded) {
    QueueAgain(sequences);
    return given_back;
  }
  for (const uint64_t sequence : sequences) {
    const auto attempt = attempts_.find(sequence);
    if (attempt == attempts_.end()) continue;
    given_back.push_back(
        Complete(std::move(attempt->second.waiter), NotApplied{NotApplied::Reason::kOverloaded}));
    attempts_.erase(attempt);
  }
  return given_back;
}

bool ProposalTracker::OnRefusedLater(std::span<const RequestId> requests, Term term) {
  std::vector<uint64_t> sequences;
  for (const RequestId& request : requests) {
    if (request.origin == options_.self) sequences.push_back(request.sequence);
  }
  std::lock_guard lock(mutex_);
  const bool in_term = std::any_of(sequences.begin(), sequences.end(), [&](uint64_t sequence) {
    const auto attempt = attempts_.find(sequence);
    return attempt != attempts_.end() && attempt->second.term == term;
  });
  QueueAgain(sequences);
  return in_term;
}

void ProposalTracker::MarkWanted(std::span<ApplyItem> items) const {
  std::lock_guard lock(mutex_);
  for (ApplyItem& item : items) {
    const RequestId& request = item.entry.request;
    item.wants_result = request.origin == options_.self && attempts_.contains(request.sequence);
  }
}

ProposalTracker::AppliedOutcome ProposalTracker::OnApplied(std::span<ApplyItem> items) {
  AppliedOutcome outcome;
  if (items.empty()) return outcome;
  std::lock_guard lock(mutex_);
  for (ApplyItem& item : items) {
    if (!item.wants_result) continue;
    const auto attempt = attempts_.find(item.entry.request.sequence);
    if (attempt == attempts_.end()) continue;  // its deadline has passed meanwhile
    outcome.completed.push_back(
        Complete(std::move(attempt->second.waiter),
                 Applied{{item.entry.index, item.entry.term}, std::move(item.result)}));
    attempts_.erase(attempt);
  }
  const bool requeued = QueueDeadAgain(items.back().entry.term);
  outcome.take_queued = requeued || (attempts_.empty() && !queue_.empty());
  return outcome;
}

ProposalTracker::AppliedOutcome ProposalTracker::OnInstalled(Term term) {
  AppliedOutcome outcome;
  std::lock_guard lock(mutex_);
  for (auto attempt = attempts_.begin(); attempt != attempts_.end();) {
    if (attempt->second.term == Term() || attempt->second.term > term) {
      ++attempt;
      continue;
    }
    outcome.completed.push_back(Complete(std::move(attempt->second.waiter),
                                         OutcomeUnknown{OutcomeUnknown::Reason::kOvertaken}));
    attempt = attempts_.erase(attempt);
  }
  applied_term_ = std::max(applied_term_, term);
  outcome.take_queued = attempts_.empty() && !queue_.empty();
  return outcome;
}

bool ProposalTracker::QueueDeadAgain(Term term) {
  if (term == applied_term_) return false;
  CHECK_GT(term, applied_term_) << "the terms of the log fall";
  applied_term_ = term;
  std::vector<uint64_t> dead;
  for (const auto& [sequence, attempt] : attempts_) {
    if (attempt.term != Term() && attempt.term < term) dead.push_back(sequence);
  }
  QueueAgain(dead);
  return !dead.empty();
}

Instant ProposalTracker::NextDeadline() const {
  std::lock_guard lock(mutex_);
  return deadlines_.next_look();
}

std::vector<CompletedProposal> ProposalTracker::Expire(Instant now) {
  std::vector<CompletedProposal> expired;
  std::lock_guard lock(mutex_);
  if (now < deadlines_.next_look()) return expired;
  deadlines_.BeginLook(now);
  std::deque<Waiter> still_queued;
  for (Waiter& waiter : queue_) {
    if (waiter.deadline <= now) {
      expired.push_back(Complete(std::move(waiter), NotApplied{NotApplied::Reason::kNoLeader}));
    } else {
      deadlines_.Include(waiter.deadline);
      still_queued.push_back(std::move(waiter));
    }
  }
  queue_.swap(still_queued);
  for (auto it = attempts_.begin(); it != attempts_.end();) {
    if (it->second.waiter.deadline <= now) {
      expired.push_back(Complete(std::move(it->second.waiter),
                                 OutcomeUnknown{OutcomeUnknown::Reason::kDeadline}));
      it = attempts_.erase(it);
    } else {
      deadlines_.Include(it->second.waiter.deadline);
      ++it;
    }
  }
  return expired;
}

std::vector<CompletedProposal> ProposalTracker::Stop() {
  std::vector<CompletedProposal> given_up;
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (Waiter& waiter : queue_) {
    given_up.push_back(Complete(std::move(waiter), NotApplied{NotApplied::Reason::kStopped}));
  }
  queue_.clear();
  for (auto& [sequence, attempt] : attempts_) {
    given_up.push_back(
        Complete(std::move(attempt.waiter), OutcomeUnknown{OutcomeUnknown::Reason::kStopped}));
  }
  attempts_.clear();
  return given_up;
}

CompletedProposal ProposalTracker::Complete(Waiter waiter, ProposeOutcome outcome) {
  waiting_bytes_ -= CountedBytes(waiter);
  instruments_->waiting.fetch_sub(1, std::memory_order_relaxed);
  Count(outcome);
  return CompletedProposal{std::move(waiter.done), std::move(outcome)};
}

void ProposalTracker::Count(const ProposeOutcome& outcome) const {
  if (std::holds_alternative<Applied>(outcome)) {
    instruments_->applied.Add();
  } else if (const auto* not_applied = std::get_if<NotApplied>(&outcome)) {
    switch (not_applied->reason) {
      case NotApplied::Reason::kNoLeader:
        return instruments_->no_leader.Add();
      case NotApplied::Reason::kOverloaded:
        return instruments_->overloaded.Add();
      case NotApplied::Reason::kStopped:
        return instruments_->stopped.Add();
    }
  } else {
    instruments_->unknown.Add();
  }
}

void ProposalTracker::QueueAgain(std::span<const uint64_t> sequences) {
  for (auto sequence = sequences.rbegin(); sequence != sequences.rend(); ++sequence) {
    const auto attempt = attempts_.find(*sequence);
    if (attempt == attempts_.end()) continue;
    queue_.push_front(std::move(attempt->second.waiter));
    attempts_.erase(attempt);
  }
}

}  // namespace pontoon::raft
