#include "kv/service/survey_service.h"

#include <memory>
#include <utility>

#include "kv/maintenance/digest_comparison.h"

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

void SurveyService::Begin(Parts parts, std::unique_ptr<Executor> executor) {
  std::lock_guard lock(mutex_);
  parts_ = std::make_shared<const Parts>(std::move(parts));
  executor_ = std::move(executor);
}

void SurveyService::End() {
  std::unique_ptr<Executor> executor;
  {
    std::lock_guard lock(mutex_);
    parts_.reset();
    executor = std::move(executor_);
  }
}

grpc::ServerUnaryReactor* SurveyService::Answer(grpc::CallbackServerContext* call,
                                                absl::AnyInvocable<void(const Parts&) &&> answer) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  auto pending = std::make_unique<PendingCall>(reactor);
  std::lock_guard lock(mutex_);
  if (executor_ == nullptr) return reactor;
  executor_->Post(
      [parts = parts_, answer = std::move(answer), pending = std::move(pending)]() mutable {
        std::move(answer)(*parts);
        pending->SetAnswered();
      });
  return reactor;
}

grpc::ServerUnaryReactor* SurveyService::Status(grpc::CallbackServerContext* call,
                                                const etcdserverpb::StatusRequest* /*request*/,
                                                etcdserverpb::StatusResponse* response) {
  return Answer(call, [response](const Parts& parts) { parts.reporter->Fill(response); });
}

grpc::ServerUnaryReactor* SurveyService::Digests(grpc::CallbackServerContext* call,
                                                 const pontoon::peer::v1::DigestsRequest* request,
                                                 pontoon::peer::v1::DigestsResponse* response) {
  return Answer(call, [request, response](const Parts& parts) {
    if (request->is_suspicion()) parts.on_suspicion();
    response->set_member_id(parts.self.value());
    for (const auto& [index, digest] : ReportOf(*parts.store)) {
      pontoon::peer::v1::IndexedDigest& indexed = *response->add_digests();
      indexed.set_index(index.value());
      indexed.set_value(digest.value());
    }
  });
}

}  // namespace pontoon::kv
