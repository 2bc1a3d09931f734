#include "kv/service/write_options.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pontoon::kv {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::TxnRequest;
using storage::v1::WriteConditions;

using Pairs = std::vector<std::pair<std::string, std::string>>;

template <typename Request>
absl::StatusOr<WriteConditions> Of(const std::string& text, const Pairs& pairs = {}) {
  Request request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  CallMetadata metadata;  // borrows the texts
  for (const auto& [key, value] : pairs) metadata.emplace(key, value);
  return WriteConditionsOf(request, metadata);
}

// The options, as text.
template <typename Request>
std::string OptionsOf(const std::string& text, const Pairs& pairs = {}) {
  const absl::StatusOr<WriteConditions> conditions = Of<Request>(text, pairs);
  EXPECT_TRUE(conditions.ok()) << conditions.status();
  return conditions.ok() ? conditions->options().ShortDebugString() : "";
}

void ExpectRefused(const absl::StatusOr<WriteConditions>& conditions, const std::string& why) {
  ASSERT_FALSE(conditions.ok());
  EXPECT_EQ(conditions.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(conditions.status().message(), "pontoon: " + why);
}

void ExpectNone(const absl::StatusOr<WriteConditions>& conditions) {
  ASSERT_TRUE(conditions.ok()) << conditions.status();
  EXPECT_EQ(conditions->ByteSizeLong(), 0u) << conditions->ShortDebugString();
}

constexpr char kOnce[] = "write_options { once { session: 7 sequence: 3 answered_below: 2 } }";

TEST(WriteOptions, AreNoneWhereNothingIsSaid) {
  ExpectNone(Of<PutRequest>("key: 'k'"));
  ExpectNone(Of<DeleteRangeRequest>("key: 'k'", {{"user-agent", "every call has one"}}));
  ExpectNone(Of<TxnRequest>("", {{"pontoon-consistency", "lease"}}));  // that is for reads
}

TEST(WriteOptions, StandInTheRequest) {
  const std::string once = "once { session: 7 sequence: 3 answered_below: 2 }";
  EXPECT_EQ(OptionsOf<PutRequest>(kOnce), once);
  EXPECT_EQ(OptionsOf<DeleteRangeRequest>(kOnce), once);
  EXPECT_EQ(OptionsOf<TxnRequest>(kOnce), once);
  EXPECT_EQ(OptionsOf<PutRequest>("write_options { fence { key: 'l/1' create_revision: 9 } }"),
            "fence { key: \"l/1\" create_revision: 9 }");
}

TEST(WriteOptions, StandInTheMetadataOtherwise) {
  const Pairs pairs = {{"pontoon-once-session", "-7"},
                       {"pontoon-once-sequence", "3"},
                       {"pontoon-once-answered-below", "2"},
                       {"pontoon-fence-key", "l/1"},
                       {"pontoon-fence-revision", "9"}};
  const std::string all =
      "once { session: -7 sequence: 3 answered_below: 2 } "
      "fence { key: \"l/1\" create_revision: 9 }";
  EXPECT_EQ(OptionsOf<PutRequest>("key: 'k'", pairs), all);
  EXPECT_EQ(OptionsOf<DeleteRangeRequest>("key: 'k'", pairs), all);
  EXPECT_EQ(OptionsOf<TxnRequest>("", pairs), all);
  EXPECT_EQ(OptionsOf<PutRequest>("write_options { fence { key: 'm' create_revision: 1 } }", pairs),
            "fence { key: \"m\" create_revision: 1 }")
      << "a request that says anything is not mixed with metadata";
}

TEST(WriteOptions, ThatMakeNoSenseAreRefused) {
  ExpectRefused(Of<PutRequest>("write_options { once { sequence: 1 } }"),
                "a write that is to be done once needs a session: the ID of a lease");
  ExpectRefused(Of<PutRequest>("write_options { once { session: 1 } }"),
                "a write that is to be done once needs a sequence, from 1 on");
  ExpectRefused(
      Of<PutRequest>("write_options { once { session: 1 sequence: 3 answered_below: 4 } }"),
      "answered_below is 4, and this write, 3, has no answer yet");
  ExpectRefused(Of<PutRequest>("write_options { fence { create_revision: 1 } }"),
                "a fence needs the key of a lock");
  ExpectRefused(Of<PutRequest>("write_options { fence { key: 'l' } }"),
                "a fence needs the create revision of its lock");
  ExpectRefused(Of<PutRequest>("write_options { fence { key: 'l' create_revision: -1 } }"),
                "a fence needs the create revision of its lock");
  ExpectRefused(Of<TxnRequest>(std::string("success { request_put { ") + kOnce + " } }"),
                "write options stand in a transaction, not in its operations");
  ExpectRefused(Of<TxnRequest>(std::string("failure { request_txn { failure { "
                                           "request_delete_range { ") +
                               kOnce + " } } } }"),
                "write options stand in a transaction, not in its operations");
  ExpectRefused(Of<TxnRequest>(std::string("success { request_txn { ") + kOnce + " } }"),
                "write options stand in a transaction, not in its operations");
}

TEST(WriteOptions, InMetadataThatMakesNoSenseAreRefused) {
  ExpectRefused(Of<PutRequest>("", {{"pontoon-once-session", "seven"}}),
                "pontoon-once-session is a number");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-once-session", "7"}}),
                "a write that is to be done once needs a sequence, from 1 on");
  ExpectRefused(
      Of<PutRequest>("", {{"pontoon-once-session", "7"}, {"pontoon-once-sequence", "-1"}}),
      "pontoon-once-sequence is a number");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-once-sequence", "1"}}),
                "a write that is to be done once needs a session: the ID of a lease");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-fence-revision", "1"}}),
                "a fence needs the key of a lock");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-fence-key", "l"}}),
                "a fence needs the create revision of its lock");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-fence-key", "l"}, {"pontoon-fence-rev", "1"}}),
                "there is no metadata pontoon-fence-rev");
  ExpectRefused(Of<PutRequest>("", {{"pontoon-once-sesion", "1"}}),
                "there is no metadata pontoon-once-sesion");
}

