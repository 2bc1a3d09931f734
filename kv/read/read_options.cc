#include "kv/read/read_options.h"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "kv/refused.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using Proto = pontoon::v1::ReadOptions;

constexpr char kConsistencyKey[] = "pontoon-consistency";
constexpr char kMaxStalenessKey[] = "pontoon-max-staleness";
constexpr char kMinRevisionKey[] = "pontoon-min-revision";

absl::StatusOr<Consistency> ConsistencyOf(int number) {
  switch (number) {
    case Proto::LINEARIZABLE:
      return Consistency::kLinearizable;
    case Proto::LEASE:
      return Consistency::kLease;
    case Proto::FOLLOWER:
      return Consistency::kFollower;
    default:
      return Refused("there is no consistency ", number,
                     ": it is LINEARIZABLE (0), LEASE (1) or FOLLOWER (2)");
  }
}

absl::StatusOr<Consistency> ConsistencyNamed(absl::string_view name) {
  for (const int number : {Proto::LINEARIZABLE, Proto::LEASE, Proto::FOLLOWER}) {
    const auto value = static_cast<Proto::Consistency>(number);
    if (absl::EqualsIgnoreCase(name, Proto::Consistency_Name(value))) return ConsistencyOf(number);
  }
  return Refused(kConsistencyKey, " is linearizable, lease or follower");
}

absl::StatusOr<ReadOptions> OptionsIn(const Proto& message) {
  ReadOptions options;
  const absl::StatusOr<Consistency> consistency = ConsistencyOf(message.consistency());
  if (!consistency.ok()) return consistency.status();
  options.consistency = *consistency;
  if (message.has_max_staleness()) {
    options.max_staleness = absl::Seconds(message.max_staleness().seconds()) +
                            absl::Nanoseconds(message.max_staleness().nanos());
  }
  options.min_revision = Revision(message.min_revision());
  return options;
}

absl::StatusOr<ReadOptions> OptionsIn(const CallMetadata& metadata) {
  ReadOptions options;
  if (const auto text = FindMetadata(metadata, kConsistencyKey)) {
    const absl::StatusOr<Consistency> consistency = ConsistencyNamed(*text);
    if (!consistency.ok()) return consistency.status();
    options.consistency = *consistency;
  }
  if (const auto text = FindMetadata(metadata, kMaxStalenessKey)) {
    absl::Duration bound;
    if (!absl::ParseDuration(*text, &bound)) {
      return Refused(kMaxStalenessKey, " is a duration, such as 500ms or 1.5s");
    }
    options.max_staleness = bound;
  }
  if (const auto text = FindMetadata(metadata, kMinRevisionKey)) {
    int64_t revision = 0;
    if (!absl::SimpleAtoi(*text, &revision)) {
      return Refused(kMinRevisionKey, " is the number of a revision");
    }
    options.min_revision = Revision(revision);
  }
  return options;
}

template <typename Request>
absl::StatusOr<ReadOptions> OptionsOf(const Request& request, bool serializable,
                                      const CallMetadata& metadata) {
  const bool has_own = request.has_read_options();
  absl::StatusOr<ReadOptions> options =
      has_own ? OptionsIn(request.read_options()) : OptionsIn(metadata);
  if (!options.ok()) return options;
  if (serializable) {
    // Metadata may be that of a whole connection, and is not meant for this read then.
    if (has_own && options->consistency == Consistency::kLease) {
      return Refused("a read is LEASE or serializable, not both");
    }
    options->consistency = Consistency::kFollower;
  }
  if (options->max_staleness.has_value()) {
    if (options->consistency != Consistency::kFollower) {
      return Refused("max_staleness bounds FOLLOWER reads; other ones show everything");
    }
    if (*options->max_staleness < absl::ZeroDuration() || *options->max_staleness > kStalenessMax) {
      return Refused("max_staleness is ", absl::FormatDuration(*options->max_staleness),
                     ", and must be between 0 and ", absl::FormatDuration(kStalenessMax));
    }
  }
  if (options->min_revision < Revision()) {
    return Refused("min_revision is ", options->min_revision.value(), ", and must not be negative");
  }
  return options;
}

// Whether a transaction carries options, or any part of it does.
bool HasReadOptions(const TxnRequest& request) {
  if (request.has_read_options()) return true;
  for (const auto* list : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *list) {
      if (op.request_range().has_read_options() || HasReadOptions(op.request_txn())) return true;
    }
  }
  return false;
}

// Whether there is a put or a deletion in it, at any depth.
bool Writes(const TxnRequest& request) {
  for (const auto* list : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *list) {
      if (op.has_request_put() || op.has_request_delete_range() || Writes(op.request_txn())) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<ReadOptions> ReadOptionsOf(const RangeRequest& request,
                                          const CallMetadata& metadata) {
  return OptionsOf(request, request.serializable(), metadata);
}

absl::StatusOr<ReadOptions> ReadOptionsOf(const TxnRequest& request, const CallMetadata& metadata) {
  int ranges = 0, serializable = 0;
  for (const auto* list : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *list) {
      if (op.request_range().has_read_options()) {
        return Refused("read options stand in a transaction, not in its ranges");
      }
      ++ranges;
      if (op.request_range().serializable()) ++serializable;
    }
  }
  return OptionsOf(request, ranges > 0 && serializable == ranges, metadata);
}

absl::Status CheckNoReadOptions(const TxnRequest& request) {
  if (!HasReadOptions(request)) return absl::OkStatus();
  if (Writes(request)) {
    return Refused("read options are for transactions that only read; this one writes");
  }
  return Refused(
      "read options are for transactions that only read, without others in them; this "
      "one has another in it, and goes through the log");
}

void FillReport(Consistency consistency, std::optional<absl::Duration> staleness_bound,
                pontoon::v1::ReadReport* report) {
  report->set_consistency(static_cast<Proto::Consistency>(consistency));
  if (!staleness_bound.has_value()) return;
  *report->mutable_staleness_bound() = google::protobuf::util::TimeUtil::NanosecondsToDuration(
      absl::ToInt64Nanoseconds(*staleness_bound));
}

}  // namespace pontoon::kv
