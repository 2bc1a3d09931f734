#include "kv/lease/lessor.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "kv/errors.h"
#include "kv/service/command.h"
#include "kv/store/kv_result.h"
#include "kv/store/lease_records.h"
#include "raft/base/check.h"
#include "raft/env/doorbell.h"
#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

using storage::v1::LeaseCheckpoints;
using storage::v1::LeaseRevocation;

// For a command to be applied, or to be known to have had no effect.
constexpr absl::Duration kProposalTimeout = absl::Seconds(5);
// Before a revocation that was refused is tried again: the member has too much in hand, or an alarm
// is raised.
constexpr absl::Duration kRevokeAgainDelay = absl::Seconds(1);
// Commands of the lessor's own are bounded by their contents.
constexpr size_t kCommandBytesMax = 16 << 20;

template <typename Message>
Payload Encode(const Message& message) {
  absl::StatusOr<Payload> command = EncodeCommand(message, kCommandBytesMax);
  CHECK(command.ok()) << command.status().ToString();
  return *std::move(command);
}

// The status that the command was executed with; null if it was not, or nobody knows.
const absl::Status* AppliedStatus(const raft::ProposeOutcome& outcome) {
  const auto* applied = std::get_if<raft::Applied>(&outcome);
  if (applied == nullptr) return nullptr;
  CHECK(applied->result != nullptr) << "at index " << applied->position.index;
  return &static_cast<const KvResult&>(*applied->result).status;
}

int64_t SecondsRoundedUp(absl::Duration duration) {
  return absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
}

}  // namespace

class Lessor::Mailbox {
 public:
  Mailbox(Executor* executor, Lessor* lessor) : bell_(executor, [lessor] { lessor->Run(); }) {}

  template <typename Change>
  void Tell(Change change) {
    {
      std::lock_guard lock(mutex_);
      change(&mail_);
    }
    bell_.Ring();
  }
  Mail Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(mail_, Mail());
  }

  // Makes room for a question of `count` leases; false if there is none.
  bool Admit(size_t count) {
    if (asked_.fetch_add(count) + count <= kAskedMax) return true;
    asked_ -= count;
    return false;
  }
  void Release(size_t count) { asked_ -= count; }

  void RingAt(Instant when) { bell_.RingAt(when); }
  void Ring() { bell_.Ring(); }
  void Close() { bell_.Close(); }

 private:
  std::mutex mutex_;
  Mail mail_;  // guarded by mutex_
  std::atomic<size_t> asked_ = 0;
  Doorbell bell_;
};

Lessor::Lessor(const Parts& parts, const Options& options)
    : parts_(parts),
      options_(options),
      self_(parts.replica->Status().self),
      mailbox_(std::make_shared<Mailbox>(parts.executor, this)) {
  parts_.store->Subscribe(this);
  mailbox_->Ring();
}

Lessor::~Lessor() = default;

void Lessor::Close() {
  parts_.store->Unsubscribe(this);
  mailbox_->Close();
}

// ---- from any thread

void Lessor::Ask(LeaseQuestion question, LeaseAnswerCallback done) {
  const size_t count = question.leases.size();
  if (!mailbox_->Admit(count)) {
    parts_.executor->Post(
        [done = std::move(done)]() mutable { std::move(done)(kErrRequestTooManyRequests); });
    return;
  }
  auto asked = std::make_unique<Asked>();
  asked->question = std::move(question);
  asked->done = std::move(done);
  asked->answer.resize(count);
  mailbox_->Tell([&](Mail* mail) { mail->asked.push_back(std::move(asked)); });
}

void Lessor::OnStep(const StoreStep& step) {
  if (!follows_changes_) return;
  if (step.kind == StoreStep::Kind::kInstalled) {
    mailbox_->Tell([](Mail* mail) { mail->state_installed = true; });
  } else if (!step.leases.empty()) {
    mailbox_->Tell([&](Mail* mail) {
      mail->changes.insert(mail->changes.end(), step.leases.begin(), step.leases.end());
    });
  }
}

// ---- on the executor

