#include "kv/service/command.h"

#include <gtest/gtest.h>

#include <string>

#include "kv/errors.h"
#include "proto/command.pb.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;

constexpr size_t kBytesMax = 3 << 19;

Command Decode(const absl::StatusOr<Payload>& payload) {
  Command command;
  EXPECT_TRUE(payload.ok()) << payload.status();
  EXPECT_TRUE(command.ParseFromString(**payload));
  // There is one way to write a command: the one that Command has.
  EXPECT_EQ(command.SerializeAsString(), **payload);
  return command;
}

TEST(Command, CarriesEveryRequest) {
  etcdserverpb::PutRequest put;
  put.set_key("k");
  put.set_value(std::string(1000, 'v'));
  EXPECT_EQ(Decode(EncodeCommand(put, kBytesMax)).put().value(), put.value());

  etcdserverpb::DeleteRangeRequest delete_range;
  delete_range.set_range_end("z");
  EXPECT_EQ(Decode(EncodeCommand(delete_range, kBytesMax)).delete_range().range_end(), "z");

  etcdserverpb::TxnRequest txn;
  *txn.add_success()->mutable_request_put() = put;
  EXPECT_EQ(Decode(EncodeCommand(txn, kBytesMax)).txn().success_size(), 1);

  etcdserverpb::CompactionRequest compaction;
  compaction.set_revision(7);
  EXPECT_EQ(Decode(EncodeCommand(compaction, kBytesMax)).compaction().revision(), 7);
}

TEST(Command, AnEmptyRequestIsStillOfItsKind) {
  EXPECT_TRUE(Decode(EncodeCommand(etcdserverpb::TxnRequest(), kBytesMax)).has_txn());
}

TEST(Command, CarriesConditions) {
  storage::v1::WriteConditions conditions;
  conditions.mutable_options()->mutable_once()->set_sequence(7);
  conditions.set_fingerprint(8);
  etcdserverpb::PutRequest put;
  put.set_key("k");
  const absl::StatusOr<Payload> payload = EncodeCommand(put, kBytesMax, conditions);
  const Command command = Decode(payload);
  EXPECT_EQ(command.put().key(), "k");
  EXPECT_EQ(command.conditions().options().once().sequence(), 7u);
  EXPECT_EQ(command.conditions().fingerprint(), 8u);
  EXPECT_FALSE(Decode(EncodeCommand(put, kBytesMax)).has_conditions());
  EXPECT_TRUE(EncodeCommand(put, (*payload)->size(), conditions).ok());
  EXPECT_EQ(EncodeCommand(put, (*payload)->size() - 1, conditions).status(), kErrRequestTooLarge);
}

TEST(Command, MayBeAsLargeAsTheLimitAndNotLarger) {
  etcdserverpb::PutRequest put;
  put.set_key("k");
  put.set_value(std::string(2000, 'v'));
  const size_t size = (*EncodeCommand(put, kBytesMax))->size();
  EXPECT_GT(size, put.ByteSizeLong());
  EXPECT_TRUE(EncodeCommand(put, size).ok());
  EXPECT_EQ(EncodeCommand(put, size - 1).status(), kErrRequestTooLarge);
}

}  // namespace
}  // namespace pontoon::kv
