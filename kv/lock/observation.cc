#include "kv/lock/observation.h"

#include "absl/status/statusor.h"
#include "kv/errors.h"
#include "kv/lock/queue.h"
#include "kv/outcome.h"

namespace pontoon::kv {

Observation* Observation::Start(const Parts& parts, const grpc::CallbackServerContext* call,
                                std::string name) {
  std::shared_ptr<Observation> created(new Observation(parts, std::move(name)));
  created->self_ = created;
  if (absl::Status s = parts.member->CheckServing(*call); !s.ok()) {
    created->Fail(s);
    return created.get();
  }
  if (Member::NeedsLeader(*call)) {
    created->in_leader_monitor_ =
        parts.leader_monitor->Add([created] { created->Fail(kErrNoLeader); });
  }
  // So that the first answer is not one of long ago.
  parts.member->replica()->ReadBarrier(
      raft::ReadMode::kQuorum, parts.member->DeadlineOf(*call),
      [created](absl::Status passed) { created->OnConfirmed(passed); });
  return created.get();
}

void Observation::OnConfirmed(const absl::Status& passed) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  if (passed.ok()) {
    parts_.changes->LookSoon(self_);
  } else {
    End(ErrorOfRead(passed, parts_.member->replica()->CurrentLeadership().leader));
  }
}

std::optional<std::string> Observation::Look(const ReadView& view) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return std::nullopt;
  absl::StatusOr<std::optional<mvccpb::KeyValue>> first = FindFirst(view, name_);
  if (!first.ok()) {
    End(first.status());
    return std::nullopt;
  }
  // The key of another leader has been changed at another revision.
  if (first->has_value() && Revision((*first)->mod_revision()) != told_) {
    told_ = Revision((*first)->mod_revision());
    next_.emplace();
    parts_.member->FillHeader(parts_.member->replica()->CurrentLeadership().term,
                              next_->mutable_header());
    next_->mutable_header()->set_revision(view.revision().value());
    *next_->mutable_kv() = **std::move(first);
    Advance();
  }
  return QueuePrefix(name_);
}

void Observation::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  is_writing_ = false;
  if (!ok) return End(kErrCanceled);
  Advance();
}

void Observation::OnCancel() { Fail(kErrCanceled); }

void Observation::Fail(const absl::Status& error) {
  absl::MutexLock lock(&mutex_);
  End(error);
}

void Observation::End(const absl::Status& status) {
  if (!end_.has_value()) {
    end_ = status;
    parts_.changes->LookSoon(self_);  // which forgets it
  }
  Advance();
}

// gRPC calls nothing back from inside of it, and nothing may be started after the end, so the lock
// is kept.
void Observation::Advance() {
  if (finished_ || is_writing_) return;
  if (end_.has_value()) {
    finished_ = true;
    Finish(ToGrpc(*end_));
  } else if (next_.has_value()) {
    writing_.Swap(&*next_);
    next_.reset();
    is_writing_ = true;
    StartWrite(&writing_);
  }
}

void Observation::OnDone() {
  const std::shared_ptr<Observation> last = std::move(self_);
  parts_.leader_monitor->Remove(in_leader_monitor_);
}

}  // namespace pontoon::kv
