#include "tests/sim/simulation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "tests/sim/bookkeeper.h"
#include "tests/sim/churn.h"
#include "tests/sim/clients.h"
#include "tests/sim/compactor.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/fingerprint.h"
#include "tests/sim/history.h"
#include "tests/sim/lease_holders.h"
#include "tests/sim/ledger.h"
#include "tests/sim/linearizability.h"
#include "tests/sim/machine.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/network.h"
#include "tests/sim/once_writers.h"
#include "tests/sim/plots.h"
#include "tests/sim/readers.h"
#include "tests/sim/referee.h"
#include "tests/sim/trace.h"
#include "tests/sim/watchers.h"

namespace pontoon::sim {
namespace {

constexpr absl::Duration kAuditEvery = absl::Milliseconds(20);
constexpr absl::Duration kLookEvery = absl::Milliseconds(5);
// For what has nothing to do with elections: reading a long log back, in small messages.
constexpr absl::Duration kCatchUpMax = absl::Seconds(30);
// For a lease that has expired to be revoked, also if that is refused once.
constexpr absl::Duration kRevocationMax = absl::Seconds(2);
// Of the search for linear orders.
constexpr size_t kCallsOfPieceMin = 50;
constexpr size_t kCallsOfPieceMax = 400;
constexpr size_t kOpenCallsMax = 10;

class Simulation {
 public:
  Simulation(const SimOptions& options, Story story)
      : options_(options),
        loop_(Mix(options.seed, "events")),
        trace_(&loop_, story == Story::kPrinted),
        ledger_(&loop_, options.FoundingMembership(), &history_, &coverage_,
                {.clock_rate_error_max = options.ClockRateErrorMax(),
                 .election_timeout = options.core.election_timeout}),
        referee_(&ledger_, &coverage_),
        bookkeeper_(&loop_, &history_, &ledger_, &coverage_, &trace_),
        network_(&loop_, Mix(options.seed, "network"), options.network, &coverage_, &trace_,
                 Observer()),
        world_{.options = &options_,
               .loop = &loop_,
               .network = &network_,
               .referee = &referee_,
               .bookkeeper = &bookkeeper_,
               .coverage = &coverage_,
               .trace = &trace_},
        clients_(world_, &machines_, &history_, &ledger_),
        compactor_(world_, &machines_, &ledger_),
        lease_holders_(world_, &machines_, &ledger_),
        once_writers_(world_, &machines_, &ledger_),
        readers_(world_, &machines_, &ledger_),
        watchers_(world_, &machines_, &ledger_) {
    for (size_t node = 1; node <= options.nodes; ++node) {
      machines_.push_back(std::make_unique<Machine>(world_, NodeId(node)));
    }
    nemesis_ = std::make_unique<Nemesis>(world_, &machines_);
    churn_ = std::make_unique<Churn>(world_, &machines_, &ledger_);
    plots_ = std::make_unique<Plots>(world_, &machines_, &clients_);
  }

  // The nodes answer those who still wait when they end, so they end first.
  ~Simulation() { machines_.clear(); }

  RunResult Run() {
    trace_.Say(options_.Describe());
    for (const auto& machine : machines_) machine->Start();
    Audit();
    clients_.Start();
    nemesis_->Start();
    churn_->Start();
    plots_->Start();
    watchers_.Start();
    compactor_.Start();
    readers_.Start();
    lease_holders_.Start();
    once_writers_.Start();
    loop_.RunUntil(SimTime() + options_.safety_phase);
    trace_.Say("---- all faults end");
    plots_->End();
    nemesis_->HealAll();
    churn_->Stop();
    BecomeHealthy();
    CheckEnd();
    return Result();
  }

 private:
  Network::Observer Observer() {
    return {.on_sent =
                [this](const raft::Message& message) {
                  referee_.OnSent(message);
                  plots_->OnSent(message);
                },
            .on_delivered = [this](const raft::Message& message,
                                   Network::Observer::Copy copy) { OnDelivered(message, copy); }};
  }

  void OnDelivered(const raft::Message& message, Network::Observer::Copy copy) {
    if (copy != Network::Observer::Copy::kAgain) return;
    if (!std::holds_alternative<raft::ForwardProposals>(message.body)) return;
    if (referee_.newest_leader() == message.to && referee_.newest_term() == message.term) {
      coverage_.Reached(Path::kForwardedDuplicateDropped);
    }
  }

