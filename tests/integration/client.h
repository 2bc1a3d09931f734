// Client: a small client of one node, for tests. It never tries anything a second time, so that a
// test knows what was sent.

#ifndef PONTOON_TESTS_INTEGRATION_CLIENT_H_
#define PONTOON_TESTS_INTEGRATION_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::testing {

// What the caller of a request knows afterwards.
enum class Outcome {
  kOk,       // it was done
  kRefused,  // it was not done and never will be
  kUnknown,  // it may have been done, or may still be
};

std::ostream& operator<<(std::ostream& out, Outcome outcome);

// Which of the three an RPC that ended with `status` had.
Outcome OutcomeOf(const grpc::Status& status);

// The answer to a request: `response` counts only if ok().
template <typename Response>
struct Answer {
  grpc::Status status;
  Response response;

  bool ok() const { return status.ok(); }
  Outcome outcome() const { return OutcomeOf(status); }
};

enum class ReadMode { kLinearizable, kSerializable };

// What to do while there is no connection to the node.
enum class WhenDisconnected {
  kWait,  // for one, until the request's deadline
  kFail,  // at once
};

struct ClientOptions {
  absl::Duration timeout = absl::Seconds(10);  // of each request
  WhenDisconnected when_disconnected = WhenDisconnected::kWait;
};

// Thread safety: all methods may be called from any thread.
class Client {
 public:
  // `address` is host:port. The connection is this object's own, and is made again soon after it
  // was lost.
  explicit Client(const std::string& address, ClientOptions options = {});

  bool WaitForConnected(absl::Duration timeout);

  Answer<etcdserverpb::PutResponse> Put(std::string_view key, std::string_view value);
  Answer<etcdserverpb::RangeResponse> Get(std::string_view key,
                                          ReadMode mode = ReadMode::kLinearizable);
  Answer<etcdserverpb::DeleteRangeResponse> Delete(std::string_view key);
  Answer<etcdserverpb::CompactionResponse> Compact(int64_t revision);

  Answer<etcdserverpb::RangeResponse> Range(const etcdserverpb::RangeRequest& request);
  Answer<etcdserverpb::PutResponse> Put(const etcdserverpb::PutRequest& request);
  Answer<etcdserverpb::DeleteRangeResponse> Delete(const etcdserverpb::DeleteRangeRequest& request);
  Answer<etcdserverpb::TxnResponse> Txn(const etcdserverpb::TxnRequest& request);
  Answer<etcdserverpb::StatusResponse> Status();
  Answer<etcdserverpb::MemberListResponse> MemberList();
  // With a vote as soon as it keeps up; or without.
  Answer<etcdserverpb::MemberAddResponse> MemberAdd(const std::string& peer_url);
  Answer<etcdserverpb::MemberAddResponse> MemberAddAsLearner(const std::string& peer_url);
  Answer<etcdserverpb::MemberRemoveResponse> MemberRemove(uint64_t id);
  Answer<etcdserverpb::MemberPromoteResponse> MemberPromote(uint64_t id);
  Answer<etcdserverpb::MemberUpdateResponse> MemberUpdate(uint64_t id, const std::string& peer_url);

  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  // Calls `method` of `stub` with the options' deadline.
  template <typename Stub, typename Request, typename Response>
  Answer<Response> Call(Stub& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request);

  const std::string address_;
  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<etcdserverpb::KV::Stub> kv_;
  const std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
  const std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
};

// A request for all keys that begin with `prefix`; "" stands for all keys.
etcdserverpb::RangeRequest PrefixRange(std::string_view prefix,
                                       ReadMode mode = ReadMode::kLinearizable);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_CLIENT_H_
