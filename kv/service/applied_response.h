// What a command gave, as the response of a call.

#ifndef PONTOON_KV_SERVICE_APPLIED_RESPONSE_H_
#define PONTOON_KV_SERVICE_APPLIED_RESPONSE_H_

#include <cstddef>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "kv/service/command.h"
#include "kv/service/member.h"
#include "kv/service/outcome.h"
#include "kv/store/kv_result.h"
#include "raft/base/check.h"
#include "raft/base/instant.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// The response to a command that was proposed to the replica of `member`, with its header; or the
// error that the client is told.
template <typename Response>
absl::StatusOr<Response> TakeAppliedResponse(const Member& member, raft::ProposeOutcome outcome) {
  if (const auto* not_applied = std::get_if<raft::NotApplied>(&outcome)) {
    return ErrorOf(*not_applied);
  }
  if (const auto* unknown = std::get_if<raft::OutcomeUnknown>(&outcome)) {
    return ErrorOf(*unknown, member.replica()->CurrentLeadership().leader);
  }
  auto& applied = std::get<raft::Applied>(outcome);
  CHECK(applied.result != nullptr) << "at index " << applied.position.index;
  auto& result = static_cast<KvResult&>(*applied.result);
  if (!result.status.ok()) return result.status;
  Response response = std::get<Response>(std::move(result.response));
  member.FillHeader(applied.position.term, response.mutable_header());
  return response;
}

// Proposes `request` as a command, and calls `done` once with what TakeAppliedResponse gives,
// perhaps before this returns: it must not block. `member` must live until then.
template <typename Response, typename Request, typename Done>
void ProposeRequest(const Member& member, const Request& request, size_t bytes_max,
                    Instant deadline, Done done) {
  absl::StatusOr<Payload> command = EncodeCommand(request, bytes_max);
  if (!command.ok()) return done(absl::StatusOr<Response>(command.status()));
  member.replica()->Propose(
      *std::move(command), deadline,
      [&member, done = std::move(done)](raft::ProposeOutcome outcome) mutable {
        done(TakeAppliedResponse<Response>(member, std::move(outcome)));
      });
}

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_APPLIED_RESPONSE_H_
