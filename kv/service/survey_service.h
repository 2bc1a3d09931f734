// SurveyService: a member's status, for the other members.

#ifndef PONTOON_KV_SERVICE_SURVEY_SERVICE_H_
#define PONTOON_KV_SERVICE_SURVEY_SERVICE_H_

#include <memory>
#include <mutex>

#include "kv/service/status_reporter.h"
#include "proto/survey.grpc.pb.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Served on the peer port, beside the messages of Raft; it is asked only while somebody looks at a
// page, and then once a second.
//
// Thread safety: as gRPC needs it; Begin and End by one thread.
class SurveyService final : public pontoon::peer::v1::Survey::CallbackService {
 public:
  SurveyService() = default;
  ~SurveyService() override { End(); }

  // Answers from then on, with what `reporter`, which is borrowed, says on `executor`. Before this,
  // and after the end, callers are told that the member starts or stops.
  void Begin(const StatusReporter* reporter, std::unique_ptr<Executor> executor);
  // Returns when the reporter is not used any more.
  void End();

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* call,
                                   const etcdserverpb::StatusRequest* request,
                                   etcdserverpb::StatusResponse* response) override;

 private:
  std::mutex mutex_;
  const StatusReporter* reporter_ = nullptr;  // guarded by mutex_
  std::unique_ptr<Executor> executor_;        // guarded by mutex_
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_SURVEY_SERVICE_H_
