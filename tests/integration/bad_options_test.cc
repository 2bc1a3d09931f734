// Options of reads and writes that a server cannot honour, in the request and in metadata, as
// docs/consistency.md lists them: each is refused with its own text, and leaves nothing behind.

#include <limits>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "tests/integration/api_errors.h"
#include "tests/integration/calls.h"
#include "tests/integration/client.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseTimeToLiveRequest;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::TxnRequest;
using Metadata = std::map<std::string, std::string>;

// Of a read that waits in vain: shorter than the server's patience, which is 5 s and two election
// timeouts.
constexpr absl::Duration kDeadline = absl::Seconds(2);
constexpr absl::Duration kFarBeyondItsPatience = absl::Seconds(30);

// As CodeAndText says it.
std::string Invalid(const std::string& text) {
  return absl::StrCat(static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT), ": pontoon: ", text);
}

// A server of its own for all tests, whose store none of them changes.
class BadOptionsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster({.node_count = 1});
    ASSERT_OK(cluster_->StartAll());
    ASSERT_OK(client().Put("k", "as it was"));
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  void SetUp() override { revision_ = Revision(); }
  void TearDown() override {
    const auto all = client().Range(PrefixRange(""));
    ASSERT_OK(all);
    EXPECT_EQ(all.response.header().revision(), revision_) << "something was written";
    ASSERT_EQ(all.response.kvs_size(), 1);
    EXPECT_EQ(all.response.kvs(0).key(), "k");
    EXPECT_EQ(all.response.kvs(0).value(), "as it was");
  }

  static Client& client() { return cluster_->client(0); }
  static int64_t Revision() {
    const auto answer = client().Get("k");
    EXPECT_OK(answer);
    return answer.response.header().revision();
  }

  // That each kind of read is refused so; `options` are of the request, in protobuf's text.
  static void ExpectReadsRefused(const std::string& expected, const std::string& options,
                                 const CallOptions& call = {}) {
    SCOPED_TRACE(options);
    const auto range = Parse<RangeRequest>("key: 'k' " + options);
    const auto txn = Parse<TxnRequest>("success { request_range { key: 'k' } } " + options);
    EXPECT_EQ(CodeAndText(Call<KV>(client(), &KV::Stub::Range, range, call).status), expected);
    EXPECT_EQ(CodeAndText(Call<KV>(client(), &KV::Stub::Txn, txn, call).status), expected);
    EXPECT_EQ(CodeAndText(EndOfStream<KV>(client(), &KV::Stub::RangeStream, range, call)),
              expected);
  }

  // The same of writes.
  static void ExpectWritesRefused(const std::string& expected, const std::string& options,
                                  const CallOptions& call = {}) {
    SCOPED_TRACE(options);
    const auto put = Parse<PutRequest>("key: 'k' value: 'spoilt' " + options);
    const auto deletion = Parse<DeleteRangeRequest>("key: 'k' " + options);
    const auto txn = Parse<TxnRequest>(
        "success { request_put { key: 'new' } } failure { request_delete_range { key: 'k' } } " +
        options);
    EXPECT_EQ(CodeAndText(Call<KV>(client(), &KV::Stub::Put, put, call).status), expected);
    EXPECT_EQ(CodeAndText(Call<KV>(client(), &KV::Stub::DeleteRange, deletion, call).status),
              expected);
    EXPECT_EQ(CodeAndText(Call<KV>(client(), &KV::Stub::Txn, txn, call).status), expected);
  }

  static int64_t GrantLease() {
    const auto granted =
        Call<Lease>(client(), &Lease::Stub::LeaseGrant, Parse<LeaseGrantRequest>("TTL: 600"));
    EXPECT_OK(granted);
    return granted.response.id();
  }
  static grpc::Status Revoke(int64_t lease, const CallOptions& call = {}) {
    LeaseRevokeRequest request;
    request.set_id(lease);
    return Call<Lease>(client(), &Lease::Stub::LeaseRevoke, request, call).status;
  }

  static Cluster* cluster_;
  int64_t revision_ = 0;
};

Cluster* BadOptionsTest::cluster_ = nullptr;

// ---- reads

TEST_F(BadOptionsTest, AStalenessBelowZero) {
  const std::string expected = Invalid("max_staleness is -1s, and must be between 0 and 24h");
  ExpectReadsRefused(expected,
                     "read_options { consistency: FOLLOWER max_staleness { seconds: -1 } }");
  ExpectReadsRefused(
      expected, "",
      {.metadata = {{"pontoon-consistency", "follower"}, {"pontoon-max-staleness", "-1s"}}});
}

