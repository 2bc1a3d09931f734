#include "kv/service/member.h"

#include <algorithm>
#include <chrono>

#include "kv/errors.h"
#include "kv/service/utf8.h"

namespace pontoon::kv {

Member::Member(const Options& options, raft::Replica* replica, const Clock* clock)
    : options_(options), replica_(replica), clock_(clock), id_(replica->Status().self) {}

Instant Member::DeadlineOf(const grpc::CallbackServerContext& call) const {
  using std::chrono::system_clock;
  absl::Duration left = options_.call_timeout;
  // gRPC turns the client's timeout into a time on the wall clock; it is turned back here.
  const system_clock::time_point deadline = call.deadline();
  if (deadline != system_clock::time_point::max()) {
    left = std::min(left, absl::FromChrono(deadline - system_clock::now()));
  }
  return clock_->Now() + std::max(left, absl::ZeroDuration());
}

Instant Member::DeadlineFromNow() const { return clock_->Now() + options_.call_timeout; }

bool Member::NeedsLeader(const grpc::CallbackServerContext& call) {
  const auto wish = call.client_metadata().find("hasleader");
  return wish != call.client_metadata().end() && wish->second == "true";
}

absl::Status Member::CheckCall(const grpc::CallbackServerContext& call, Learners learners) const {
  if (learners == Learners::kRefuse && replica_->IsLearner()) return kErrNotSupportedForLearner;
  const auto version = call.client_metadata().find("client-api-version");
  if (version != call.client_metadata().end() &&
      !IsUtf8({version->second.data(), version->second.size()})) {
    return kErrInvalidClientAPIVersion;
  }
  if (NeedsLeader(call) && replica_->CurrentLeadership().leader == kNoNode) return kErrNoLeader;
  return absl::OkStatus();
}

absl::Status Member::CheckServing(const grpc::CallbackServerContext& call,
                                  Learners learners) const {
  if (is_corrupt_) return kErrCorrupt;
  return CheckCall(call, learners);
}

void Member::FillHeader(Term term, etcdserverpb::ResponseHeader* header) const {
  header->set_cluster_id(options_.cluster.value());
  header->set_member_id(id_.value());
  header->set_raft_term(term.value());
}

}  // namespace pontoon::kv
