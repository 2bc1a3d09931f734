// ServiceTest: the services as clients see them: over gRPC, in front of a real store, behind a
// replica that applies at once what it is given.

#ifndef PONTOON_KV_SERVICE_TESTING_SERVICE_FIXTURE_H_
#define PONTOON_KV_SERVICE_TESTING_SERVICE_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kv/service/cluster_service.h"
#include "kv/service/kv_service.h"
#include "kv/service/maintenance_service.h"
#include "kv/service/member.h"
#include "kv/service/member_directory.h"
#include "kv/read/read_gate.h"
#include "kv/read/read_lane.h"
#include "kv/service/status_reporter.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/service/unknown_calls.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

inline constexpr ClusterId kCluster{0xc1};
inline constexpr NodeId kSelf{0xa1};
inline constexpr NodeId kPeer{0xa2};
inline constexpr size_t kRequestBytesMax = 64 << 10;

// Everybody has the name that belongs to its id, and only one has told where clients reach it.
class NamesOnly final : public MemberDirectory {
 public:
  absl::StatusOr<std::vector<MemberInfo>> Members(const ReadView&,
                                                  const Membership& membership) const override;
};

// Two voters.
Membership SelfAndPeer();

class ServiceTest : public testing::Test {
 protected:
  ServiceTest();
  ~ServiceTest() override;

  grpc::Status Put(const std::string& request, etcdserverpb::PutResponse* response) {
    return kv_->Put(Call().get(), Parse<etcdserverpb::PutRequest>(request), response);
  }
  grpc::Status Put(const std::string& request) {
    etcdserverpb::PutResponse response;
    return Put(request, &response);
  }

  std::unique_ptr<Executor> scrubber_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<ReadGate> gate_;
  std::unique_ptr<ReadLane> points_, ranges_;
  std::unique_ptr<KvService> kv_service_;
  std::unique_ptr<StatusReporter> reporter_;
  std::unique_ptr<MaintenanceService> maintenance_service_;
  NamesOnly directory_;
  std::unique_ptr<ClusterService> cluster_service_;
  UnknownCalls unknown_calls_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<etcdserverpb::KV::Stub> kv_;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
  std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_TESTING_SERVICE_FIXTURE_H_