void Lessor::Run() {
  Mail mail = mailbox_->Take();
  // Both are looked at after the mail was taken: the leadership that is seen now, and the time, are
  // those of a moment after each confirmation.
  const Instant now = parts_.clock->Now();
  if (mail.state_installed) Rest();
  LookWhoLeads();
  std::move(mail.asked.begin(), mail.asked.end(), std::back_inserter(waiting_));
  // Before the changes: those of the command came before its end, and may not be the last ones.
  if (mail.checkpointed == term_) checkpointing_ = false;
  // Before the confirmation: an answer shows what was applied before that.
  for (const LeaseChange& change : mail.changes) OnChange(change, now);
  for (const Revocation& revocation : mail.revocations) OnRevocation(revocation, now);
  for (Clearing& clearing : mail.clearings) OnClearing(std::move(clearing));
  if (mail.confirmation) OnConfirmation(*mail.confirmation, now);
  if (stage_ == Stage::kResting) Fail(std::exchange(waiting_, {}), kErrNotLeader);
  if (stage_ == Stage::kKeepingTime) {
    Expire(now);
    ProposeCheckpoints(now);
  }
  Confirm();
  leases_count_ = static_cast<int64_t>(leases_.size());
  mailbox_->RingAt(now + options_.look_interval);
}

void Lessor::LookWhoLeads() {
  const raft::Leadership leadership = parts_.replica->CurrentLeadership();
  const bool leads = leadership.leader == self_;
  if (stage_ != Stage::kResting && (!leads || leadership.term != term_)) Rest();
  if (stage_ != Stage::kResting || !leads) return;
  stage_ = Stage::kConfirming;
  term_ = leadership.term;
  // From before the view is taken that time is kept of.
  follows_changes_ = true;
}

void Lessor::Rest() {
  follows_changes_ = false;
  stage_ = Stage::kResting;
  leases_.Clear();
  confirming_ = false;
  confirm_again_ = Instant::InfinitePast();
  revocations_ = 0;
  unknown_.clear();
  to_checkpoint_.clear();
  checkpointing_ = false;
  for (AskedOnes* asked : {&waiting_, &being_confirmed_, &held_}) {
    Fail(std::exchange(*asked, {}), kErrNotLeader);
  }
}

// The view shows what was committed before this term, since a confirmation does. So whatever it
// does not show is of this term, and was wanted by this lessor or by a client.
absl::Status Lessor::BeginToKeepTime() {
  const std::shared_ptr<const ReadView> view = parts_.store->View();
  const Instant now = parts_.clock->Now();
  const absl::Status read = ForEachLease(view->records(), [&](LeaseId id, const LeaseState& state) {
    const bool has_checkpoint = state.remaining_ttl_seconds != 0;
    TimedLease* const lease = leases_.Insert(id, now);
    lease->granted_ttl_seconds = state.granted_ttl_seconds;
    lease->has_checkpoint = has_checkpoint;
    lease->expiry = now + options_.election_timeout +
                    (has_checkpoint ? absl::Seconds(state.remaining_ttl_seconds) : TtlOf(*lease));
    leases_.SetDue(lease, DueOf(*lease, now));
  });
  if (!read.ok()) return read;
  stage_ = Stage::kKeepingTime;
  LogInfo("keeping the time of leases", {{"leases", leases_.size()}, {"term", term_}});
  return absl::OkStatus();
}

void Lessor::OnChange(const LeaseChange& change, Instant now) {
  if (stage_ != Stage::kKeepingTime) return;  // the view that will be taken shows it
  TimedLease* lease = leases_.Find(change.lease);
  switch (change.kind) {
    case LeaseChange::Kind::kGranted:
      if (lease == nullptr) lease = leases_.Insert(change.lease, now);
      lease->granted_ttl_seconds = change.state.granted_ttl_seconds;
      lease->expiry = std::max(lease->expiry, now + TtlOf(*lease));
      leases_.SetDue(lease, DueOf(*lease, now));
      break;
    case LeaseChange::Kind::kCheckpointed:
      // While checkpoints are under way, the next one of this lease may be among them.
      if (lease != nullptr) {
        lease->has_checkpoint = change.state.remaining_ttl_seconds != 0 || checkpointing_;
      }
      break;
    case LeaseChange::Kind::kRevoked:
      if (lease == nullptr) break;
      if (lease->is_revoking) ReleaseHeld();
      leases_.Erase(lease);
      break;
  }
}

// ---- answers

void Lessor::Confirm() {
  const Instant now = parts_.clock->Now();
  if (stage_ == Stage::kResting || confirming_ || now < confirm_again_) return;
  if (stage_ == Stage::kKeepingTime && waiting_.empty()) return;
  confirming_ = true;
  confirmation_asked_ = now;
  being_confirmed_ = std::exchange(waiting_, {});
  parts_.replica->ReadBarrier(raft::ReadMode::kLease, now + options_.election_timeout,
                              [mailbox = mailbox_, number = ++confirmation_](absl::Status status) {
                                mailbox->Tell([&](Mail* mail) {
                                  if (mail->confirmation && mail->confirmation->number > number)
                                    return;
                                  mail->confirmation = Confirmation{number, status};
                                });
                              });
}

