#include "kv/lease/lease_keeper.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

#include "kv/errors.h"
#include "raft/base/check.h"
#include "raft/env/doorbell.h"

namespace pontoon::kv {
namespace {

using Kind = LeaseQuestion::Kind;

// Whether the same question may be answered later, perhaps by another member. (A member of an older
// version does not know it.)
bool MayBeAskedAgain(const absl::Status& error) {
  return absl::IsFailedPrecondition(error) || absl::IsUnavailable(error) ||
         absl::IsDeadlineExceeded(error) || absl::IsUnimplemented(error);
}

}  // namespace

// Lives for as long as a callback refers to it, which may be longer than the keeper.
class LeaseKeeper::Mailbox {
 public:
  struct Mail {
    std::array<std::vector<Waiting>, kKinds> asked;
    std::vector<std::pair<Kind, LeaseAnswer>> answers;
  };

  Mailbox(Executor* executor, LeaseKeeper* keeper) : bell_(executor, [keeper] { keeper->Run(); }) {}

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

  bool Admit() {
    if (waiting_.fetch_add(1) < kWaitingMax) return true;
    --waiting_;
    return false;
  }
  void Release() { --waiting_; }

  void Stop() {
    stopped_ = true;
    bell_.Ring();
  }
  bool stopped() const { return stopped_; }

  void RingAt(Instant when) { bell_.RingAt(when); }
  void Close() { bell_.Close(); }

 private:
  std::mutex mutex_;
  Mail mail_;  // guarded by mutex_
  std::atomic<size_t> waiting_ = 0;
  std::atomic<bool> stopped_ = false;
  Doorbell bell_;
};

LeaseKeeper::LeaseKeeper(const Parts& parts, const Options& options)
    : parts_(parts),
      options_(options),
      self_(parts.replica->Status().self),
      mailbox_(std::make_shared<Mailbox>(parts.executor, this)) {}

LeaseKeeper::~LeaseKeeper() = default;

void LeaseKeeper::Ask(Kind kind, LeaseId lease, Instant deadline, Callback done) {
  if (!mailbox_->Admit()) {
    parts_.executor->Post(
        [done = std::move(done)]() mutable { std::move(done)(kErrRequestTooManyRequests); });
    return;
  }
  mailbox_->Tell([&](Mailbox::Mail* mail) {
    mail->asked[static_cast<size_t>(kind)].push_back({lease, deadline, std::move(done)});
  });
}

void LeaseKeeper::Stop() { mailbox_->Stop(); }

void LeaseKeeper::Close() { mailbox_->Close(); }

// ---- on the executor

void LeaseKeeper::Run() {
  Mailbox::Mail mail = mailbox_->Take();
  const Instant now = parts_.clock->Now();
  for (auto& [kind, answer] : mail.answers) OnAnswer(kind, std::move(answer), now);
  bool waits = false;
  for (const Kind kind : {Kind::kRenew, Kind::kTimeLeft}) {
    Lane& lane = LaneOf(kind);
    std::vector<Waiting>& asked = mail.asked[static_cast<size_t>(kind)];
    std::move(asked.begin(), asked.end(), std::back_inserter(lane.waiting));
    if (mailbox_->stopped()) FailAll(&lane, kErrStopped);
    Expire(&lane, now);
    AskNext(kind, now);
    waits |= !lane.waiting.empty();
  }
  if (waits) mailbox_->RingAt(now + options_.retry_interval);
}

void LeaseKeeper::AskNext(Kind kind, Instant now) {
  Lane& lane = LaneOf(kind);
  if (lane.asking || lane.waiting.empty() || now < lane.ask_again) return;
  const NodeId leader = parts_.replica->CurrentLeadership().leader;
  if (leader == kNoNode) return;
  const size_t count = std::min(lane.waiting.size(), kTogetherMax);
  const auto end = lane.waiting.begin() + static_cast<ptrdiff_t>(count);
  lane.under_way.assign(std::move_iterator(lane.waiting.begin()), std::move_iterator(end));
  lane.waiting.erase(lane.waiting.begin(), end);
  lane.asking = true;
  LeaseQuestion question{.kind = kind, .leases = {}};
  for (const Waiting& waiting : lane.under_way) question.leases.push_back(waiting.lease);
  auto done = [mailbox = mailbox_, kind](LeaseAnswer answer) {
    mailbox->Tell(
        [&](Mailbox::Mail* mail) { mail->answers.emplace_back(kind, std::move(answer)); });
  };
  if (leader == self_) {
    parts_.lessor->Ask(std::move(question), std::move(done));
    return;
  }
  const PeerUrls urls = parts_.replica->Status().membership.peer_urls;
  const auto found = urls.find(leader);
  if (found == urls.end() || found->second.empty()) {
    done(absl::UnavailableError("the leader's address is not known yet"));
  } else {
    client_.Ask(found->second[attempts_ % found->second.size()], question, options_.answer_timeout,
                std::move(done));
  }
}

void LeaseKeeper::OnAnswer(Kind kind, LeaseAnswer answer, Instant now) {
  Lane& lane = LaneOf(kind);
  lane.asking = false;
  std::vector<Waiting> asked = std::exchange(lane.under_way, {});
  if (!answer.ok() && MayBeAskedAgain(answer.status())) {
    ++attempts_;
    lane.ask_again = now + options_.retry_interval;
    lane.saw_other_leader = absl::IsFailedPrecondition(answer.status());
    std::move(lane.waiting.begin(), lane.waiting.end(), std::back_inserter(asked));
    lane.waiting = std::move(asked);
    return;
  }
  if (answer.ok() && !asked.empty()) CHECK_EQ(answer->size(), asked.size());
  lane.saw_other_leader = false;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (answer.ok()) {
      Answer(std::move(asked[i]), (*answer)[i]);
    } else {
      Answer(std::move(asked[i]), answer.status());
    }
  }
}

void LeaseKeeper::Expire(Lane* lane, Instant now) {
  const auto expired =
      std::stable_partition(lane->waiting.begin(), lane->waiting.end(),
                            [now](const Waiting& waiting) { return waiting.deadline > now; });
  if (expired == lane->waiting.end()) return;
  absl::Status error = kErrTimeout;
  if (parts_.replica->CurrentLeadership().leader == kNoNode) {
    error = kErrNoLeader;
  } else if (lane->saw_other_leader) {
    error = kErrLeaderChanged;
  }
  for (auto waiting = expired; waiting != lane->waiting.end(); ++waiting) {
    Answer(std::move(*waiting), error);
  }
  lane->waiting.erase(expired, lane->waiting.end());
}

// The answer to what is under way finds nobody then.
void LeaseKeeper::FailAll(Lane* lane, const absl::Status& error) {
  for (std::vector<Waiting>* all : {&lane->under_way, &lane->waiting}) {
    for (Waiting& waiting : std::exchange(*all, {})) Answer(std::move(waiting), error);
  }
}

void LeaseKeeper::Answer(Waiting waiting, absl::StatusOr<int64_t> seconds) {
  mailbox_->Release();
  std::move(waiting.done)(std::move(seconds));
}

}  // namespace pontoon::kv
