// Program: a list of calls of the API, to be made one after the other.

#ifndef PONTOON_TESTS_DIFFERENTIAL_PROGRAM_H_
#define PONTOON_TESTS_DIFFERENTIAL_PROGRAM_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/rpc.pb.h"

namespace pontoon::differential {

// A request on one of the streams of watches that a program has; each is opened when it is used
// first. Streams are numbered from 0.
struct WatchCall {
  int stream = 0;
  etcdserverpb::WatchRequest request;
};

// One call. Revisions and leases that the server draws are symbols (symbols.h). A LeaseGrantRequest
// whose ID is the name of a drawn lease is sent with ID 0.
using Call = std::variant<
    etcdserverpb::RangeRequest, etcdserverpb::PutRequest, etcdserverpb::DeleteRangeRequest,
    etcdserverpb::TxnRequest, etcdserverpb::CompactionRequest, etcdserverpb::LeaseGrantRequest,
    etcdserverpb::LeaseRevokeRequest, etcdserverpb::LeaseTimeToLiveRequest,
    etcdserverpb::LeaseLeasesRequest, etcdserverpb::LeaseKeepAliveRequest, WatchCall,
    etcdserverpb::AlarmRequest, etcdserverpb::StatusRequest, etcdserverpb::MemberListRequest>;

const google::protobuf::Message& RequestOf(const Call& call);
google::protobuf::Message* MutableRequestOf(Call* call);

// "Range", "LeaseGrant", "WatchCreate", ...
std::string KindOf(const Call& call);

struct Program {
  std::vector<Call> calls;
};

// In one line, without its kind: every field that is set, symbols by name ("base+3", "drawn1"), and
// long strings cut. What it stands for can be read from it, but not parsed.
std::string TextOf(const google::protobuf::Message& message);

std::string TextOf(const Call& call);

// A line for each call, with its number from 0.
std::string TextOf(const Program& program);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_PROGRAM_H_
