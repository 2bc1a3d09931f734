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
using storage::v1::WriteConditions;

// A field of Command that is a message, whose size must not change any more.
class Field {
 public:
  Field(int number, const google::protobuf::MessageLite& message)
      : tag_(static_cast<uint32_t>(number) << 3 | kLengthDelimited),
        message_(message),
        message_size_(message.ByteSizeLong()) {}

  size_t size() const {
    return CodedOutputStream::VarintSize32(tag_) +
           CodedOutputStream::VarintSize32(static_cast<uint32_t>(message_size_)) + message_size_;
  }

  // Writes the field as Command would: tag, length, message. Returns the end.
  uint8_t* WriteTo(uint8_t* bytes) const {
    bytes = CodedOutputStream::WriteVarint32ToArray(tag_, bytes);
    bytes = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(message_size_), bytes);
    return message_.SerializeWithCachedSizesToArray(bytes);
  }

 private:
  static constexpr uint32_t kLengthDelimited = 2;

  const uint32_t tag_;
  const google::protobuf::MessageLite& message_;
  const size_t message_size_;
};

absl::StatusOr<Payload> Encode(int field, const google::protobuf::MessageLite& request,
                               size_t bytes_max,
                               const WriteConditions& conditions = WriteConditions()) {
  const Field request_field(field, request);
  const Field conditions_field(Command::kConditionsFieldNumber, conditions);
  const bool has_conditions = conditions.has_options();
  const size_t size = request_field.size() + (has_conditions ? conditions_field.size() : 0);
  if (size > bytes_max) return kErrRequestTooLarge;

  auto command = std::make_shared<std::string>(size, '\0');
  auto* const begin = reinterpret_cast<uint8_t*>(command->data());
  uint8_t* end = request_field.WriteTo(begin);
  if (has_conditions) end = conditions_field.WriteTo(end);
  CHECK_EQ(static_cast<size_t>(end - begin), size);
  return command;
}

}  // namespace

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::PutRequest& request, size_t bytes_max,
                                      const WriteConditions& conditions) {
  return Encode(Command::kPutFieldNumber, request, bytes_max, conditions);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::DeleteRangeRequest& request,
                                      size_t bytes_max, const WriteConditions& conditions) {
  return Encode(Command::kDeleteRangeFieldNumber, request, bytes_max, conditions);
}

absl::StatusOr<Payload> EncodeCommand(const etcdserverpb::TxnRequest& request, size_t bytes_max,
                                      const WriteConditions& conditions) {
  return Encode(Command::kTxnFieldNumber, request, bytes_max, conditions);
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
