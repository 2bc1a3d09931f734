// Executor: runs programs on one server.

#ifndef PONTOON_TESTS_DIFFERENTIAL_EXECUTOR_H_
#define PONTOON_TESTS_DIFFERENTIAL_EXECUTOR_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/differential/program.h"
#include "tests/differential/symbols.h"
#include "tests/differential/trace.h"
#include "tests/differential/watchers.h"

namespace pontoon::differential {

// Every program finds the server without keys and leases, and compacted at its present revision,
// which is the program's kBaseRevision: so programs can follow each other on one server.
//
// Thread safety: one thread at a time. Nobody else may use the server.
class Executor {
 public:
  explicit Executor(const std::shared_ptr<grpc::Channel>& channel);

  // The responses are normalised.
  Trace Run(const Program& program);

 private:
  struct State {
    explicit State(int64_t base) : symbols(base), compacted(base) {}

    Symbols symbols;
    int64_t compacted;
  };

  // Clears the server, and returns its revision then.
  absl::StatusOr<int64_t> Clear();
  absl::Status RevokeAllLeases();
  void MakeAll(const Program& program, State* state, Watchers* watchers, Trace* trace);
  absl::StatusOr<Reply> Make(const Program& program, size_t number, State* state,
                             Watchers* watchers);
  Reply MakePlain(const Call& call);
  Reply Grant(const etcdserverpb::LeaseGrantRequest& request, Symbols* symbols);
  Reply KeepAlive(const etcdserverpb::LeaseKeepAliveRequest& request);

  const std::unique_ptr<etcdserverpb::KV::Stub> kv_;
  const std::unique_ptr<etcdserverpb::Lease::Stub> lease_;
  const std::unique_ptr<etcdserverpb::Watch::Stub> watch_;
  const std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
  const std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_EXECUTOR_H_