TEST_F(BadOptionsTest, AStalenessBeyondADay) {
  const std::string expected =
      Invalid("max_staleness is 24h0.000000001s, and must be between 0 and 24h");
  ExpectReadsRefused(
      expected, "read_options { consistency: FOLLOWER max_staleness { seconds: 86400 nanos: 1 } }");
  ExpectReadsRefused(
      expected, "",
      {.metadata = {{"pontoon-consistency", "follower"}, {"pontoon-max-staleness", "24h1ns"}}});
  // Further than any clock goes.
  ExpectReadsRefused(
      Invalid("max_staleness is inf, and must be between 0 and 24h"), "",
      {.metadata = {{"pontoon-consistency", "follower"}, {"pontoon-max-staleness", "inf"}}});
}

TEST_F(BadOptionsTest, AStalenessOfAReadThatShowsEverything) {
  const std::string expected =
      Invalid("max_staleness bounds FOLLOWER reads; other ones show everything");
  ExpectReadsRefused(expected, "read_options { max_staleness { seconds: 1 } }");
  ExpectReadsRefused(expected, "read_options { consistency: LEASE max_staleness { seconds: 1 } }");
  ExpectReadsRefused(expected, "", {.metadata = {{"pontoon-max-staleness", "1s"}}});
}

TEST_F(BadOptionsTest, ARevisionThatDoesNotComeInTime) {
  const int64_t next = revision_ + 1;
  const std::string expected = absl::StrCat(static_cast<int>(grpc::StatusCode::UNAVAILABLE),
                                            ": pontoon: this member has come to revision ",
                                            revision_, ", and revision ", next, " was asked for");
  ExpectReadsRefused(
      expected, absl::StrCat("read_options { consistency: FOLLOWER min_revision: ", next, " }"),
      {.timeout = kDeadline});

  // Whoever has more time than the server gives to any call hears of it when that is over.
  const CallOptions patient = {.metadata = {{"pontoon-min-revision", absl::StrCat(next)}},
                               .timeout = 2 * kFarBeyondItsPatience};
  const absl::Time began = absl::Now();
  EXPECT_EQ(
      CodeAndText(
          Call<KV>(client(), &KV::Stub::Range, Parse<RangeRequest>("key: 'k'"), patient).status),
      expected);
  EXPECT_LT(absl::Now() - began, kFarBeyondItsPatience);
}

TEST_F(BadOptionsTest, ARevisionBelowZero) {
  ExpectReadsRefused(Invalid("min_revision is -1, and must not be negative"),
                     "read_options { min_revision: -1 }");
}

TEST_F(BadOptionsTest, AConsistencyThatThereIsNot) {
  ExpectReadsRefused(
      Invalid("there is no consistency 9: it is LINEARIZABLE (0), LEASE (1) or FOLLOWER (2)"),
      "read_options { consistency: 9 }");
  ExpectReadsRefused(Invalid("pontoon-consistency is linearizable, lease or follower"), "",
                     {.metadata = {{"pontoon-consistency", "strong"}}});
}

// ---- writes

TEST_F(BadOptionsTest, ASessionThatIsOverOrNeverWas) {
  const int64_t revoked = GrantLease();
  ASSERT_TRUE(Revoke(revoked).ok());
  const int64_t unknown = std::numeric_limits<int64_t>::max();
  for (const int64_t session : {revoked, unknown}) {
    const std::string expected = CodeAndText(kv::kErrOnceSessionNotFound);
    ExpectWritesRefused(
        expected, absl::StrCat("write_options { once { session: ", session, " sequence: 1 } }"));
    ExpectWritesRefused(expected, "",
                        {.metadata = {{"pontoon-once-session", absl::StrCat(session)},
                                      {"pontoon-once-sequence", "1"}}});
  }
}

TEST_F(BadOptionsTest, AFenceOnALockThatThereIsNot) {
  const std::string expected = CodeAndText(kv::kErrFenced);
  // One that nobody holds; and a key that was created at another revision.
  for (const char* const key : {"lock/1", "k"}) {
    ExpectWritesRefused(
        expected, absl::StrCat("write_options { fence { key: '", key, "' create_revision: 1 } }"));
    ExpectWritesRefused(
        expected, "", {.metadata = {{"pontoon-fence-key", key}, {"pontoon-fence-revision", "1"}}});
  }
}

TEST_F(BadOptionsTest, AFenceOnACallThatTakesNone) {
  const int64_t lease = GrantLease();
  const Metadata fence = {{"pontoon-fence-key", "lock/1"}, {"pontoon-fence-revision", "1"}};
  EXPECT_EQ(CodeAndText(Revoke(lease, {.metadata = fence})),
            Invalid("only Put, DeleteRange and Txn take metadata under pontoon-once- and "
                    "pontoon-fence-; this call would not heed it"));
  LeaseTimeToLiveRequest question;
  question.set_id(lease);
  const auto left =
      Call<Lease>(client(), &Lease::Stub::LeaseTimeToLive, question, {.metadata = fence});
  ASSERT_OK(left);
  EXPECT_GT(left.response.ttl(), 0) << "the lease was revoked";
  EXPECT_TRUE(Revoke(lease).ok());
}

}  // namespace
}  // namespace pontoon::testing