void Lessor::OnConfirmation(const Confirmation& confirmation, Instant now) {
  if (!confirming_ || confirmation.number != confirmation_) return;  // of another term
  confirming_ = false;
  AskedOnes asked = std::exchange(being_confirmed_, {});
  if (!confirmation.status.ok()) {
    confirm_again_ = now + options_.look_interval;
    const bool overloaded = absl::IsResourceExhausted(confirmation.status);
    return Fail(std::move(asked), overloaded ? absl::Status(kErrRequestTooManyRequests)
                                             : absl::Status(kErrNotLeader));
  }
  if (stage_ == Stage::kConfirming) {
    if (absl::Status s = BeginToKeepTime(); !s.ok()) {
      LogError("cannot read the leases, so that none ends", {{"reason", s.ToString()}});
      leases_.Clear();
      confirm_again_ = parts_.clock->Now() + options_.look_interval;
      return Fail(std::move(asked), s);
    }
    now = parts_.clock->Now();
  }
  if (now - confirmation_asked_ <= options_.election_timeout) {
    AnswerAll(std::move(asked), now);
  } else {
    std::move(asked.begin(), asked.end(), std::back_inserter(waiting_));
  }
}

void Lessor::AnswerAll(AskedOnes asked, Instant now) {
  LeaseCheckpoints to_clear;
  AskedOnes clearing;
  for (std::unique_ptr<Asked>& one : asked) {
    const int before = to_clear.checkpoints_size();
    const bool is_complete = Answer(one.get(), now, &to_clear);
    if (to_clear.checkpoints_size() > before) {
      clearing.push_back(std::move(one));
    } else if (is_complete) {
      Finish(std::move(one));
    } else {
      held_.push_back(std::move(one));
    }
  }
  if (!clearing.empty()) ClearCheckpoints(std::move(to_clear), std::move(clearing), now);
}

bool Lessor::Answer(Asked* asked, Instant now, LeaseCheckpoints* to_clear) {
  const bool renews = asked->question.kind == LeaseQuestion::Kind::kRenew;
  bool is_complete = true;
  for (size_t i = 0; i < asked->question.leases.size(); ++i) {
    TimedLease* const lease = leases_.Find(asked->question.leases[i]);
    if (lease == nullptr) {
      asked->answer[i] = kNoSuchLease;
      continue;
    }
    if (renews && lease->is_revoking) {
      is_complete = false;
      continue;
    }
    if (renews) lease->expiry = std::max(lease->expiry, now + TtlOf(*lease));
    if (renews && lease->has_checkpoint) {
      to_clear->add_checkpoints()->set_id(lease->id.value());
      is_complete = false;
    }
    const absl::Duration left = renews ? TtlOf(*lease) : lease->expiry - now;
    asked->answer[i] = absl::ToInt64Seconds(std::max(left, absl::ZeroDuration()));
  }
  return is_complete;
}

void Lessor::ClearCheckpoints(LeaseCheckpoints checkpoints, AskedOnes asked, Instant now) {
  checkpoints.set_leader_term(term_.value());
  parts_.replica->Propose(
      Encode(checkpoints), now + kProposalTimeout,
      [mailbox = mailbox_, term = term_,
       asked = std::move(asked)](raft::ProposeOutcome outcome) mutable {
        const absl::Status* const applied = AppliedStatus(outcome);
        Clearing clearing{term, applied != nullptr && applied->ok(), std::move(asked)};
        mailbox->Tell([&](Mail* mail) { mail->clearings.push_back(std::move(clearing)); });
      });
}

void Lessor::OnClearing(Clearing clearing) {
  if (!IsKeepingTimeIn(clearing.term) || !clearing.done) {
    return Fail(std::move(clearing.asked), kErrNotLeader);
  }
  std::move(clearing.asked.begin(), clearing.asked.end(), std::back_inserter(waiting_));
}

void Lessor::Finish(std::unique_ptr<Asked> asked) {
  mailbox_->Release(asked->answer.size());
  std::move(asked->done)(std::move(asked->answer));
}

void Lessor::Fail(AskedOnes asked, const absl::Status& error) {
  for (std::unique_ptr<Asked>& one : asked) {
    mailbox_->Release(one->answer.size());
    std::move(one->done)(error);
  }
}

void Lessor::ReleaseHeld() {
  std::move(held_.begin(), held_.end(), std::back_inserter(waiting_));
  held_.clear();
}

