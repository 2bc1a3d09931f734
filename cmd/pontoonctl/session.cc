#include "cmd/pontoonctl/session.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

// How long one endpoint may take to connect before the next one is tried.
constexpr absl::Duration kConnectTimeout = absl::Seconds(1);

// The least time that a read waits at one of several endpoints; an election fits in.
constexpr absl::Duration kReadPatience = absl::Seconds(1);

std::vector<std::unique_ptr<Server>> ServersOf(const std::vector<Endpoint>& endpoints) {
  std::vector<std::unique_ptr<Server>> servers;
  for (const Endpoint& endpoint : endpoints) servers.push_back(std::make_unique<Server>(endpoint));
  return servers;
}

}  // namespace

Session::Session(const std::vector<Endpoint>& endpoints) : servers_(ServersOf(endpoints)) {
  CHECK(!servers_.empty());
}

Reply Session::Read(Deadline deadline, Attempt attempt) {
  return Send(Kind::kRead, deadline, attempt);
}

Reply Session::Write(Deadline deadline, Attempt attempt) {
  return Send(Kind::kWrite, deadline, attempt);
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
          kind == Kind::kWrite ? deadline : deadline.ButWithin(std::max(fair_share, kReadPatience));
      grpc::ClientContext context;
      context.set_deadline(attempt_deadline.ToGpr());
      const grpc::Status status = attempt(server, &context);
      was_sent = true;
      reply = {OutcomeOf(status), status, server.address()};
      const bool final_for_a_write = reply.outcome == Outcome::kUnknown && kind == Kind::kWrite;
      if (reply.ok() || reply.outcome == Outcome::kRefused) {
        preferred_ = place;
        return reply;
      }
      preferred_ = (place + 1) % servers_.size();
      if (final_for_a_write) return reply;
    }
  } while (backoff.Pause());
  return was_sent ? reply : NotConnected();
}

Reply Session::NotConnected() {
  std::vector<std::string> names, reasons;
  for (const auto& server : servers_) {
    names.push_back(server->address());
    reasons.push_back(absl::StrCat(server->address(), ": ", server->WhyNotConnected()));
  }
  return {Outcome::kNotApplied,
          grpc::Status(grpc::StatusCode::UNAVAILABLE,
                       absl::StrCat("cannot connect (", absl::StrJoin(reasons, "; "),
                                    "): is a server running there, and is --endpoints right?")),
          absl::StrJoin(names, ", ")};
}

}  // namespace pontoon::ctl
