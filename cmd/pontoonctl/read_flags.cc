#include "cmd/pontoonctl/read_flags.h"

#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using pontoon::v1::ReadOptions;

bool IsSerializable(const RangeRequest& request) { return request.serializable(); }

// As servers have it: all ranges are, of which there is one at least.
bool IsSerializable(const TxnRequest& request) {
  int ranges = 0;
  for (const auto* list : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *list) {
      if (!op.has_request_range()) continue;
      if (!op.request_range().serializable()) return false;
      ++ranges;
    }
  }
  return ranges > 0;
}

void SetSerializable(RangeRequest* request) { request->set_serializable(true); }

void SetSerializable(TxnRequest* request) {
  for (auto* list : {request->mutable_success(), request->mutable_failure()}) {
    for (RequestOp& op : *list) {
      if (op.has_request_range()) op.mutable_request_range()->set_serializable(true);
    }
  }
}

}  // namespace

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

absl::Status ReadFlags::AddTo(RangeRequest* request) const { return AddOptionsTo(request); }
absl::Status ReadFlags::AddTo(TxnRequest* request) const { return AddOptionsTo(request); }

template <typename Request>
absl::Status ReadFlags::AddOptionsTo(Request* request) const {
  if (!consistency_.has_value() && !max_staleness_.has_value() && min_revision_ == 0) {
    return absl::OkStatus();
  }
  // Only a follower's read is bounded, so the bound alone says enough.
  const bool is_local = IsSerializable(*request) ||
                        consistency_.value_or(max_staleness_ ? "follower" : "") == "follower";
  if (is_local && consistency_.has_value() && *consistency_ != "follower") {
    return absl::InvalidArgumentError(
        absl::StrCat("--serializable is --consistency follower, and not ", *consistency_));
  }
  ReadOptions* const options = request->mutable_read_options();
  if (is_local) {
    SetSerializable(request);
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
