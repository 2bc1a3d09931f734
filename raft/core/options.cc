#include "raft/core/options.h"

#include "absl/strings/str_cat.h"

namespace pontoon::raft {

absl::Status CoreOptions::Validate() const {
  if (self == kNoNode) return absl::InvalidArgumentError("the node id must not be 0");
  if (heartbeat_interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("the heartbeat interval must be greater than 0");
  }
  // A single lost heartbeat must not cause an election.
  if (election_timeout < 2 * heartbeat_interval) {
    return absl::InvalidArgumentError(
        absl::StrCat("the election timeout (", absl::FormatDuration(election_timeout),
                     ") must be at least twice the heartbeat interval (",
                     absl::FormatDuration(heartbeat_interval), ")"));
  }
  if (lease_duration < absl::ZeroDuration() || clock_rate_error_max < 0 ||
      clock_rate_error_max >= 0.5) {
    return absl::InvalidArgumentError(
        "the lease must not be negative, and the error of the clocks' rate must be less than 0.5");
  }
  // Else a lease would run out before the next round can renew it, or hold up elections.
  if (lease_duration > absl::ZeroDuration() &&
      (lease_duration <= heartbeat_interval || VotePromise() > election_timeout)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the lease (", absl::FormatDuration(lease_duration),
        ") must be longer than the heartbeat interval (", absl::FormatDuration(heartbeat_interval),
        "), and with the error of the clocks no longer than the election timeout (",
        absl::FormatDuration(election_timeout), ")"));
  }
  if (hand_over_delay_growth_max < 1) {
    return absl::InvalidArgumentError("a leader must not hand over without a delay");
  }
  if (inflight_messages_max == 0 || append_bytes_max == 0) {
    return absl::InvalidArgumentError("the bounds on appends must be greater than 0");
  }
  return absl::OkStatus();
}

}  // namespace pontoon::raft
