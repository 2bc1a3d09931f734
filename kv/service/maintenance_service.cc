#include "kv/service/maintenance_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "kv/errors.h"
#include "kv/service/command.h"
#include "kv/service/command_result.h"
#include "kv/outcome.h"
#include "kv/service/patient_call.h"
#include "kv/service/snapshot_file.h"
#include "kv/service/stream_call.h"
#include "kv/service/version.h"
#include "kv/store/history_hash.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::AlarmRequest;
using etcdserverpb::AlarmResponse;
using etcdserverpb::AlarmType;
using etcdserverpb::DowngradeRequest;
using etcdserverpb::MoveLeaderRequest;
using etcdserverpb::MoveLeaderResponse;
using etcdserverpb::SnapshotResponse;
using etcdserverpb::StatusRequest;
using etcdserverpb::StatusResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// An AlarmRequest is far smaller.
constexpr size_t kAlarmBytesMax = 1024;
// As etcd.
constexpr size_t kSnapshotPieceBytes = 32 << 10;

ServerUnaryReactor* FinishedWith(CallbackServerContext* call, const absl::Status& status) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Whether `text` is what etcd takes for a version: "3.6", or "3.6.0".
bool IsVersion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  uint32_t number;
  return (parts.size() == 2 || parts.size() == 3) &&
         std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return absl::SimpleAtoi(part, &number); });
}

// The next bytes of `file`, of which `size` is an estimate, or its checksum.
absl::StatusOr<StreamCall<SnapshotResponse>::Step> MakePiece(uint64_t size, SnapshotFile* file,
                                                             SnapshotResponse* piece) {
  using Step = StreamCall<SnapshotResponse>::Step;
  absl::StatusOr<std::string> bytes = file->Read(kSnapshotPieceBytes);
  if (!bytes.ok()) return bytes.status();
  piece->set_version(kEtcdApiVersion);
  const bool is_end = bytes->empty();
  piece->set_blob(is_end ? file->TakeChecksum() : *std::move(bytes));
  if (!is_end && size > file->bytes_read()) piece->set_remaining_bytes(size - file->bytes_read());
  return is_end ? Step::kLastPiece : Step::kPiece;
}

}  // namespace