TEST(WriteOptions, TellWritesApart) {
  const auto fingerprint = [](const absl::StatusOr<WriteConditions>& conditions) {
    EXPECT_TRUE(conditions.ok()) << conditions.status();
    return conditions->fingerprint();
  };
  const std::string once = kOnce;
  const uint64_t put = fingerprint(Of<PutRequest>("key: 'k' value: 'v' " + once));
  EXPECT_NE(put, 0u);
  EXPECT_EQ(put,
            fingerprint(Of<PutRequest>("key: 'k' value: 'v'", {{"pontoon-once-session", "7"},
                                                               {"pontoon-once-sequence", "3"}})))
      << "where the options stand, and which answers are there, does not matter";
  EXPECT_NE(put, fingerprint(Of<PutRequest>("key: 'k' value: 'w' " + once)));
  EXPECT_NE(put, fingerprint(Of<PutRequest>("key: 'k' value: 'v' lease: 1 " + once)));
  EXPECT_NE(fingerprint(Of<PutRequest>("key: 'k' " + once)),
            fingerprint(Of<DeleteRangeRequest>("key: 'k' " + once)));
  // It lies in the log, and copies may come through members of different versions.
  EXPECT_EQ(put, 7090453625393289428u);
}

TEST(WriteOptions, AreOfWritesOnly) {
  TxnRequest txn;
  EXPECT_TRUE(CheckNoWriteOptions(txn).ok());
  txn.add_success()->mutable_request_range()->set_key("k");
  EXPECT_TRUE(CheckNoWriteOptions(txn).ok());
  txn.mutable_write_options();
  EXPECT_EQ(CheckNoWriteOptions(txn).message(),
            "pontoon: write options are for transactions that write; this one only reads");
}

TEST(WriteOptions, InMetadataAreRefusedWhereTheyAreNotHeeded) {
  EXPECT_TRUE(CheckNoWriteMetadata({}).ok());
  EXPECT_TRUE(
      CheckNoWriteMetadata({{"pontoon-consistency", "lease"}, {"user-agent", "grpc-c++"}}).ok());
  for (const char* const key : {"pontoon-once-session", "pontoon-once-sesion", "pontoon-fence-key",
                                "pontoon-fence-revision"}) {
    const absl::Status status = CheckNoWriteMetadata({{"hasleader", "true"}, {key, "1"}});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(status.message(),
              "pontoon: only Put, DeleteRange and Txn take metadata under pontoon-once- and "
              "pontoon-fence-; this call would not heed it")
        << key;
  }
}

TEST(WriteOptions, NameAWrite) {
  v1::WriteOptions options;
  EXPECT_FALSE(IsOnce(options, {}));
  EXPECT_FALSE(IsOnce(options, {{"pontoon-fence-key", "l"}, {"user-agent", "grpc-c++"}}));
  EXPECT_TRUE(IsOnce(options, {{"pontoon-once-session", "1"}}));
  EXPECT_TRUE(IsOnce(options, {{"pontoon-once-sesion", "1"}})) << "though not well";
  options.mutable_fence();
  EXPECT_FALSE(IsOnce(options, {}));
  options.mutable_once();
  EXPECT_TRUE(IsOnce(options, {}));
}

}  // namespace
}  // namespace pontoon::kv
