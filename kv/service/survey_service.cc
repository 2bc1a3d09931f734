#include "kv/service/survey_service.h"

#include <memory>
#include <utility>

namespace pontoon::kv {
namespace {

// A call that ends, whatever becomes of the task that has it: tasks that wait are dropped at the
// end.
class PendingCall {
 public:
  explicit PendingCall(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  ~PendingCall() {
    reactor_->Finish(answered_ ? grpc::Status::OK
                               : grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                              "this member is about to start or to stop"));
  }

  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  void SetAnswered() { answered_ = true; }

 private:
  grpc::ServerUnaryReactor* const reactor_;
  bool answered_ = false;
};

}  // namespace

void SurveyService::Begin(const StatusReporter* reporter, std::unique_ptr<Executor> executor) {
  std::lock_guard lock(mutex_);
  reporter_ = reporter;
  executor_ = std::move(executor);
}

void SurveyService::End() {
  std::unique_ptr<Executor> executor;
  {
    std::lock_guard lock(mutex_);
    reporter_ = nullptr;
    executor = std::move(executor_);
  }
}

grpc::ServerUnaryReactor* SurveyService::Status(grpc::CallbackServerContext* call,
                                                const etcdserverpb::StatusRequest* /*request*/,
                                                etcdserverpb::StatusResponse* response) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  auto pending = std::make_unique<PendingCall>(reactor);
  std::lock_guard lock(mutex_);
  if (executor_ == nullptr) return reactor;
  executor_->Post([reporter = reporter_, response, pending = std::move(pending)] {
    reporter->Fill(response);
    pending->SetAnswered();
  });
  return reactor;
}

}  // namespace pontoon::kv