// ---- the end of leases

void Lessor::Expire(Instant now) {
  for (; !unknown_.empty() && revocations_ < kRevocationsMax; unknown_.pop_front()) {
    const TimedLease* const lease = leases_.Find(unknown_.front());
    if (lease != nullptr && lease->is_revoking) Revoke(lease->id, now);
  }
  for (TimedLease* lease = leases_.First(); lease != nullptr && lease->due <= now;
       lease = leases_.First()) {
    if (lease->expiry <= now) {
      if (revocations_ == kRevocationsMax) return;  // the next outcome goes on
      lease->is_revoking = true;
      leases_.SetDue(lease, Instant::InfiniteFuture());
      Revoke(lease->id, now);
    } else {
      if (HasCheckpoints(*lease)) to_checkpoint_.push_back(lease->id);
      leases_.SetDue(lease, DueOf(*lease, now));
    }
  }
}

void Lessor::Revoke(LeaseId lease, Instant now) {
  ++revocations_;
  LeaseRevocation revocation;
  revocation.set_id(lease.value());
  revocation.set_leader_term(term_.value());
  parts_.replica->Propose(
      Encode(revocation), now + kProposalTimeout,
      [mailbox = mailbox_, term = term_, lease](raft::ProposeOutcome outcome) {
        Fate fate = Fate::kUnknown;
        if (const absl::Status* const applied = AppliedStatus(outcome); applied != nullptr) {
          fate =
              applied->ok() || Is(*applied, kErrLeaseNotFound) ? Fate::kRevoked : Fate::kNotRevoked;
        } else if (std::holds_alternative<raft::NotApplied>(outcome)) {
          fate = Fate::kNotRevoked;
        }
        mailbox->Tell([&](Mail* mail) {
          mail->revocations.push_back(Revocation{term, lease, fate});
        });
      });
}

// What was revoked is known from the changes.
void Lessor::OnRevocation(const Revocation& revocation, Instant now) {
  if (revocation.fate == Fate::kRevoked) ++expired_count_;
  if (!IsKeepingTimeIn(revocation.term)) return;
  --revocations_;
  TimedLease* const lease = leases_.Find(revocation.lease);
  if (lease == nullptr || !lease->is_revoking) return;
  if (revocation.fate == Fate::kUnknown) {
    unknown_.push_back(revocation.lease);
  } else if (revocation.fate == Fate::kNotRevoked) {
    lease->is_revoking = false;
    leases_.SetDue(lease, now + kRevokeAgainDelay);
    ReleaseHeld();
  }
}

// ---- checkpoints

void Lessor::ProposeCheckpoints(Instant now) {
  if (checkpointing_) return;
  LeaseCheckpoints checkpoints;
  checkpoints.set_leader_term(term_.value());
  for (; !to_checkpoint_.empty() &&
         checkpoints.checkpoints_size() < static_cast<int>(kCheckpointsMax);
       to_checkpoint_.pop_front()) {
    TimedLease* const lease = leases_.Find(to_checkpoint_.front());
    if (lease == nullptr || lease->expiry <= now) continue;
    etcdserverpb::LeaseCheckpoint& checkpoint = *checkpoints.add_checkpoints();
    checkpoint.set_id(lease->id.value());
    checkpoint.set_remaining_ttl(SecondsRoundedUp(lease->expiry - now));
    lease->has_checkpoint = true;  // or will have, before what a renewal proposes
  }
  if (checkpoints.checkpoints().empty()) return;
  checkpointing_ = true;
  parts_.replica->Propose(Encode(checkpoints), now + kProposalTimeout,
                          [mailbox = mailbox_, term = term_](const raft::ProposeOutcome&) {
                            mailbox->Tell([term](Mail* mail) { mail->checkpointed = term; });
                          });
}

// ---- small things

bool Lessor::IsKeepingTimeIn(Term term) const {
  return stage_ == Stage::kKeepingTime && term == term_;
}

absl::Duration Lessor::TtlOf(const TimedLease& lease) const {
  return absl::Seconds(std::max<int64_t>(lease.granted_ttl_seconds, 1));
}

bool Lessor::HasCheckpoints(const TimedLease& lease) const {
  return TtlOf(lease) > options_.checkpoint_interval;
}

Instant Lessor::DueOf(const TimedLease& lease, Instant now) const {
  if (!HasCheckpoints(lease)) return lease.expiry;
  return std::min(lease.expiry, now + options_.checkpoint_interval);
}

}  // namespace pontoon::kv
