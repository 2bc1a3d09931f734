#include "kv/store/command_runner.h"

#include <utility>
#include <variant>

#include "kv/errors.h"
#include "kv/store/key_range.h"
#include "kv/store/kv_transaction.h"
#include "kv/store/lease_records.h"
#include "kv/store/member_records.h"
#include "kv/store/meta.h"
#include "kv/store/once_session.h"
#include "kv/store/txn.h"
#include "kv/store/write_operations.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::AlarmRequest;
using ::etcdserverpb::AlarmResponse;
using ::etcdserverpb::CompactionRequest;
using ::etcdserverpb::CompactionResponse;
using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::LeaseGrantRequest;
using ::etcdserverpb::LeaseGrantResponse;
using ::etcdserverpb::LeaseRevokeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;
using storage::v1::Command;
using storage::v1::LeaseCheckpoints;
using storage::v1::LeaseRevocation;

// Whether a leader of another term than that of the entry wanted it: while the command was under
// way another one may have renewed the lease.
bool IsOfFormerLeader(uint64_t leader_term, Term term) { return Term(leader_term) != term; }

absl::Status FormerLeader() {
  return absl::FailedPreconditionError("the leader that wanted it does not lead any more");
}

// Whether it may come with conditions.
bool IsWrite(const Command& command) {
  return command.has_put() || command.has_delete_range() || command.has_txn();
}

// Makes room for a response in `result`; null if that is null.
template <typename Response>
Response* NewResponse(KvResult* result) {
  return result ? &result->response.emplace<Response>() : nullptr;
}

}  // namespace

absl::Status CommandRunner::Run(const std::string& payload, Term term, KvResult* result) {
  is_wanted_ = result != nullptr;
  absl::Status status = command_.ParseFromString(payload)
                            ? Execute(command_, term, result)
                            : absl::InvalidArgumentError("the command cannot be decoded");
  if (result) {
    if (!status.ok()) result->response = std::monostate();
    result->status = std::move(status);
  }
  return failure_.ok() ? reader_->status() : failure_;
}

absl::Status CommandRunner::Execute(const Command& command, Term term, KvResult* result) {
  if (!command.has_conditions()) return Decide(command, term, result);
  if (!IsWrite(command)) {
    return absl::InvalidArgumentError("the command is of a kind that has no conditions");
  }
  const bool once = command.conditions().options().has_once();
  return once ? ExecuteOnce(command, term, result) : Decide(command, term, result);
}

absl::Status CommandRunner::ExecuteOnce(const Command& command, Term term, KvResult* result) {
  const storage::v1::WriteConditions& conditions = command.conditions();
  const v1::Once& once = conditions.options().once();
  absl::StatusOr<std::optional<OnceSession>> loaded =
      OnceSession::Load(LeaseId(once.session()), overlay_);
  if (!loaded.ok()) return Fail(loaded.status());
  if (!loaded->has_value()) {
    Count(&StoreInstruments::once_session_not_found);
    return kErrOnceSessionNotFound;
  }
  OnceSession& session = **loaded;
  if (absl::Status s = session.ForgetBelow(once.answered_below()); !s.ok()) return Fail(s);

  const auto known = session.Find(once.sequence());
  if (!known.ok()) return Fail(known.status());
  KvResult decided;
  if (known->has_value()) {
    if ((*known)->fingerprint() != conditions.fingerprint()) {
      Count(&StoreInstruments::once_reused);
      return kErrOnceReused;
    }
    Count(&StoreInstruments::once_repeated);
    decided = Repeat(**known);
  } else {
    if (absl::Status s = session.Admit(once.sequence()); !s.ok()) {
      Count(Is(s, kErrOnceTooMany) ? &StoreInstruments::once_too_many
                                   : &StoreInstruments::once_forgotten);
      return s;
    }
    Count(&StoreInstruments::once_decided);
    decided.status = Decide(command, term, &decided);
    // What was done on a reader that has failed is worthless, and so is what was decided.
    session.Keep(once.sequence(), conditions.fingerprint(), decided);
  }
  const absl::Status status = decided.status;
  if (result) *result = std::move(decided);
  return status;
}

