// What a command of the log gave, for the client that waits for it.

#ifndef PONTOON_KV_SERVICE_COMMAND_RESULT_H_
#define PONTOON_KV_SERVICE_COMMAND_RESULT_H_

#include <cstddef>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/service/command.h"
#include "kv/service/member.h"
#include "kv/outcome.h"
#include "kv/store/kv_result.h"
#include "raft/base/check.h"
#include "raft/base/instant.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Fills `response` from the result of a command, in the name of `member`, or says why there is
// none. The command is of the kind that gives a Response.
template <typename Response>
absl::Status TakeResponse(const Member& member, raft::ProposeOutcome outcome, Response* response) {
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
  *response = std::get<Response>(std::move(result.response));
  member.FillHeader(applied.position.term, response->mutable_header());
  return absl::OkStatus();
}

// Proposes `request` as a command, and calls `done` once with the response or the error,
// perhaps before this returns: it must not block. `member` must live until then.
template <typename Response, typename Request, typename Done>
void ProposeRequest(const Member& member, const Request& request, size_t bytes_max,
                    Instant deadline, Done done) {
  absl::StatusOr<Payload> command = EncodeCommand(request, bytes_max);
  if (!command.ok()) return done(absl::StatusOr<Response>(command.status()));
  member.replica()->Propose(
      *std::move(command), deadline,
      [&member, done = std::move(done)](raft::ProposeOutcome outcome) mutable {
        Response response;
        const absl::Status taken = TakeResponse(member, std::move(outcome), &response);
        done(taken.ok() ? absl::StatusOr<Response>(std::move(response)) : taken);
      });
}

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_COMMAND_RESULT_H_
