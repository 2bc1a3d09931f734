#include "tests/sim/lease_holders.h"

#include <vector>

#include "absl/time/time.h"
#include "kv/lease/lease_question.h"
#include "raft/base/check.h"
#include "tests/sim/dice.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

using Kind = kv::LeaseQuestion::Kind;

// Those of all holders: they take keys from each other.
constexpr uint32_t kKeys = 12;
static_assert(kLeaseKeysBegin.value() + kKeys <= kKeysMax);
constexpr absl::Duration kLookMost = absl::Milliseconds(300);
constexpr uint64_t kRenewalsMost = 12;

}  // namespace

class LeaseHolders::Holder {
 public:
  Holder(size_t number, LeaseHolders* all)
      : all_(all),
        world_(all->world_),
        proposals_(&all->proposals_),
        dice_(Mix(Mix(all->world_.options->seed, "lease holder"), number)) {}

  LeaseId lease() const { return lease_; }

  void Look() {
    if (all_->stopped_) return;
    Act();
    world_.loop->After(dice_.Between(absl::Milliseconds(1), kLookMost), [this] { Look(); });
  }

 private:
  void Act() {
    if (granting_) return;
    if (lease_ == kNoLease) return Grant();
    if (world_.loop->now() >= renew_at_) return RenewOrEnd();
    switch (dice_.Below(10)) {
      case 0:
      case 1:
      case 2:
        return Put(lease_);
      case 3:
        return Put(dice_.OneIn(2) ? kNoLease : LeaseId(dice_.Between(1, lease_.value())));
      case 4:
        return Delete();
      case 5:
        return Ask(Kind::kTimeLeft);
      default:
        return;
    }
  }

  void Grant() {
    const LeaseOptions& options = world_.options->leases;
    const auto ttl_seconds = static_cast<int64_t>(
        dice_.OneIn(3) ? dice_.Between(options.ttl_least_seconds, options.ttl_most_seconds)
                       : dice_.Skewed(options.ttl_least_seconds, options.ttl_most_seconds));
    renewals_left_ = dice_.Below(kRenewalsMost + 1);
    ttl_ = absl::Seconds(ttl_seconds);
    Machine* const machine = proposals_->AnyMachine(&dice_);
    if (machine == nullptr) return;
    granting_ = true;
    proposals_->Grant(machine, ttl_seconds, &dice_, [this](LeaseId granted) {
      granting_ = false;
      if (granted == kNoLease) return;
      lease_ = granted;
      renewed_by_ = kNoNode;
      RenewLater();
    });
  }

  // Mostly before the lease ends, and sometimes just when it does.
  void RenewLater() {
    const absl::Duration after =
        dice_.OneIn(3) ? dice_.Between(ttl_ * 0.9, ttl_ * 1.2) : dice_.Between(ttl_ / 10, ttl_);
    renew_at_ = world_.loop->now() + after;
  }

  void RenewOrEnd() {
    if (renewals_left_ > 0) {
      --renewals_left_;
      RenewLater();
      return Ask(Kind::kRenew);
    }
    if (dice_.OneIn(3)) {
      Operation revoke = proposals_->New(OperationKind::kRevoke);
      revoke.lease = lease_;
      Write(revoke);
    }
    lease_ = kNoLease;
  }

  void Put(LeaseId lease) {
    Operation put = proposals_->New(OperationKind::kPut);
    put.key = AnyKey();
    put.value = Value(put.id.value());
    put.lease = lease;
    Write(put);
  }

  void Delete() {
    Operation deletion = proposals_->New(OperationKind::kDelete);
    deletion.key = AnyKey();
    Write(deletion);
  }

  KeyId AnyKey() { return kLeaseKeysBegin + static_cast<uint32_t>(dice_.Below(kKeys)); }

  // At some node.
  void Write(const Operation& operation) {
    if (Machine* const machine = proposals_->AnyMachine(&dice_)) {
      proposals_->Send(machine, operation, &dice_);
    }
  }