ServerUnaryReactor* MaintenanceService::Status(CallbackServerContext* call,
                                               const StatusRequest* /*request*/,
                                               StatusResponse* response) {
  if (absl::Status s = parts_.member->CheckCall(*call, Member::Learners::kServe); !s.ok()) {
    return FinishedWith(call, s);
  }
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::Status posted =
      parts_.lane->Post([this, reactor, response](const ReadView& /*view*/, Term /*term*/) {
        parts_.reporter->Fill(response);
        reactor->Finish(grpc::Status::OK);
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(posted));
  return reactor;
}

ServerUnaryReactor* MaintenanceService::Alarm(CallbackServerContext* call,
                                              const AlarmRequest* request,
                                              AlarmResponse* response) {
  // A member that is corrupt serves this.
  if (absl::Status s = parts_.member->CheckCall(*call); !s.ok()) return FinishedWith(call, s);
  switch (request->action()) {
    case AlarmRequest::GET:
      return ListAlarms(call, request->alarm(), response);
    case AlarmRequest::ACTIVATE:
    case AlarmRequest::DEACTIVATE:
      return ChangeAlarms(call, *request, response);
    default:
      return FinishedWith(call, absl::InvalidArgumentError("unknown action on alarms"));
  }
}

ServerUnaryReactor* MaintenanceService::ListAlarms(CallbackServerContext* call, AlarmType type,
                                                   AlarmResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  parts_.member->replica()->ReadBarrier(
      raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
      [this, reactor, type, response](absl::Status passed) {
        const raft::Leadership now = parts_.member->replica()->CurrentLeadership();
        if (!passed.ok()) return reactor->Finish(ToGrpc(ErrorOfRead(passed, now.leader)));
        const std::shared_ptr<const ReadView> view = parts_.store->View();
        parts_.member->FillHeader(now.term, response->mutable_header());
        response->mutable_header()->set_revision(view->revision().value());
        for (const AlarmSet::Alarm& alarm : view->alarms().raised()) {
          if (type != etcdserverpb::NONE && type != alarm.type) continue;
          etcdserverpb::AlarmMember& listed = *response->add_alarms();
          listed.set_memberid(alarm.member.value());
          listed.set_alarm(alarm.type);
        }
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

ServerUnaryReactor* MaintenanceService::ChangeAlarms(CallbackServerContext* call,
                                                     const AlarmRequest& request,
                                                     AlarmResponse* response) {
  if (!etcdserverpb::AlarmType_IsValid(request.alarm())) {
    return FinishedWith(call, absl::InvalidArgumentError("unknown type of alarm"));
  }
  absl::StatusOr<Payload> command = EncodeCommand(request, kAlarmBytesMax);
  if (!command.ok()) return FinishedWith(call, command.status());
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  parts_.member->replica()->Propose(
      *std::move(command), parts_.member->DeadlineOf(*call),
      [this, reactor, response](raft::ProposeOutcome outcome) {
        reactor->Finish(ToGrpc(TakeResponse(*parts_.member, std::move(outcome), response)));
      });
  return reactor;
}

ServerUnaryReactor* MaintenanceService::Defragment(CallbackServerContext* call,
                                                   const etcdserverpb::DefragmentRequest*,
                                                   etcdserverpb::DefragmentResponse*) {
  auto* const patient = new PatientCall;
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) {
    patient->FinishNow(s);
    return patient;
  }
  parts_.store->Defragment(patient->Wait());
  return patient;
}

ServerUnaryReactor* MaintenanceService::Hash(CallbackServerContext* call,
                                             const etcdserverpb::HashRequest*,
                                             etcdserverpb::HashResponse* response) {
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) return FinishedWith(call, s);
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const auto answer = [this, call, reactor, response](const ReadView& view, Term term) {
    const absl::StatusOr<uint32_t> hash = HashRecords(view, [call] { return call->IsCancelled(); });
    if (!hash.ok()) return reactor->Finish(ToGrpc(hash.status()));
    parts_.member->FillHeader(term, response->mutable_header());
    response->mutable_header()->set_revision(view.revision().value());
    response->set_hash(*hash);
    reactor->Finish(grpc::Status::OK);
  };
  if (absl::Status s = parts_.hashes->Post(answer); !s.ok()) reactor->Finish(ToGrpc(s));
  return reactor;
}

ServerUnaryReactor* MaintenanceService::HashKV(CallbackServerContext* call,
                                               const etcdserverpb::HashKVRequest* request,
                                               etcdserverpb::HashKVResponse* response) {
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) return FinishedWith(call, s);
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const auto answer = [this, call, reactor, request, response](const ReadView& view, Term term) {
    const absl::StatusOr<HistoryHash> hash =
        HashHistory(view, request->revision(), [call] { return call->IsCancelled(); });
    if (!hash.ok()) return reactor->Finish(ToGrpc(hash.status()));
    parts_.member->FillHeader(term, response->mutable_header());
    response->mutable_header()->set_revision(view.revision().value());
    response->set_hash(hash->crc);
    response->set_compact_revision(hash->compacted.value());
    response->set_hash_revision(hash->revision.value());
    reactor->Finish(grpc::Status::OK);
  };
  if (absl::Status s = parts_.hashes->Post(answer); !s.ok()) reactor->Finish(ToGrpc(s));
  return reactor;
}

grpc::ServerWriteReactor<SnapshotResponse>* MaintenanceService::Snapshot(
    CallbackServerContext* call, const etcdserverpb::SnapshotRequest*) {
  auto* const stream = new StreamCall<SnapshotResponse>(parts_.streams);
  if (absl::Status s = parts_.member->CheckServing(*call, Member::Learners::kServe); !s.ok()) {
    stream->FinishNow(s);
    return stream;
  }
  absl::StatusOr<std::unique_ptr<SnapshotSource>> source = parts_.store->OpenSnapshot();
  if (!source.ok()) {
    stream->FinishNow(source.status());
    return stream;
  }
  stream->Begin([file = std::make_unique<SnapshotFile>(*std::move(source)),
                 size = parts_.store->LiveBytes()](SnapshotResponse* piece) {
    return MakePiece(size, file.get(), piece);
  });
  return stream;
}

ServerUnaryReactor* MaintenanceService::MoveLeader(CallbackServerContext* call,
                                                   const MoveLeaderRequest* request,
                                                   MoveLeaderResponse* /*response*/) {
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) return FinishedWith(call, s);
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const NodeId target(request->targetid());
  raft::Replica* const replica = parts_.member->replica();
  const raft::ReplicaStatus status = replica->Status();
  if (status.leader != status.self) {
    reactor->Finish(ToGrpc(kErrNotLeader));
  } else if (!status.membership.IsLastingVoter(target)) {
    reactor->Finish(ToGrpc(kErrBadLeaderTransferee));
  } else if (target == status.self) {
    reactor->Finish(grpc::Status::OK);  // as etcd: it leads
  } else {
    replica->TransferLeadership(
        target, parts_.member->DeadlineOf(*call), [reactor](absl::Status moved) {
          reactor->Finish(moved.ok() ? grpc::Status::OK : ToGrpc(ErrorOfTransfer(moved)));
        });
  }
  return reactor;
}

ServerUnaryReactor* MaintenanceService::Downgrade(CallbackServerContext* call,
                                                  const DowngradeRequest* request,
                                                  etcdserverpb::DowngradeResponse*) {
  if (absl::Status s = parts_.member->CheckServing(*call); !s.ok()) return FinishedWith(call, s);
  switch (request->action()) {
    case DowngradeRequest::VALIDATE:
    case DowngradeRequest::ENABLE:
      return FinishedWith(call, IsVersion(request->version())
                                    ? absl::Status(kErrInvalidDowngradeTargetVersion)
                                    : absl::Status(kErrWrongDowngradeVersionFormat));
    case DowngradeRequest::CANCEL:
      return FinishedWith(call, kErrNoInflightDowngrade);
    default:
      return FinishedWith(call, absl::UnknownError("etcdserver: unknown method"));
  }
}

}  // namespace pontoon::kv
