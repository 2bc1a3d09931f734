#include "cmd/pontoonctl/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

// The least time that what can be repeated waits at one of several endpoints; an election fits in.
constexpr absl::Duration kReadPatience = absl::Seconds(1);

}  // namespace

Session::Session(const std::vector<Endpoint>& endpoints) : servers_(ServersOf(endpoints)) {
  CHECK(!servers_.empty());
}

Reply Session::Read(Deadline deadline, Attempt attempt) {
  return Send(Kind::kRepeatable, deadline, attempt);
}

Reply Session::Write(Deadline deadline, Attempt attempt) {
  return Send(Kind::kOnce, deadline, attempt);
}

Reply Session::WriteRepeatable(Deadline deadline, Attempt attempt) {
  return Send(Kind::kRepeatable, deadline, attempt);
}

bool Session::MayRetry(Kind kind, const Reply& reply) {
  if (reply.outcome == Outcome::kNotApplied) return true;
  const grpc::StatusCode code = reply.status.error_code();
  return kind == Kind::kRepeatable &&
         (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED);
}

Reply Session::Send(Kind kind, Deadline deadline, Attempt attempt) {
  const size_t start = preferred_;
  Backoff backoff(deadline);
  Reply reply;
  bool was_sent = false;
  do {
    for (size_t i = 0; i < servers_.size(); ++i) {
      const size_t place = (start + i) % servers_.size();
      Server& server = *servers_[place];
      if (!server.Connect(deadline.ButWithin(kConnectTimeout))) continue;

      const absl::Duration fair_share = deadline.Remaining() / (servers_.size() - i);
      const Deadline attempt_deadline =
          kind == Kind::kOnce ? deadline : deadline.ButWithin(std::max(fair_share, kReadPatience));
      grpc::ClientContext context;
      context.set_deadline(attempt_deadline.ToGpr());
      const grpc::Status status = attempt(server, &context);
      Reply answer = {OutcomeOf(status), status, server.address()};
      // That the time is over says less than what a server has said before.
      const bool says_less = was_sent && answer.outcome == reply.outcome &&
                             status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
      if (!says_less) reply = std::move(answer);
      was_sent = true;
      if (reply.ok() || reply.outcome == Outcome::kRefused) {
        preferred_ = place;
        return reply;
      }
      preferred_ = (place + 1) % servers_.size();
      if (!MayRetry(kind, reply)) return reply;
    }
  } while (backoff.Pause());
  return was_sent ? reply : NotConnected(servers_);
}

Reply AskOnce(const Endpoint& endpoint, Deadline deadline, Session::Attempt attempt) {
  Server server(endpoint);
  if (!server.Connect(deadline)) {
    return {Outcome::kNotApplied,
            grpc::Status(grpc::StatusCode::UNAVAILABLE,
                         absl::StrCat("cannot connect: ", server.WhyNotConnected()))};
  }
  grpc::ClientContext context;
  context.set_deadline(deadline.ToGpr());
  const grpc::Status status = attempt(server, &context);
  return {OutcomeOf(status), status, server.address()};
}

}  // namespace pontoon::ctl