  // What cannot be seen from outside as it happens is looked at from time to time.
  void Audit() {
    for (const auto& machine : machines_) {
      if (!machine->up()) continue;
      const raft::ReplicaStatus status = machine->node()->Status();
      referee_.OnStatus(status);
      if (trace_.on()) TellRole(status);
    }
    loop_.After(kAuditEvery, [this] { Audit(); });
  }

  void TellRole(const raft::ReplicaStatus& status) {
    std::string role = absl::StrCat(raft::RoleName(status.role), " of term ", status.term.value());
    std::string& told = told_roles_[status.self.value()];
    if (told == role) return;
    trace_.Say("node ", status.self.value(), " is ", role, ", its log ends at ",
               status.last_index.value(), ", committed is ", status.commit.value());
    told = std::move(role);
  }

  // ---- liveness

  void BecomeHealthy() {
    const SimTime healed = loop_.now();
    const absl::Duration elections = kElectionsMax * options_.core.election_timeout;
    WaitFor("a leader", elections + StallsLeft(), [this] { return Leader() != kNoNode; });
    healing_ = Since(healed, loop_.now());
    // Clients go on for a while, at a cluster where nothing is wrong.
    loop_.RunUntil(loop_.now() + 2 * options_.core.election_timeout);
    clients_.Stop();
    compactor_.Stop();
    readers_.Stop();
    lease_holders_.Stop();
    once_writers_.Stop();
    WaitFor("the answers to all clients", options_.client.deadline_most * 2, [this] {
      return clients_.open() == 0 && compactor_.open() == 0 && lease_holders_.open() == 0 &&
             once_writers_.open() == 0 && readers_.open() == 0;
    });
    WaitFor("the answers to all operators", kCatchUpMax, [this] { return churn_->open() == 0; });
    WaitFor("a leader, and all nodes to have its log", kCatchUpMax, [this] { return Converged(); });
    WaitFor("whoever joins to have a vote", kCatchUpMax, [this] { return NobodyJoins(); });
    ProbeAll(elections);
    if (PrefersOneThatMayLead()) {
      WaitFor("the preferred leader", 3 * elections,
              [this] { return Leader() == options_.preferred; });
    }
    if (options_.leases.holders > 0) LetLeasesEnd();
    WaitFor("all nodes to apply the last writes", kCatchUpMax, [this] { return Converged(); });
    WaitFor("all watchers to hear of everything", kCatchUpMax,
            [this] { return watchers_.HaveHeardEverything(); });
    const NodeId leader = Leader();
    const Term term = referee_.newest_term();
    loop_.RunUntil(loop_.now() + kElectionsMax * options_.core.election_timeout);
    CHECK(Leader() == leader && referee_.newest_term() == term)
        << "node " << leader << " led a healthy cluster, and leads no more";
  }

  // Nobody renews a lease any more. The leader may change once more.
  void LetLeasesEnd() {
    using enum LeaseHolders::Leader;
    WaitForOutcomes();
    const Term term = referee_.newest_term();
    if (options_.preferred == kNoNode) HandOver();
    lease_holders_.ExpectEnds(referee_.newest_term() > term ? kNew : kSame,
                              kElectionsMax * options_.core.election_timeout + kRevocationMax);
    const absl::Duration most = absl::Seconds(2 * options_.leases.ttl_most_seconds) + kCatchUpMax;
    WaitFor("all leases to end", most, [this] { return lease_holders_.HaveEnded(); });
    WaitForOutcomes();
  }

  void WaitForOutcomes() {
    WaitFor("all proposals to have an outcome", kCatchUpMax,
            [this] { return bookkeeper_.open() == 0; });
  }

  // Has another node lead, if there is one that can.
  void HandOver() {
    Machine* const leader = machines_[Leader().value() - 1].get();
    bool done = false;
    leader->node()->TransferLeadership(kNoNode, leader->Now() + options_.core.election_timeout,
                                       [&done](const absl::Status&) { done = true; });
    WaitFor("a leader to have handed over", kElectionsMax * options_.core.election_timeout,
            [this, &done] { return done && Leader() != kNoNode; });
  }

  // How long it takes at most until what the disks began in a stall is done.
  absl::Duration StallsLeft() const {
    absl::Duration left = absl::ZeroDuration();
    for (const auto& machine : machines_) {
      if (machine->up()) left = std::max(left, Since(loop_.now(), machine->disk_busy_until()));
    }
    return left;
  }

