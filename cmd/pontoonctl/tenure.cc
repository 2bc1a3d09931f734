#include "cmd/pontoonctl/tenure.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/candidacy.h"
#include "cmd/pontoonctl/command_runner.h"
#include "cmd/pontoonctl/interrupt_listener.h"
#include "cmd/pontoonctl/lease_calls.h"
#include "cmd/pontoonctl/lease_keeper.h"

namespace pontoon::ctl {
namespace {

// What may end a tenure from outside, and when it did.
class Disturbance {
 public:
  void SetInterrupted() {
    absl::MutexLock lock(&mutex_);
    interrupted_ = true;
  }
  void SetLost(const std::string& why) {
    absl::MutexLock lock(&mutex_);
    lost_ = why;
  }

  // Why the lease is lost, if it is.
  std::optional<std::string> lost() {
    absl::MutexLock lock(&mutex_);
    return lost_;
  }

  void Await() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Disturbance* self) { return self->interrupted_ || self->lost_.has_value(); }, this));
  }

 private:
  absl::Mutex mutex_;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<std::string> lost_ ABSL_GUARDED_BY(mutex_);
};

std::vector<std::string> Variables(const std::string& word, const Candidacy::End& won) {
  return {absl::StrCat("PONTOON_", word, "_KEY=", won.kv.key()),
          absl::StrCat("PONTOON_", word, "_TOKEN=", won.kv.create_revision()),
          absl::StrCat("PONTOON_", word, "_REV=", won.revision),
          absl::StrCat("ETCD_", word, "_KEY=", won.kv.key()),
          absl::StrCat("ETCD_", word, "_REV=", won.revision)};
}

// Waits for the turn, and holds it. The lease is kept alive meanwhile, and not revoked.
Ending HoldWithLease(const Environment& environment, const Tenure& tenure, Session& session,
                     const LeaseKeeper::Lease& lease) {
  Candidacy candidacy(session, environment.endpoints,
                      {tenure.name, tenure.value, lease.id, environment.timeout});
  CommandRunner runner(tenure.command);
  Disturbance disturbance;
  const InterruptListener listener([&](const InterruptListener::Interrupt& interrupt) {
    disturbance.SetInterrupted();
    candidacy.Cancel();
    runner.Interrupt(interrupt);
  });
  const LeaseKeeper keeper(session, lease, {.on_lost = [&](const std::string& why) {
                             disturbance.SetLost(why);
                             candidacy.Cancel();
                             runner.Terminate();
                           }});
  const auto ending = [&](Ending otherwise) {
    const std::optional<std::string> lost = disturbance.lost();
    if (!lost.has_value()) return otherwise;
    return Ending{ExitCode::kLeaseLost, absl::StrCat("the lease was lost: ", *lost)};
  };

  const Candidacy::End end = candidacy.Win();
  if (end.kind == Candidacy::End::Kind::kCancelled) {
    return ending({ExitCode::kFailed, "interrupted while it waited for its turn"});
  }
  if (end.kind == Candidacy::End::Kind::kFailed) return ending({ExitCode::kFailed, end.message});
  if (tenure.command.empty()) {
    tenure.print(end.kv);
    environment.terminal.out.flush();
    disturbance.Await();
    return ending({});
  }
  const absl::StatusOr<int> exit_code = runner.Run(Variables(tenure.word, end));
  if (absl::IsCancelled(exit_code.status())) return ending({});
  if (!exit_code.ok()) {
    return ending({ExitCode::kFailed, std::string(exit_code.status().message())});
  }
  return ending({ExitCodeOfCommand(*exit_code)});
}

}  // namespace

Ending HoldTenure(const Environment& environment, const Tenure& tenure) {
  Session session(environment.endpoints);
  etcdserverpb::LeaseGrantRequest request;
  request.set_ttl(tenure.ttl_seconds);
  etcdserverpb::LeaseGrantResponse response;
  const Deadline now = Deadline::After(absl::ZeroDuration());
  const Reply granted =
      GrantLease(session, Deadline::After(environment.timeout), request, &response);
  if (!granted.ok()) return {ExitCode::kFailed, absl::StrCat("no lease: ", Explain(granted))};
  const absl::Duration ttl = absl::Seconds(response.ttl());

  Ending ending = HoldWithLease(environment, tenure, session, {response.id(), ttl, now.Later(ttl)});

  const Reply revoked = RevokeLease(session, Deadline::After(environment.timeout), response.id());
  if (!revoked.ok() && ending.code != ExitCode::kLeaseLost) {
    environment.terminal.err << "the lease " << FormatLease(response.id())
                             << " could not be revoked, and ends by itself in " << response.ttl()
                             << " seconds at most: " << Explain(revoked) << std::endl;
  }
  return ending;
}

}  // namespace pontoon::ctl
