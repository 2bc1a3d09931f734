#include "kv/store/command_runner.h"

#include <utility>
#include <variant>

#include "kv/errors.h"
#include "kv/store/kv_transaction.h"
#include "kv/store/member_records.h"
#include "kv/store/meta.h"
#include "kv/store/txn.h"
#include "kv/store/write_operations.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::CompactionRequest;
using ::etcdserverpb::CompactionResponse;
using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;
using storage::v1::Command;

// Makes room for a response in `result`; null if that is null.
template <typename Response>
Response* NewResponse(KvResult* result) {
  return result ? &result->response.emplace<Response>() : nullptr;
}

}  // namespace

absl::Status CommandRunner::Run(const std::string& payload, KvResult* result) {
  absl::Status status = command_.ParseFromString(payload)
                            ? Execute(command_, result)
                            : absl::InvalidArgumentError("the command cannot be decoded");
  if (result) {
    if (!status.ok()) result->response = std::monostate();
    result->status = std::move(status);
  }
  return failure_.ok() ? reader_->status() : failure_;
}

absl::Status CommandRunner::Execute(const Command& command, KvResult* result) {
  switch (command.command_case()) {
    case Command::kPut:
      return Put(command.put(), result);
    case Command::kDeleteRange:
      return DeleteRange(command.delete_range(), result);
    case Command::kTxn:
      return Txn(command.txn(), result);
    case Command::kCompaction:
      return Compact(command.compaction(), result);
    case Command::kMemberPublication:
      return Publish(command.member_publication());
    case Command::COMMAND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the command is of an unknown kind");
}

absl::Status CommandRunner::Put(const PutRequest& request, KvResult* result) {
  absl::Status possible = CheckPut(request, *leases_, reader_);
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
  return ExecuteTxn(request, *leases_, &transaction, NewResponse<TxnResponse>(result));
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

absl::Status CommandRunner::Publish(const storage::v1::MemberPublication& publication) {
  const absl::StatusOr<bool> from_a_member = ApplyPublication(publication, overlay_);
  if (!from_a_member.ok()) return failure_ = from_a_member.status();
  return *from_a_member ? absl::OkStatus() : absl::Status(kErrMemberNotFound);
}

}  // namespace pontoon::kv
