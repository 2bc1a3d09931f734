// SurveyService: a member's status, for the other members.

#ifndef PONTOON_KV_SERVICE_SURVEY_SERVICE_H_
#define PONTOON_KV_SERVICE_SURVEY_SERVICE_H_

#include <functional>
#include <memory>
#include <mutex>

#include "absl/functional/any_invocable.h"
#include "kv/service/status_reporter.h"
#include "kv/store/kv_store.h"
#include "proto/survey.grpc.pb.h"
#include "raft/base/types.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Served on the peer port, beside the messages of Raft. The status is asked only while somebody
// looks at a page, and then once a second; the digests always.
//
// Thread safety: as gRPC needs it; Begin and End by one thread.
class SurveyService final : public pontoon::peer::v1::Survey::CallbackService {
 public:
  SurveyService() = default;
  ~SurveyService() override { End(); }

  struct Parts {
    NodeId self;
    const StatusReporter* reporter;  // borrowed
    const KvStore* store;            // borrowed
    // A peer says that this member's state differs from that of a majority.
    std::function<void()> on_suspicion;
  };

  // Answers from then on, on `executor`. Before this, and after the end, callers are told that the
  // member starts or stops.
  void Begin(Parts parts, std::unique_ptr<Executor> executor);
  // Returns when the parts are not used any more.
  void End();

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* call,
                                   const etcdserverpb::StatusRequest* request,
                                   etcdserverpb::StatusResponse* response) override;
  grpc::ServerUnaryReactor* Digests(grpc::CallbackServerContext* call,
                                    const pontoon::peer::v1::DigestsRequest* request,
                                    pontoon::peer::v1::DigestsResponse* response) override;

 private:
  // A whole call, which `answer` answers.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* call,
                                   absl::AnyInvocable<void(const Parts&) &&> answer);

  std::mutex mutex_;
  std::shared_ptr<const Parts> parts_;  // guarded by mutex_; shared with tasks
  std::unique_ptr<Executor> executor_;  // guarded by mutex_
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_SURVEY_SERVICE_H_
