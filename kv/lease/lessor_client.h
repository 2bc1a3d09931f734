// LessorClient: asks the lessors of other members.

#ifndef PONTOON_KV_LEASE_LESSOR_CLIENT_H_
#define PONTOON_KV_LEASE_LESSOR_CLIENT_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "kv/lease/lease_question.h"
#include "proto/lessor.grpc.pb.h"

namespace pontoon::kv {

// Thread safety: none.
class LessorClient {
 public:
  // Asks the member at `peer_url`, and calls `done` later, on a thread of gRPC. Besides the errors
  // of Lessor::Ask: UNAVAILABLE, DEADLINE_EXCEEDED.
  void Ask(const std::string& peer_url, const LeaseQuestion& question, absl::Duration timeout,
           LeaseAnswerCallback done);

 private:
  using Stub = pontoon::peer::v1::Lessor::Stub;

  std::shared_ptr<Stub> StubFor(const std::string& peer_url);

  // Of the member that was asked last: nearly always the one that is asked next.
  std::string peer_url_;
  std::shared_ptr<Stub> stub_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LESSOR_CLIENT_H_