  void WaitFor(const char* what, absl::Duration most, const std::function<bool()>& there) {
    const SimTime end = loop_.now() + most;
    while (!there()) {
      CHECK_LT(loop_.now(), end) << "waited in vain for " << what << " for " << most;
      loop_.RunUntil(loop_.now() + kLookEvery);
    }
    trace_.Say("---- there is: ", what);
  }

  // Whether the machine is up, and its node takes part.
  bool IsAtWork(const Machine& machine) const {
    return machine.up() && ledger_.memberships().latest().membership.IsLasting(machine.id());
  }

  // Whether no change of the voters is due, or under way, that nobody has to ask for.
  bool NobodyJoins() const {
    const Membership& membership = ledger_.memberships().latest().membership;
    return !membership.IsJoint() &&
           std::none_of(membership.joining.begin(), membership.joining.end(),
                        [this](NodeId node) { return machines_[node.value() - 1]->up(); });
  }

  bool PrefersOneThatMayLead() const {
    if (options_.preferred == kNoNode) return false;
    return machines_[options_.preferred.value() - 1]->up() &&
           ledger_.memberships().latest().membership.IsLastingVoter(options_.preferred);
  }

  void ProbeAll(absl::Duration timeout) {
    size_t open = 0;
    for (const auto& machine : machines_) {
      if (!IsAtWork(*machine)) continue;
      ++open;
      Probe(machine.get(), timeout, [&open] { --open; });
    }
    WaitFor("writes at all nodes", timeout * 2, [&open] { return open == 0; });
  }

  // Has a write applied at `machine`. If a snapshot took the place of the entries that it waited
  // for, which a log that keeps next to nothing can bring about at any time, it tries again.
  void Probe(Machine* machine, absl::Duration timeout, std::function<void()> done) {
    clients_.Probe(machine, timeout, [this, machine, timeout, done = std::move(done)](Told told) {
      if (told == Told::kApplied) return done();
      CHECK(told == Told::kUnknown)
          << "node " << machine->id() << " of a healthy cluster could not have a write applied";
      loop_.After(absl::ZeroDuration(),
                  [this, machine, timeout, done] { Probe(machine, timeout, done); });
    });
  }

  // Whom all that are up follow; kNoNode if they do not agree.
  NodeId Leader() {
    NodeId leader;
    Term term;
    for (const auto& machine : machines_) {
      if (!IsAtWork(*machine)) continue;
      const raft::ReplicaStatus status = machine->node()->Status();
      if (leader == kNoNode) {
        leader = status.leader;
        term = status.term;
      }
      if (status.leader == kNoNode || status.leader != leader || status.term != term)
        return kNoNode;
    }
    return leader;
  }

  bool Converged() {
    const Membership& membership = ledger_.memberships().latest().membership;
    if (Leader() == kNoNode || membership.IsJoint()) return false;
    LogIndex last;
    for (const auto& machine : machines_) {
      if (!IsAtWork(*machine)) continue;
      const raft::ReplicaStatus status = machine->node()->Status();
      if (last == LogIndex()) last = status.last_index;
      if (status.last_index != last || status.applied != last) return false;
    }
    return true;
  }

  // ---- the end

  void CheckEnd() {
    CheckContents();
    CheckAcknowledged();
    for (uint32_t key = 0; key < options_.client.keys; ++key) CheckKey(KeyId(key));
  }

  void CheckContents() {
    for (const auto& machine : machines_) {
      if (!IsAtWork(*machine)) continue;
      CHECK_EQ(machine->node()->Status().applied, ledger_.last());
      const StateModel contents = machine->store().Contents();
      CHECK(contents == ledger_.model())
          << "node " << machine->id() << " holds " << contents.Describe() << ", and the log makes "
          << ledger_.model().Describe();
    }
  }

  void CheckAcknowledged() {
    for (const OperationRecord& record : history_.records()) {
      CHECK(record.told != Told::kNothing);
      if (record.told == Told::kApplied) {
        CHECK(record.applied_at != LogIndex() && record.applied_at <= ledger_.last());
      } else if (record.told == Told::kUnknown && record.applied_at == LogIndex()) {
        coverage_.Reached(Path::kUnknownWasNotApplied);
      }
    }
  }