absl::Status CommandRunner::Decide(const Command& command, Term term, KvResult* result) {
  if (absl::Status alarmed = CheckAlarms(command); !alarmed.ok()) return alarmed;
  if (command.conditions().options().has_fence()) {
    absl::Status held = CheckFence(command.conditions().options().fence());
    if (!held.ok()) return held;
  }
  switch (command.command_case()) {
    case Command::kPut:
      return Put(command.put(), result);
    case Command::kDeleteRange:
      return DeleteRange(command.delete_range(), result);
    case Command::kTxn:
      return Txn(command.txn(), result);
    case Command::kCompaction:
      return Compact(command.compaction(), result);
    case Command::kLeaseGrant:
      return GrantLease(command.lease_grant(), result);
    case Command::kLeaseRevocation:
      return RevokeLease(command.lease_revocation(), term, result);
    case Command::kLeaseCheckpoints:
      return CheckpointLeases(command.lease_checkpoints(), term);
    case Command::kAlarm:
      return ChangeAlarms(command.alarm(), result);
    case Command::kMemberPublication:
      return Publish(command.member_publication());
    case Command::COMMAND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the command is of an unknown kind");
}

absl::Status CommandRunner::CheckAlarms(const Command& command) const {
  if (alarms_.raised().empty()) return absl::OkStatus();
  bool changes = false, needs_space = false;
  switch (command.command_case()) {
    case Command::kPut:
    case Command::kLeaseGrant:
      changes = needs_space = true;
      break;
    case Command::kTxn:
      changes = true;
      needs_space = HasPut(command.txn());
      break;
    case Command::kDeleteRange:
    case Command::kCompaction:
    case Command::kLeaseRevocation:
      changes = true;
      break;
    case Command::kLeaseCheckpoints:
    case Command::kAlarm:
    case Command::kMemberPublication:
    case Command::COMMAND_NOT_SET:
      break;
  }
  if (changes && alarms_.IsRaised(etcdserverpb::CORRUPT)) return kErrCorrupt;
  if (needs_space && alarms_.IsRaised(etcdserverpb::NOSPACE)) return kErrNoSpace;
  return absl::OkStatus();
}

absl::Status CommandRunner::CheckFence(const v1::Fence& fence) {
  const std::unique_ptr<KvCursor> lock = reader_->Scan(KeyRange::Single(fence.key()));
  const bool held =
      lock->Valid() && lock->Describe().create_revision.value() == fence.create_revision();
  if (held) return absl::OkStatus();
  Count(&StoreInstruments::fenced);
  return kErrFenced;
}

absl::Status CommandRunner::Put(const PutRequest& request, KvResult* result) {
  absl::Status possible = CheckPut(request, reader_);
  if (!possible.ok()) return possible;
  KvTransaction transaction(reader_, overlay_);
  ExecutePut(request, &transaction, NewResponse<PutResponse>(result));
  return absl::OkStatus();
}

absl::Status CommandRunner::DeleteRange(const DeleteRangeRequest& request, KvResult* result) {
  absl::Status possible = CheckDeleteRangeRequest(request);
  if (!possible.ok()) return possible;
  KvTransaction transaction(reader_, overlay_);
  ExecuteDeleteRange(request, &transaction, NewResponse<DeleteRangeResponse>(result));
  return absl::OkStatus();
}

absl::Status CommandRunner::Txn(const TxnRequest& request, KvResult* result) {
  KvTransaction transaction(reader_, overlay_);
  return ExecuteTxn(request, &transaction, NewResponse<TxnResponse>(result));
}

absl::Status CommandRunner::Compact(const CompactionRequest& request, KvResult* result) {
  Revision revision(request.revision());
  if (revision <= reader_->compacted()) return kErrCompacted;
  if (revision > reader_->revision()) return kErrFutureRev;
  reader_->CompactTo(revision);
  auto [key, value] = CompactedRecord(revision);
  overlay_->Put(key, value);
  if (auto* response = NewResponse<CompactionResponse>(result)) {
    response->mutable_header()->set_revision(reader_->revision().value());
  }
  return absl::OkStatus();
}

std::optional<LeaseState> CommandRunner::FindLease(LeaseId lease) {
  const absl::StatusOr<std::optional<LeaseState>> state = ReadLease(*overlay_, lease);
  if (state.ok()) return *state;
  failure_ = state.status();
  return std::nullopt;
}

absl::Status CommandRunner::GrantLease(const LeaseGrantRequest& request, KvResult* result) {
  const LeaseId lease(request.id());
  if (lease == kNoLease) return kErrLeaseNotFound;
  if (request.ttl() > kLeaseTtlSecondsMax) return kErrLeaseTTLTooLarge;
  if (FindLease(lease).has_value()) return kErrLeaseExist;
  const LeaseState state{.granted_ttl_seconds = request.ttl()};
  PutLease(lease, state, overlay_);
  lease_changes_.push_back({LeaseChange::Kind::kGranted, lease, state});
  if (auto* response = NewResponse<LeaseGrantResponse>(result)) {
    response->mutable_header()->set_revision(reader_->revision().value());
    response->set_id(request.id());
    response->set_ttl(request.ttl());
  }
  return absl::OkStatus();
}

absl::Status CommandRunner::RevokeLease(const LeaseRevocation& revocation, Term term,
                                        KvResult* result) {
  const bool expired = revocation.leader_term() != 0;
  if (expired && IsOfFormerLeader(revocation.leader_term(), term)) return FormerLeader();
  const LeaseId lease(revocation.id());
  if (!FindLease(lease).has_value()) return kErrLeaseNotFound;
  KvTransaction transaction(reader_, overlay_);
  if (absl::Status s = RemoveLease(lease, overlay_, &transaction); !s.ok()) return Fail(s);
  if (absl::Status s = ForgetOnceSession(lease, overlay_); !s.ok()) return Fail(s);
  lease_changes_.push_back({LeaseChange::Kind::kRevoked, lease, LeaseState()});
  if (auto* response = NewResponse<LeaseRevokeResponse>(result)) {
    response->mutable_header()->set_revision(reader_->revision().value());
  }
  return absl::OkStatus();
}

// Those of leases that are gone meanwhile are left out.
absl::Status CommandRunner::CheckpointLeases(const LeaseCheckpoints& checkpoints, Term term) {
  if (IsOfFormerLeader(checkpoints.leader_term(), term)) return FormerLeader();
  for (const etcdserverpb::LeaseCheckpoint& checkpoint : checkpoints.checkpoints()) {
    const LeaseId lease(checkpoint.id());
    std::optional<LeaseState> state = FindLease(lease);
    if (!state.has_value()) continue;
    state->remaining_ttl_seconds = checkpoint.remaining_ttl();
    PutLease(lease, *state, overlay_);
    lease_changes_.push_back({LeaseChange::Kind::kCheckpointed, lease, *state});
  }
  return absl::OkStatus();
}

// As in etcd, an alarm of no type is none, and only what was changed is answered.
absl::Status CommandRunner::ChangeAlarms(const AlarmRequest& request, KvResult* result) {
  const AlarmSet::Alarm alarm{request.alarm(), NodeId(request.memberid())};
  bool named = request.alarm() != etcdserverpb::NONE;
  if (request.action() == AlarmRequest::ACTIVATE) {
    if (named) alarms_.Raise(alarm);
  } else if (request.action() == AlarmRequest::DEACTIVATE) {
    named = alarms_.Clear(alarm);
  } else {
    return absl::InvalidArgumentError("the command neither raises nor clears an alarm");
  }
  auto [key, value] = AlarmsRecord(alarms_);
  overlay_->Put(key, value);
  if (auto* response = NewResponse<AlarmResponse>(result)) {
    response->mutable_header()->set_revision(reader_->revision().value());
    if (named) {
      response->add_alarms()->set_memberid(request.memberid());
      response->mutable_alarms(0)->set_alarm(request.alarm());
    }
  }
  return absl::OkStatus();
}

absl::Status CommandRunner::Publish(const storage::v1::MemberPublication& publication) {
  const absl::StatusOr<bool> from_a_member = ApplyPublication(publication, overlay_);
  if (!from_a_member.ok()) return Fail(from_a_member.status());
  return *from_a_member ? absl::OkStatus() : absl::Status(kErrMemberNotFound);
}

}  // namespace pontoon::kv
