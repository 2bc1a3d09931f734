#include "kv/lease/renewal_stream.h"

#include <algorithm>
#include <utility>

#include "kv/errors.h"
#include "kv/outcome.h"

namespace pontoon::kv {

RenewalStream* RenewalStream::Start(const Parts& parts, const grpc::CallbackServerContext* call) {
  std::shared_ptr<RenewalStream> stream(new RenewalStream(parts, call));
  stream->self_ = stream;
  const absl::Status served = parts.member->CheckServing(*call);
  if (served.ok() && Member::NeedsLeader(*call)) {
    stream->in_leader_monitor_ =
        parts.leader_monitor->Add([stream] { stream->Fail(kErrNoLeader); });
  }
  absl::MutexLock lock(&stream->mutex_);
  stream->status_.Update(served);
  stream->Advance();
  return stream.get();
}

void RenewalStream::OnReadDone(bool ok) {
  if (ok) Renew();
  absl::MutexLock lock(&mutex_);
  reading_ = false;
  if (!ok) all_read_ = true;
  Advance();
}

void RenewalStream::Renew() {
  if (absl::Status s = parts_.member->CheckServing(*call_); !s.ok()) {
    absl::MutexLock lock(&mutex_);
    status_.Update(s);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    if (!status_.ok()) return;
    ++asked_;
  }
  // As in etcd, the header is that of the moment before the renewal.
  Response response;
  response.set_id(request_.id());
  parts_.member->FillHeader(parts_.member->replica()->CurrentLeadership().term,
                            response.mutable_header());
  response.mutable_header()->set_revision(parts_.store->View()->revision().value());
  parts_.keeper->Ask(
      LeaseQuestion::Kind::kRenew, LeaseId(request_.id()), parts_.member->DeadlineOf(*call_),
      [stream = self_, response = std::move(response)](absl::StatusOr<int64_t> seconds) mutable {
        stream->OnAnswer(std::move(response), seconds);
      });
}

void RenewalStream::OnAnswer(Response response, const absl::StatusOr<int64_t>& seconds) {
  absl::MutexLock lock(&mutex_);
  --asked_;
  if (seconds.ok()) {
    // To a client 0 says that there is no such lease.
    response.set_ttl(std::max<int64_t>(*seconds, 0));
    to_write_.push_back(std::move(response));
  } else {
    status_.Update(seconds.status());
  }
  Advance();
}

void RenewalStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) status_.Update(kErrCanceled);
  Advance();
}

void RenewalStream::OnCancel() { Fail(kErrCanceled); }

void RenewalStream::Fail(const absl::Status& error) {
  absl::MutexLock lock(&mutex_);
  status_.Update(error);
  Advance();
}

void RenewalStream::Advance() {
  if (finished_) return;
  const bool goes_on = status_.ok();
  if (goes_on && !writing_ && !to_write_.empty()) {
    response_ = std::move(to_write_.front());
    to_write_.pop_front();
    writing_ = true;
    StartWrite(&response_);
  }
  if (goes_on && !reading_ && !all_read_ && asked_ + to_write_.size() < kRenewalsMax) {
    reading_ = true;
    StartRead(&request_);
  }
  const bool all_answered = all_read_ && asked_ == 0 && to_write_.empty();
  if (!writing_ && (!goes_on || all_answered)) {
    finished_ = true;
    to_write_.clear();
    Finish(ToGrpc(status_));
  }
}

void RenewalStream::OnDone() {
  const std::shared_ptr<RenewalStream> last = std::move(self_);
  parts_.leader_monitor->Remove(in_leader_monitor_);
}

}  // namespace pontoon::kv
