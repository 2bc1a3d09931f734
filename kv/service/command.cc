#include "kv/service/command.h"

#include <google/protobuf/io/coded_stream.h>

#include <memory>
#include <string>
#include <utility>

#include "kv/errors.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using google::protobuf::io::CodedOutputStream;
using storage::v1::Command;

// Writes what Command would write with `request` in its field `field`: tag, length, message.
absl::StatusOr<Payload> Encode(int field, const google::protobuf::MessageLite& request,
                               size_t bytes_max) {
  constexpr uint32_t kLengthDelimited = 2;
  const size_t request_size = request.ByteSizeLong();
  if (request_size > bytes_max) return kErrRequestTooLarge;
  const uint32_t tag = static_cast<uint32_t>(field) << 3 | kLengthDelimited;
  const uint32_t length = static_cast<uint32_t>(request_size);
  const size_t size =
      CodedOutputStream::VarintSize32(tag) + CodedOutputStream::VarintSize32(length) + request_size;
  if (size > bytes_max) return kErrRequestTooLarge;

  auto command = std::make_shared<std::string>(size, '\0');
  auto* const begin = reinterpret_cast<uint8_t*>(command->data());
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(tag, begin);
  end = CodedOutputStream::WriteVarint32ToArray(length, end);
  end = request.SerializeWithCachedSizesToArray(end);
  CHECK_EQ(static_cast<size_t>(end - begin), size);
  return command;
}

}  // namespace

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::PutRequest& request, size_t bytes_max) {
  return Encode(Command::kPutFieldNumber, request, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::DeleteRangeRequest& request,
                                      size_t bytes_max) {
  return Encode(Command::kDeleteRangeFieldNumber, request, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::TxnRequest& request, size_t bytes_max) {
  return Encode(Command::kTxnFieldNumber, request, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::CompactionRequest& request,
                                      size_t bytes_max) {
  return Encode(Command::kCompactionFieldNumber, request, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::LeaseGrantRequest& request,
                                      size_t bytes_max) {
  return Encode(Command::kLeaseGrantFieldNumber, request, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const storage::v1::LeaseRevocation& revocation,
                                      size_t bytes_max) {
  return Encode(Command::kLeaseRevocationFieldNumber, revocation, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const storage::v1::LeaseCheckpoints& checkpoints,
                                      size_t bytes_max) {
  return Encode(Command::kLeaseCheckpointsFieldNumber, checkpoints, bytes_max);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::AlarmRequest& request, size_t bytes_max) {
  return Encode(Command::kAlarmFieldNumber, request, bytes_max);
}

}  // namespace pontoon::kv
