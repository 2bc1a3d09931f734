// LessorService: a member's lessor, for the other members.

#ifndef PONTOON_KV_LEASE_LESSOR_SERVICE_H_
#define PONTOON_KV_LEASE_LESSOR_SERVICE_H_

#include <mutex>

#include "kv/lease/lease_question.h"
#include "kv/lease/lessor.h"
#include "proto/lessor.grpc.pb.h"

namespace pontoon::kv {

// Served on the peer port, beside the messages of Raft.
//
// Thread safety: as gRPC needs it; Begin and End by one thread.
class LessorService final : public pontoon::peer::v1::Lessor::CallbackService {
 public:
  // Asks `lessor`, which is borrowed, from then on. Before this, and after the end, callers are
  // told that the member starts or stops.
  void Begin(Lessor* lessor);
  // Returns when the lessor is not asked any more; it still owes answers to earlier questions.
  void End();

  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* call,
                                  const pontoon::peer::v1::LeaseIds* request,
                                  pontoon::peer::v1::LeaseSeconds* response) override;
  grpc::ServerUnaryReactor* TimeLeft(grpc::CallbackServerContext* call,
                                     const pontoon::peer::v1::LeaseIds* request,
                                     pontoon::peer::v1::LeaseSeconds* response) override;

 private:
  grpc::ServerUnaryReactor* Ask(grpc::CallbackServerContext* call, LeaseQuestion::Kind kind,
                                const pontoon::peer::v1::LeaseIds& request,
                                pontoon::peer::v1::LeaseSeconds* response);

  std::mutex mutex_;
  Lessor* lessor_ = nullptr;  // guarded by mutex_
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LESSOR_SERVICE_H_
