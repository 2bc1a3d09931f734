#include "kv/client/read_options.h"

namespace pontoon {
namespace {

google::protobuf::Duration DurationToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

Consistency FromProto(pontoon::v1::ReadOptions::Consistency consistency) {
  switch (consistency) {
    case pontoon::v1::ReadOptions::LEASE:
      return Consistency::kLease;
    case pontoon::v1::ReadOptions::FOLLOWER:
      return Consistency::kFollower;
    default:
      return Consistency::kLinearizable;
  }
}

template <typename Response>
ReadInfo InfoOf(const Response& response) {
  ReadInfo info{.revision = response.header().revision(),
                .cluster_id = response.header().cluster_id(),
                .member_id = response.header().member_id(),
                .term = response.header().raft_term(),
                .consistency = FromProto(response.read_report().consistency())};
  if (response.read_report().has_staleness_bound()) {
    const google::protobuf::Duration& bound = response.read_report().staleness_bound();
    info.staleness = absl::Seconds(bound.seconds()) + absl::Nanoseconds(bound.nanos());
  }
  return info;
}

}  // namespace

pontoon::v1::ReadOptions ToProto(const ReadOptions& options) {
  pontoon::v1::ReadOptions proto;
  switch (options.consistency) {
    case Consistency::kLinearizable:
      proto.set_consistency(pontoon::v1::ReadOptions::LINEARIZABLE);
      break;
    case Consistency::kLease:
      proto.set_consistency(pontoon::v1::ReadOptions::LEASE);
      break;
    case Consistency::kFollower:
      proto.set_consistency(pontoon::v1::ReadOptions::FOLLOWER);
      break;
  }
  if (options.max_staleness.has_value()) {
    *proto.mutable_max_staleness() = DurationToProto(*options.max_staleness);
  }
  proto.set_min_revision(options.min_revision);
  return proto;
}

ReadInfo ReadInfoOf(const etcdserverpb::RangeResponse& response) { return InfoOf(response); }

ReadInfo ReadInfoOf(const etcdserverpb::TxnResponse& response) { return InfoOf(response); }

}  // namespace pontoon
