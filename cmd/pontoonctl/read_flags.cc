#include "cmd/pontoonctl/read_flags.h"

#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace pontoon::ctl {

using pontoon::v1::ReadOptions;

void ReadFlags::DeclareOn(CLI::App& app) {
  app.add_option("--consistency", consistency_,
                 "linearizable (default); lease: the same while clocks run alike, and cheaper; "
                 "follower: what the server that is asked has")
      ->check(CLI::IsMember({"linearizable", "lease", "follower"}));
  app.add_option("--max-staleness", max_staleness_,
                 "Of a follower read: show everything older than this, such as 500ms; else fail");
  app.add_option("--min-revision", min_revision_,
                 "Show the store as it is at this revision or later: waits for it")
      ->check(CLI::NonNegativeNumber);
}

absl::Status ReadFlags::AddTo(etcdserverpb::RangeRequest* request) const {
  if (!consistency_.has_value() && !max_staleness_.has_value() && min_revision_ == 0) {
    return absl::OkStatus();
  }
  // Only a follower's read is bounded, so the bound alone says enough.
  const bool is_local = request->serializable() ||
                        consistency_.value_or(max_staleness_ ? "follower" : "") == "follower";
  if (is_local && consistency_.has_value() && *consistency_ != "follower") {
    return absl::InvalidArgumentError(
        absl::StrCat("--serializable is --consistency follower, and not ", *consistency_));
  }
  ReadOptions* const options = request->mutable_read_options();
  if (is_local) {
    request->set_serializable(true);
    options->set_consistency(ReadOptions::FOLLOWER);
  } else if (consistency_ == "lease") {
    options->set_consistency(ReadOptions::LEASE);
  }
  if (max_staleness_.has_value()) {
    absl::Duration bound;
    if (!absl::ParseDuration(*max_staleness_, &bound) || bound < absl::ZeroDuration() ||
        bound == absl::InfiniteDuration()) {
      return absl::InvalidArgumentError(absl::StrCat("bad --max-staleness \"", *max_staleness_,
                                                     "\": give a time such as 500ms or 1m30s"));
    }
    if (!is_local) {
      return absl::InvalidArgumentError(absl::StrCat("--max-staleness is for follower reads; ",
                                                     *consistency_, " ones show everything"));
    }
    *options->mutable_max_staleness() =
        google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(bound));
  }
  options->set_min_revision(min_revision_);
  return absl::OkStatus();
}

}  // namespace pontoon::ctl
