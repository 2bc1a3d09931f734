#include "kv/lock/queue_call.h"

#include <utility>

#include "kv/errors.h"
#include "kv/outcome.h"
#include "kv/service/command_result.h"
#include "kv/service/write_options.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::TxnResponse;

// As in etcd, of a lease that is granted for the call.
constexpr int64_t kSessionTtlSeconds = 60;

}  // namespace

QueueCall* QueueCall::Start(const QueueParts& parts, const grpc::CallbackServerContext* call,
                            Wish wish, Fill fill) {
  std::shared_ptr<QueueCall> created(new QueueCall(parts, call, std::move(wish), std::move(fill)));
  created->self_ = created;
  absl::Status ready = parts.member->CheckServing(*call);
  if (ready.ok()) ready = CheckNoWriteMetadata(call->client_metadata());
  if (!ready.ok()) {
    absl::MutexLock lock(&created->mutex_);
    created->End(ready);
  } else if (created->wish_.lease == kNoLease) {
    created->GrantLease();
  } else {
    created->Enter();
  }
  return created.get();
}

void QueueCall::GrantLease() {
  LeaseGrantRequest request;
  request.set_ttl(kSessionTtlSeconds);
  parts_.granter->Grant(request, parts_.member->DeadlineOf(*call_),
                        [call = self_](absl::StatusOr<LeaseGrantResponse> granted) {
                          if (granted.ok()) {
                            call->wish_.lease = LeaseId(granted->id());
                            return call->Enter();
                          }
                          absl::MutexLock lock(&call->mutex_);
                          call->End(granted.status());
                        });
}

void QueueCall::Enter() {
  ProposeRequest<TxnResponse>(
      *parts_.member, EnterQueue(wish_.name, wish_.lease, wish_.value), parts_.request_bytes_max,
      parts_.member->DeadlineOf(*call_),
      [call = self_](absl::StatusOr<TxnResponse> entered) { call->OnEntered(std::move(entered)); });
}

void QueueCall::OnEntered(absl::StatusOr<TxnResponse> response) {
  absl::MutexLock lock(&mutex_);
  if (!response.ok()) return End(response.status());
  entered_ = ReadEntered(QueueKey(wish_.name, wish_.lease), *response);
  if (cancelled_) {
    Leave();
    return End(kErrCanceled);
  }
  if (entered_.is_first) {
    fill_({std::move(*response->mutable_header()), entered_.place, wish_.lease});
    return End(absl::OkStatus());
  }
  stage_ = Stage::kWaiting;
  parts_.changes->LookSoon(self_);
}

std::optional<std::string> QueueCall::Look(const ReadView& view) {
  {
    absl::MutexLock lock(&mutex_);
    if (stage_ == Stage::kConfirmed) End(Conclude(view));
    if (stage_ != Stage::kWaiting) return std::nullopt;
    absl::StatusOr<std::optional<std::string>> before =
        FindBefore(view, wish_.name, entered_.place);
    if (!before.ok()) {
      Leave();
      End(before.status());
      return std::nullopt;
    }
    if (before->has_value()) return *std::move(before);
    stage_ = Stage::kConfirming;
  }
  Confirm();
  return std::nullopt;
}

// What this member has applied may be old: the place may be gone with its lease. The call is not
// over before OnConfirmed, unless it is cancelled.
void QueueCall::Confirm() {
  parts_.member->replica()->ReadBarrier(
      raft::ReadMode::kQuorum, parts_.member->DeadlineFromNow(),
      [call = self_](absl::Status passed) { call->OnConfirmed(passed); });
}

void QueueCall::OnConfirmed(const absl::Status& passed) {
  absl::MutexLock lock(&mutex_);
  if (stage_ != Stage::kConfirming) return;
  if (passed.ok()) {
    stage_ = Stage::kConfirmed;
    parts_.changes->LookSoon(self_);
  } else {
    Leave();
    End(ErrorOfRead(passed, parts_.member->replica()->CurrentLeadership().leader));
  }
}

absl::Status QueueCall::Conclude(const ReadView& view) {
  const absl::StatusOr<bool> there = IsThere(view, entered_.place);
  if (!there.ok()) return there.status();
  if (!*there) return wish_.place_lost;
  Turn turn{.header = {}, .place = entered_.place, .lease = wish_.lease};
  parts_.member->FillHeader(parts_.member->replica()->CurrentLeadership().term, &turn.header);
  turn.header.set_revision(view.revision().value());
  fill_(turn);
  return absl::OkStatus();
}

void QueueCall::OnCancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  // One that enters learns its place first.
  if (stage_ == Stage::kEntering || stage_ == Stage::kOver) return;
  if (stage_ == Stage::kWaiting) parts_.changes->LookSoon(self_);  // which forgets it
  Leave();
  End(kErrCanceled);
}

void QueueCall::Leave() {
  if (!entered_.is_new) return;
  ProposeRequest<TxnResponse>(*parts_.member, LeaveQueue(entered_.place), parts_.request_bytes_max,
                              parts_.member->DeadlineFromNow(),
                              [](const absl::StatusOr<TxnResponse>&) {});
}

void QueueCall::End(const absl::Status& status) {
  if (stage_ == Stage::kOver) return;
  stage_ = Stage::kOver;
  Finish(ToGrpc(status));
}

void QueueCall::OnDone() { const std::shared_ptr<QueueCall> last = std::move(self_); }

}  // namespace pontoon::kv
