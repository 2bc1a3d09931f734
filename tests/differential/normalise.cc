#include "tests/differential/normalise.h"

#include <algorithm>
#include <iterator>

#include "proto/rpc.pb.h"
#include "tests/differential/fields.h"

namespace pontoon::differential {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Where a server may have any number but 0, by the full name of the field.
constexpr const char* kAnyNumber[] = {
    "etcdserverpb.ResponseHeader.cluster_id", "etcdserverpb.ResponseHeader.member_id",
    "etcdserverpb.ResponseHeader.raft_term",  "etcdserverpb.Member.ID",
    "etcdserverpb.StatusResponse.dbSize",     "etcdserverpb.StatusResponse.dbSizeInUse",
    "etcdserverpb.StatusResponse.leader",     "etcdserverpb.StatusResponse.raftIndex",
    "etcdserverpb.StatusResponse.raftTerm",   "etcdserverpb.StatusResponse.raftAppliedIndex",
};

// Where it may have any text but "".
constexpr const char* kAnyText[] = {
    "etcdserverpb.Member.peerURLs",
    "etcdserverpb.Member.clientURLs",
};

template <size_t kSize>
bool Contains(const char* const (&names)[kSize], const FieldDescriptor& field) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](const char* name) { return field.full_name() == name; });
}

void HideValue(Message* message, const FieldDescriptor* field) {
  const google::protobuf::Reflection* const reflection = message->GetReflection();
  if (Contains(kAnyNumber, *field)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
      reflection->SetUInt64(message, field, 1);
    } else {
      reflection->SetInt64(message, field, 1);
    }
  } else if (Contains(kAnyText, *field)) {
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      reflection->SetRepeatedString(message, field, i, "url");
    }
  }
}

}  // namespace

void Normalise(const Symbols& symbols, Message* response) {
  symbols.Restore(response);
  ForEachField(response, HideValue);
  if (auto* leases = dynamic_cast<etcdserverpb::LeaseLeasesResponse*>(response)) {
    std::sort(leases->mutable_leases()->begin(), leases->mutable_leases()->end(),
              [](const auto& a, const auto& b) { return a.id() < b.id(); });
  }
  if (auto* lease = dynamic_cast<etcdserverpb::LeaseTimeToLiveResponse*>(response)) {
    std::sort(lease->mutable_keys()->begin(), lease->mutable_keys()->end());
  }
}

}  // namespace pontoon::differential
