// ClientCore: what all calls of a client share, and how the client ends.

#ifndef PONTOON_KV_CLIENT_CLIENT_CORE_H_
#define PONTOON_KV_CLIENT_CLIENT_CORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/client/balancer.h"
#include "kv/client/client_options.h"
#include "kv/client/endpoint.h"
#include "kv/client/event_loop.h"
#include "kv/client/hedge_delay.h"
#include "kv/client/member_stubs.h"
#include "proto/rpc.pb.h"
#include "raft/base/prng.h"

namespace pontoon {

class Authenticator;
class MemberSurvey;

// Something that a client has under way: a call, a watch, a lease that it keeps.
class Operation {
 public:
  virtual ~Operation() = default;

  // The client goes: ends it, and tells its user so. On the loop.
  virtual void OnShutdown() = 0;
};

// The error of what is under way when the client goes.
absl::Status ClientGone();

// Everything here happens on the loop, so that nothing needs a lock; reactions of gRPC are posted
// to it. The client's destructor ends all operations, waits until gRPC has given back every call,
// and only then stops the loop.
//
// Thread safety: Create, loop, Run and Shutdown may be used from other threads; the rest is for the
// loop.
class ClientCore {
 public:
  static absl::StatusOr<std::unique_ptr<ClientCore>> Create(const ClientOptions& options);
  // Shutdown must have been called.
  ~ClientCore();

  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;

  const std::shared_ptr<EventLoop>& loop() const { return loop_; }
  // Runs `task` on the loop, soon and for certain: Shutdown waits for it. Not after Shutdown.
  void Run(Task task);
  // Ends everything, and waits until it has ended.
  void Shutdown();

  // ---- on the loop

  const ClientOptions& options() const { return options_; }
  Balancer& balancer() { return balancer_; }
  Authenticator& authenticator() { return *authenticator_; }
  MemberSurvey& survey() { return *survey_; }
  HedgeDelay& hedge_delay(Prefer prefer) {
    return prefer == Prefer::kLeader ? leader_delay_ : nearest_delay_;
  }
  uint64_t NextSeed() { return prng_.Next(); }

  // The connection to an address that the balancer has chosen.
  std::shared_ptr<MemberStubs> StubsOf(const std::string& address);
  // The endpoints of the options, and besides them these.
  void SetDiscovered(const std::vector<Endpoint>& discovered);

  // What a call learns of a member, as the balancer takes it.
  void OnAnswer(const std::string& address, const etcdserverpb::ResponseHeader& header);
  void OnSignOfLife(const std::string& address, const etcdserverpb::ResponseHeader& header);
  void OnCutOff(const std::string& address, const etcdserverpb::ResponseHeader& header);
  void OnFailure(const std::string& address);

  // Keeps it until Remove. If the client goes, it hears of that, at once if it comes too late.
  void Add(const std::shared_ptr<Operation>& operation);
  void Remove(const std::shared_ptr<Operation>& operation);
  bool closed() const { return closed_; }

  // Between these, gRPC has a call whose memory it uses, or a task of Run waits, or Shutdown is at
  // work.
  void OnCallBegun() { ++calls_; }
  void OnCallEnded();

 private:
  ClientCore(const ClientOptions& options, std::vector<Endpoint> endpoints);

  void LookForLeader();
  void NotifyIfIdle();

  const ClientOptions options_;
  const std::vector<Endpoint> endpoints_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const std::shared_ptr<EventLoop> loop_;

  Prng prng_;
  Balancer balancer_;
  HedgeDelay leader_delay_;
  HedgeDelay nearest_delay_;
  std::map<std::string, std::shared_ptr<MemberStubs>> stubs_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<MemberSurvey> survey_;

  std::set<std::shared_ptr<Operation>> operations_;
  int calls_ = 0;
  bool closed_ = false;
  Task on_idle_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_CLIENT_CORE_H_