  // Asks whom some node takes for the leader, or now and then just anybody; about all leases
  // together now and then, as a member does for its clients.
  void Ask(Kind kind) {
    Machine* machine = proposals_->AnyMachine(&dice_);
    if (machine == nullptr) return;
    const NodeId leader = machine->node()->CurrentLeadership().leader;
    if (leader != kNoNode && !dice_.OneIn(10)) {
      machine = (*all_->machines_)[leader.value() - 1].get();
    }
    if (!machine->up()) return;
    std::vector<LeaseId> leases = {lease_};
    if (dice_.OneIn(3)) leases = all_->LeasesOfAll();
    machine->lessor()->Ask({kind, leases},
                           [this, kind, leases, node = machine->id(),
                            asked = world_.loop->now()](const kv::LeaseAnswer& answer) {
                             world_.loop->Note(Mix(leases.size(), answer.ok()));
                             if (!answer.ok()) return;
                             CHECK_EQ(answer->size(), leases.size());
                             for (size_t i = 0; i < leases.size(); ++i) {
                               OnAnswer(node, {.kind = kind,
                                               .lease = leases[i],
                                               .seconds = answer->at(i),
                                               .asked = asked,
                                               .answered = world_.loop->now()});
                             }
                           });
  }

  void OnAnswer(NodeId node, const LeaseBook::Answer& answer) {
    const bool renews = answer.kind == Kind::kRenew;
    world_.loop->Note(Mix(answer.lease.value(), answer.seconds));
    world_.trace->Say("    lease ", answer.lease.value(), " at node ", node.value(),
                      renews ? " is renewed: " : " has left: ", answer.seconds, " s");
    all_->ledger_->leases()->OnAnswer(answer);
    if (answer.seconds == kv::kNoSuchLease) {
      world_.coverage->Reached(Path::kLeaseFoundGone);
      if (answer.lease == lease_) lease_ = kNoLease;
    } else if (renews) {
      world_.coverage->Reached(Path::kLeaseRenewed);
      if (answer.lease != lease_) return;
      if (renewed_by_ != kNoNode && renewed_by_ != node) {
        world_.coverage->Reached(Path::kLeaseRenewedByAnother);
      }
      renewed_by_ = node;
    }
  }

  LeaseHolders* const all_;
  const World& world_;
  Proposals* const proposals_;
  Dice dice_;
  bool granting_ = false;
  LeaseId lease_;  // kNoLease: it has none
  absl::Duration ttl_;
  SimTime renew_at_;
  uint64_t renewals_left_ = 0;
  NodeId renewed_by_;
};

LeaseHolders::LeaseHolders(const World& world, Machines* machines, Ledger* ledger)
    : world_(world), machines_(machines), ledger_(ledger), proposals_(world, machines, ledger) {
  for (size_t i = 0; i < world.options->leases.holders; ++i) {
    holders_.push_back(std::make_unique<Holder>(i, this));
  }
}

LeaseHolders::~LeaseHolders() = default;

void LeaseHolders::Start() {
  for (const auto& holder : holders_) holder->Look();
}

std::vector<LeaseId> LeaseHolders::LeasesOfAll() const {
  std::vector<LeaseId> leases;
  for (const auto& holder : holders_) {
    if (holder->lease() != kNoLease) leases.push_back(holder->lease());
  }
  return leases;
}

void LeaseHolders::ExpectEnds(Leader leader, absl::Duration margin) {
  leader_ = leader;
  margin_ = margin;
  HaveEnded();
}

// A grant whose outcome is unknown may take effect late.
bool LeaseHolders::HaveEnded() {
  const SimTime now = world_.loop->now();
  for (const auto& [id, lease] : ledger_->model().leases()) {
    const int64_t left = leader_ == Leader::kNew ? lease.LeftSeconds() : lease.ttl_seconds;
    const absl::Duration most =
        ledger_->leases()->MostOf(absl::Seconds(left) + world_.options->core.election_timeout);
    const SimTime end = ends_.try_emplace(id, now + most + margin_).first->second;
    CHECK_LE(now, end) << "lease " << id << " of " << lease.ttl_seconds << " s, with "
                       << lease.remaining_seconds
                       << " s left at its last checkpoint, should have ended";
  }
  return ledger_->model().leases().empty();
}

}  // namespace pontoon::sim
