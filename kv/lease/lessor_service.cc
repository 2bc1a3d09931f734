#include "kv/lease/lessor_service.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "kv/outcome.h"

namespace pontoon::kv {

using pontoon::peer::v1::LeaseIds;
using pontoon::peer::v1::LeaseSeconds;

namespace {

// A call that ends, whatever becomes of the callback that has it: a lessor that is closed drops the
// questions that wait.
class PendingCall {
 public:
  explicit PendingCall(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  ~PendingCall() { reactor_->Finish(ToGrpc(status_)); }

  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  void SetStatus(absl::Status status) { status_ = std::move(status); }

 private:
  grpc::ServerUnaryReactor* const reactor_;
  absl::Status status_ = absl::UnavailableError("this member is about to start or to stop");
};

}  // namespace

void LessorService::Begin(Lessor* lessor) {
  std::lock_guard lock(mutex_);
  lessor_ = lessor;
}

void LessorService::End() {
  std::lock_guard lock(mutex_);
  lessor_ = nullptr;
}

grpc::ServerUnaryReactor* LessorService::Ask(grpc::CallbackServerContext* call,
                                             LeaseQuestion::Kind kind, const LeaseIds& request,
                                             LeaseSeconds* response) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  auto pending = std::make_unique<PendingCall>(reactor);
  LeaseQuestion question{.kind = kind, .leases = {}};
  question.leases.reserve(request.ids_size());
  for (const int64_t id : request.ids()) question.leases.push_back(LeaseId(id));
  std::lock_guard lock(mutex_);
  if (lessor_ == nullptr) return reactor;
  lessor_->Ask(std::move(question), [response, pending = std::move(pending)](LeaseAnswer answer) {
    if (answer.ok()) response->mutable_seconds()->Assign(answer->begin(), answer->end());
    pending->SetStatus(answer.status());
  });
  return reactor;
}

grpc::ServerUnaryReactor* LessorService::Renew(grpc::CallbackServerContext* call,
                                               const LeaseIds* request, LeaseSeconds* response) {
  return Ask(call, LeaseQuestion::Kind::kRenew, *request, response);
}

grpc::ServerUnaryReactor* LessorService::TimeLeft(grpc::CallbackServerContext* call,
                                                  const LeaseIds* request, LeaseSeconds* response) {
  return Ask(call, LeaseQuestion::Kind::kTimeLeft, *request, response);
}

}  // namespace pontoon::kv