  // Piece by piece, each from a moment at which no call was under way. What comes while too many
  // are is left out, for a search there might take for ever; the ledger has checked it all the
  // same, as it has the value with which a piece begins.
  void CheckKey(KeyId key) {
    std::vector<RegisterCall> piece;
    Value initial = kAbsent;
    int64_t busy_until = 0;
    bool too_busy = false;
    for (const OperationRecord& record : history_.records()) {
      if (record.operation.key != key) continue;
      const std::optional<RegisterCall> call = CallOf(record);
      if (!call.has_value()) continue;
      if (call->begin > busy_until && (too_busy || piece.size() >= kCallsOfPieceMin)) {
        CheckPiece(key, initial, piece);
        piece.clear();
        initial = ledger_.ValueAt(key, record.committed_before);
        too_busy = false;
      }
      busy_until = std::max(busy_until, call->end);
      if (too_busy) continue;
      if (piece.size() >= kCallsOfPieceMax || OpenAt(call->begin, piece) >= kOpenCallsMax) {
        CutAt(call->begin, &piece);
        too_busy = true;
      } else {
        piece.push_back(*call);
      }
    }
    CheckPiece(key, initial, piece);
  }

  static void CheckPiece(KeyId key, Value initial, const std::vector<RegisterCall>& calls) {
    const Verdict verdict = CheckRegister(calls, {.initial = initial});
    CHECK(verdict == Verdict::kLinearizable)
        << "the history of key " << key << " is "
        << (verdict == Verdict::kGaveUp ? "too hard to check" : "not linearizable") << ", in "
        << calls.size() << " calls from " << calls.front().begin << " ns on";
  }

  static size_t OpenAt(int64_t time, const std::vector<RegisterCall>& calls) {
    return std::count_if(calls.begin(), calls.end(),
                         [time](const RegisterCall& call) { return call.end >= time; });
  }

  // What a history was at `time`: of the calls that were under way nobody had heard.
  static void CutAt(int64_t time, std::vector<RegisterCall>* calls) {
    for (RegisterCall& call : *calls) {
      if (call.end < time) continue;
      call.end = RegisterCall::kNever;
      call.changed.reset();
    }
  }

  // A write whose client was told nothing of use is known from the log all the same: it took effect
  // before the first node applied it, or never. Reads that failed say nothing.
  std::optional<RegisterCall> CallOf(const OperationRecord& record) const {
    if (record.told == Told::kReadFailed || record.told == Told::kNotApplied) return std::nullopt;
    if (record.operation.kind > OperationKind::kRead) return std::nullopt;  // not of one key
    RegisterCall call{.kind = record.operation.kind,
                      .value = record.operation.value,
                      .expected = record.operation.expected,
                      .changed = std::nullopt,
                      .begin = record.begin.value(),
                      .end = record.end.value()};
    if (record.told == Told::kRead) {
      call.value = record.value;
    } else if (record.told == Told::kApplied) {
      call.changed = ledger_.EffectAt(record.applied_at).changed;
    } else if (record.applied_at == LogIndex()) {
      return std::nullopt;
    } else {
      call.end = record.applied_first.value();
    }
    return call;
  }

  RunResult Result() const {
    RunResult result;
    result.digest = loop_.digest();
    result.events = loop_.events_run();
    result.simulated = Since(SimTime(), loop_.now());
    result.healing = healing_;
    result.operations = history_.records().size();
    for (const OperationRecord& record : history_.records()) {
      if (record.told == Told::kApplied) ++result.writes_acknowledged;
      if (record.told == Told::kRead) ++result.reads_checked;
    }
    result.entries = ledger_.last().value();
    result.terms = referee_.newest_term().value();
    result.leaders = referee_.leaders();
    result.coverage = coverage_;
    return result;
  }

  const SimOptions options_;
  EventLoop loop_;
  Coverage coverage_;
  const Trace trace_;
  History history_;
  Ledger ledger_;
  Referee referee_;
  Bookkeeper bookkeeper_;
  Network network_;
  const World world_;
  Machines machines_;
  Clients clients_;
  Compactor compactor_;
  LeaseHolders lease_holders_;
  OnceWriters once_writers_;
  Readers readers_;
  Watchers watchers_;
  std::unique_ptr<Nemesis> nemesis_;
  std::unique_ptr<Churn> churn_;
  std::unique_ptr<Plots> plots_;
  absl::Duration healing_;
  std::array<std::string, kNodesMax + 1> told_roles_;  // to the reader of the story
};

}  // namespace

RunResult RunSimulation(const SimOptions& options, Story story) {
  return Simulation(options, story).Run();
}

}  // namespace pontoon::sim
