#include "kv/read/read_options.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pontoon::kv {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::TxnRequest;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The metadata borrows the texts.
CallMetadata MetadataOf(const std::vector<std::pair<std::string, std::string>>& pairs) {
  CallMetadata metadata;
  for (const auto& [key, value] : pairs) metadata.emplace(key, value);
  return metadata;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<ReadOptions> OfRange(const std::string& text, const Pairs& pairs = {}) {
  return ReadOptionsOf(Parse<RangeRequest>(text), MetadataOf(pairs));
}
absl::StatusOr<ReadOptions> OfTxn(const std::string& text, const Pairs& pairs = {}) {
  return ReadOptionsOf(Parse<TxnRequest>(text), MetadataOf(pairs));
}

void ExpectRefused(const absl::StatusOr<ReadOptions>& options, const std::string& why) {
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(options.status().message(), "pontoon: " + why);
}

TEST(ReadOptions, AreEtcdsWhereNothingIsSaid) {
  EXPECT_EQ(OfRange("key: 'a'").value(), ReadOptions{});
  EXPECT_EQ(OfRange("serializable: true").value(),
            ReadOptions{.consistency = Consistency::kFollower});
  EXPECT_EQ(OfTxn("").value(), ReadOptions{});
}

TEST(ReadOptions, StandInTheRequest) {
  EXPECT_EQ(OfRange("read_options { consistency: LEASE min_revision: 7 }").value(),
            (ReadOptions{.consistency = Consistency::kLease, .min_revision = Revision(7)}));
  EXPECT_EQ(
      OfTxn("read_options { consistency: FOLLOWER max_staleness { seconds: 1 nanos: 5 } }").value(),
      (ReadOptions{.consistency = Consistency::kFollower,
                   .max_staleness = absl::Seconds(1) + absl::Nanoseconds(5)}));
}

TEST(ReadOptions, StandInMetadata) {
  const Pairs pairs = {{"pontoon-consistency", "Follower"},
                       {"pontoon-max-staleness", "1.5s"},
                       {"pontoon-min-revision", "12"}};
  const ReadOptions expected{.consistency = Consistency::kFollower,
                             .max_staleness = absl::Milliseconds(1500),
                             .min_revision = Revision(12)};
  EXPECT_EQ(OfRange("", pairs).value(), expected);
  EXPECT_EQ(OfTxn("", pairs).value(), expected);
  EXPECT_EQ(OfRange("", {{"pontoon-consistency", "lease"}}).value().consistency,
            Consistency::kLease);
  EXPECT_EQ(OfRange("", {{"pontoon-consistency", "linearizable"}}).value(), ReadOptions{});
}

TEST(ReadOptions, ARequestWinsOverMetadata) {
  const Pairs pairs = {{"pontoon-consistency", "lease"}, {"pontoon-min-revision", "12"}};
  EXPECT_EQ(OfRange("read_options {}", pairs).value(), ReadOptions{});
}

TEST(ReadOptions, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(OfRange("", {{"pontoon-min-revision", "1"}, {"pontoon-min-revision", "2"}})
                .value()
                .min_revision,
            Revision(2));
}

TEST(ReadOptions, SerializableIsAFollowersReadWithTheSameBounds) {
  const Pairs pairs = {{"pontoon-max-staleness", "100ms"}, {"pontoon-min-revision", "3"}};
  const ReadOptions expected{.consistency = Consistency::kFollower,
                             .max_staleness = absl::Milliseconds(100),
                             .min_revision = Revision(3)};
  EXPECT_EQ(OfRange("serializable: true", pairs).value(), expected);
  const std::string serializable = "request_range { serializable: true }";
  EXPECT_EQ(
      OfTxn("success { " + serializable + " } failure { " + serializable + " }", pairs).value(),
      expected);
}

TEST(ReadOptions, SerializableWinsOverTheConsistencyInMetadata) {
  const std::string transaction = "success { request_range { serializable: true } }";
  for (const char* const consistency : {"linearizable", "lease", "follower"}) {
    const Pairs pairs = {{"pontoon-consistency", consistency},
                         {"pontoon-max-staleness", "100ms"},
                         {"pontoon-min-revision", "3"}};
    const ReadOptions expected{.consistency = Consistency::kFollower,
                               .max_staleness = absl::Milliseconds(100),
                               .min_revision = Revision(3)};
    EXPECT_EQ(OfRange("serializable: true", pairs).value(), expected) << consistency;
    EXPECT_EQ(OfTxn(transaction, pairs).value(), expected) << consistency;
  }
  ExpectRefused(OfRange("serializable: true", {{"pontoon-consistency", "strong"}}),
                "pontoon-consistency is linearizable, lease or follower");
}

TEST(ReadOptions, ATransactionIsSerializableIfAllOfItsRangesAre) {
  EXPECT_EQ(OfTxn("success { request_range { serializable: true } } success { request_range {} }")
                .value()
                .consistency,
            Consistency::kLinearizable);
}

TEST(ReadOptions, ThatMakeNoSenseAreRefused) {
  ExpectRefused(OfRange("read_options { consistency: 9 }"),
                "there is no consistency 9: it is LINEARIZABLE (0), LEASE (1) or FOLLOWER (2)");
  ExpectRefused(OfRange("", {{"pontoon-consistency", "strong"}}),
                "pontoon-consistency is linearizable, lease or follower");
  ExpectRefused(OfRange("", {{"pontoon-max-staleness", "5"}}),
                "pontoon-max-staleness is a duration, such as 500ms or 1.5s");
  ExpectRefused(OfRange("", {{"pontoon-min-revision", "now"}}),
                "pontoon-min-revision is the number of a revision");
  ExpectRefused(OfRange("serializable: true read_options { consistency: LEASE }"),
                "a read is LEASE or serializable, not both");
  ExpectRefused(OfTxn("success { request_range { serializable: true } } "
                      "read_options { consistency: LEASE }"),
                "a read is LEASE or serializable, not both");
  ExpectRefused(OfRange("read_options { min_revision: -1 }"),
                "min_revision is -1, and must not be negative");
  ExpectRefused(OfTxn("success { request_range { read_options {} } }"),
                "read options stand in a transaction, not in its ranges");
}

TEST(ReadOptions, BoundsThatMakeNoSenseAreRefused) {
  const std::string of_others = "max_staleness bounds FOLLOWER reads; other ones show everything";
  ExpectRefused(OfRange("read_options { max_staleness {} }"), of_others);
  ExpectRefused(OfRange("read_options { consistency: LEASE max_staleness {} }"), of_others);
  ExpectRefused(OfRange("", {{"pontoon-max-staleness", "1s"}}), of_others);
  ExpectRefused(OfRange("serializable: true", {{"pontoon-max-staleness", "-1s"}}),
                "max_staleness is -1s, and must be between 0 and 24h");
  ExpectRefused(OfRange("serializable: true", {{"pontoon-max-staleness", "24h1ns"}}),
                "max_staleness is 24h0.000000001s, and must be between 0 and 24h");
  ExpectRefused(OfRange("serializable: true", {{"pontoon-max-staleness", "inf"}}),
                "max_staleness is inf, and must be between 0 and 24h");
  EXPECT_EQ(OfRange("serializable: true", {{"pontoon-max-staleness", "0"}}).value().max_staleness,
            absl::ZeroDuration());
  EXPECT_EQ(OfRange("serializable: true", {{"pontoon-max-staleness", "24h"}}).value().max_staleness,
            kStalenessMax);
}

TEST(ReadOptions, ATransactionThatGoesThroughTheLogHasNone) {
  const auto check = [](const std::string& text) {
    const absl::Status status = CheckNoReadOptions(Parse<TxnRequest>(text));
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  const std::string put = "success { request_put { key: 'a' } } ";
  EXPECT_EQ(check(put), "");
  EXPECT_EQ(check("success { request_txn {} }"), "");

  const std::string writes =
      "pontoon: read options are for transactions that only read; this one writes";
  EXPECT_EQ(check(put + "read_options {}"), writes);
  EXPECT_EQ(check(put + "success { request_range { read_options {} } }"), writes);
  EXPECT_EQ(check(put + "failure { request_range { read_options {} } }"), writes);
  EXPECT_EQ(check("read_options {} failure { request_delete_range { key: 'a' } }"), writes);
  EXPECT_EQ(
      check("read_options {} success { request_txn { failure { request_txn { " + put + "} } } }"),
      writes);

  const std::string nests =
      "pontoon: read options are for transactions that only read, without others in them; this "
      "one has another in it, and goes through the log";
  EXPECT_EQ(check("read_options {} success { request_txn {} }"), nests);
  EXPECT_EQ(check("success { request_txn { read_options {} } }"), nests);
  EXPECT_EQ(check("failure { request_txn { success { request_range { read_options {} } } } }"),
            nests);
}

TEST(ReadReport, SaysWhatIsProven) {
  pontoon::v1::ReadReport report;
  FillReport(Consistency::kLease, absl::Milliseconds(2500), &report);
  EXPECT_EQ(report.ShortDebugString(),
            "consistency: LEASE staleness_bound { seconds: 2 nanos: 500000000 }");
  report.Clear();
  FillReport(Consistency::kFollower, std::nullopt, &report);
  EXPECT_EQ(report.ShortDebugString(), "consistency: FOLLOWER");
}

}  // namespace
}  // namespace pontoon::kv
