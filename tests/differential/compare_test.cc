#include "tests/differential/compare.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "tests/differential/known_differences.h"
#include "tests/differential/normalise.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::StatusResponse;
using etcdserverpb::TxnRequest;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

constexpr int64_t kBase = 50;

template <typename Response>
Reply ReplyOf(const Response& response) {
  Reply reply;
  reply.messages.push_back(std::make_unique<Response>(response));
  return reply;
}

Reply ErrorOf(const kv::ApiError& error) {
  return {
      .status = grpc::Status(static_cast<grpc::StatusCode>(error.code), std::string(error.text)),
      .messages = {}};
}

Trace TraceOf(Reply reply) {
  Trace trace;
  trace.replies.push_back(std::move(reply));
  return trace;
}

Comparison CompareOne(const Call& call, Reply etcd, Reply pontoon) {
  return Compare({.calls = {call}}, TraceOf(std::move(etcd)), TraceOf(std::move(pontoon)));
}

RangeResponse TwoKeys() {
  RangeResponse response;
  response.mutable_header()->set_revision(5);
  response.add_kvs()->set_key("a");
  response.add_kvs()->set_key("b");
  response.set_count(2);
  return response;
}

TEST(CompareTest, EqualAnswersDoNotDiffer) {
  const Comparison comparison = CompareOne(RangeRequest(), ReplyOf(TwoKeys()), ReplyOf(TwoKeys()));
  EXPECT_FALSE(comparison.difference.has_value());
  EXPECT_THAT(comparison.known, IsEmpty());
  EXPECT_EQ(comparison.calls.at("Range").calls, 1u);
  EXPECT_EQ(comparison.calls.at("Range").errors, 0u);
}

TEST(CompareTest, EveryFieldCounts) {
  RangeResponse other_value = TwoKeys(), no_header = TwoKeys(), empty_header = TwoKeys(),
                other_order = TwoKeys(), more = TwoKeys();
  other_value.mutable_kvs(1)->set_lease(1);
  no_header.clear_header();
  empty_header.mutable_header()->Clear();
  other_order.mutable_kvs()->SwapElements(0, 1);
  more.set_more(true);
  for (const RangeResponse& other : {other_value, no_header, empty_header, other_order, more}) {
    EXPECT_TRUE(
        CompareOne(RangeRequest(), ReplyOf(TwoKeys()), ReplyOf(other)).difference.has_value())
        << TextOf(other);
  }
  EXPECT_TRUE(
      CompareOne(RangeRequest(), ReplyOf(no_header), ReplyOf(empty_header)).difference.has_value());
}

TEST(CompareTest, CodesAndTextsOfErrorsCount) {
  const Reply etcd = ErrorOf(kv::kErrCompacted);
  const auto differ = [](Reply a, Reply b) {
    return CompareOne(RangeRequest(), std::move(a), std::move(b)).difference.has_value();
  };
  EXPECT_FALSE(differ(ErrorOf(kv::kErrCompacted), ErrorOf(kv::kErrCompacted)));
  EXPECT_TRUE(differ(ErrorOf(kv::kErrCompacted), ErrorOf(kv::kErrFutureRev)));
  EXPECT_TRUE(differ(ErrorOf({absl::StatusCode::kNotFound, "x"}),
                     ErrorOf({absl::StatusCode::kInternal, "x"})));
  EXPECT_TRUE(differ(ErrorOf(kv::kErrCompacted), ReplyOf(RangeResponse())));
  EXPECT_TRUE(differ(Reply(), ReplyOf(RangeResponse())));
}

TEST(CompareTest, TellsBothAnswers) {
  const Comparison comparison =
      CompareOne(RangeRequest(), ErrorOf(kv::kErrCompacted), ReplyOf(TwoKeys()));
  ASSERT_TRUE(comparison.difference.has_value());
  EXPECT_EQ(comparison.difference->ToString(),
            "call 0, Range\n"
            "etcd:\n"
            "  error 11: etcdserver: mvcc: required revision has been compacted\n"
            "Pontoon:\n"
            "  RangeResponse { header { revision: 5 } kvs { key: \"a\" } kvs { key: \"b\" } "
            "count: 2 }\n");
}

TEST(CompareTest, RemainingTimesMayDifferByASecond) {
  const auto differ = [](int64_t etcd, int64_t pontoon) {
    etcdserverpb::LeaseTimeToLiveResponse a, b;
    a.set_ttl(etcd);
    b.set_ttl(pontoon);
    return CompareOne(etcdserverpb::LeaseTimeToLiveRequest(), ReplyOf(a), ReplyOf(b))
        .difference.has_value();
  };
  EXPECT_FALSE(differ(99, 100));
  EXPECT_FALSE(differ(100, 99));
  EXPECT_TRUE(differ(98, 100));
  EXPECT_TRUE(differ(-1, 0)) << "there is no lease, or one at its end";
  EXPECT_TRUE(differ(9'000'000'000, INT64_MAX));
}

TEST(CompareTest, AServerThatFailedDiffers) {
  Trace dead;
  dead.failure = "call 0 has no answer";
  const Comparison comparison =
      Compare({.calls = {RangeRequest()}}, TraceOf(ReplyOf(TwoKeys())), std::move(dead));
  ASSERT_TRUE(comparison.difference.has_value());
  EXPECT_THAT(comparison.difference->ToString(), HasSubstr("call 0 has no answer"));
}

Trace WatchedTrace(const std::vector<std::string>& keys) {
  Trace trace = TraceOf(Reply());
  WatcherTrace& watcher = trace.watchers[{1, 4}];
  for (const std::string& key : keys) {
    auto event = std::make_unique<mvccpb::Event>();
    event->mutable_kv()->set_key(key);
    watcher.messages.push_back(std::move(event));
  }
  return trace;
}

TEST(CompareTest, WhatWatchersAreToldCounts) {
  const Program program{.calls = {WatchCall()}};
  const auto differ = [&](const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return Compare(program, WatchedTrace(a), WatchedTrace(b)).difference.has_value();
  };
  EXPECT_FALSE(differ({"a", "b"}, {"a", "b"}));
  EXPECT_TRUE(differ({"a", "b"}, {"b", "a"}));
  EXPECT_TRUE(differ({"a"}, {"a", "a"}));
  const Comparison comparison = Compare(program, WatchedTrace({"a"}), TraceOf(Reply()));
  ASSERT_TRUE(comparison.difference.has_value()) << "one has no such watcher";
  EXPECT_EQ(comparison.difference->where, "watcher 4 of stream 1");
}

// ---- The table

TEST(KnownDifferencesTest, NamesDiffer) {
  std::set<std::string> names;
  for (const KnownDifference& known : KnownDifferences()) {
    EXPECT_TRUE(names.insert(known.name).second) << known.name;
  }
}

TEST(KnownDifferencesTest, StatusMayDifferInWhatIsNew) {
  StatusResponse etcd, pontoon;
  etcd.set_version("3.4.23");
  pontoon.set_version("3.7.0");
  pontoon.set_storageversion("3.7.0");
  pontoon.set_pontoon_version("1");
  const etcdserverpb::StatusRequest call;
  const Comparison comparison = CompareOne(call, ReplyOf(etcd), ReplyOf(pontoon));
  EXPECT_FALSE(comparison.difference.has_value());
  EXPECT_THAT(comparison.known,
              UnorderedElementsAre(Key("status version"), Key("status fields of 3.6"),
                                   Key("own fields")));
  pontoon.add_errors("an error");
  EXPECT_TRUE(CompareOne(call, ReplyOf(etcd), ReplyOf(pontoon)).difference.has_value())
      << "the rest must be equal";
}

TEST(KnownDifferencesTest, GrpcMayUseOtherWords) {
  const auto differ = [](const char* etcd, const char* pontoon) {
    constexpr auto kCode = absl::StatusCode::kResourceExhausted;
    return CompareOne(etcdserverpb::PutRequest(), ErrorOf({kCode, etcd}), ErrorOf({kCode, pontoon}))
        .difference.has_value();
  };
  constexpr char kEtcd[] = "grpc: received message larger than max (3 vs. 2)";
  EXPECT_FALSE(differ(kEtcd, "Received message larger than max (3 vs. 2)"));
  EXPECT_TRUE(differ(kEtcd, "Received message larger than max (3 vs. 1)"));
  EXPECT_TRUE(differ(kEtcd, "etcdserver: too many requests"));
}

TEST(KnownDifferencesTest, UnknownSortMayBeAnError) {
  RangeRequest unknown;
  unknown.set_sort_order(static_cast<RangeRequest::SortOrder>(3));
  EXPECT_THAT(CompareOne(unknown, ReplyOf(TwoKeys()), ErrorOf(kv::kErrInvalidSortOption)).known,
              ElementsAre(Key("unknown sort of a range")));
  EXPECT_TRUE(CompareOne(RangeRequest(), ReplyOf(TwoKeys()), ErrorOf(kv::kErrInvalidSortOption))
                  .difference.has_value())
      << "the sort is known";
  EXPECT_TRUE(
      CompareOne(unknown, ReplyOf(TwoKeys()), ErrorOf(kv::kErrCompacted)).difference.has_value())
      << "another error";
}

TEST(KnownDifferencesTest, NothingIsComparedOnceTheStatesDiffer) {
  TxnRequest txn;
  txn.add_success()->mutable_request_range()->set_sort_order(
      static_cast<RangeRequest::SortOrder>(3));
  Trace etcd = TraceOf(ReplyOf(etcdserverpb::TxnResponse()));
  Trace pontoon = TraceOf(ErrorOf(kv::kErrInvalidSortOption));
  etcd.replies.push_back(ReplyOf(TwoKeys()));
  pontoon.replies.push_back(ReplyOf(RangeResponse()));
  const Comparison comparison =
      Compare({.calls = {txn, RangeRequest()}}, std::move(etcd), std::move(pontoon));
  EXPECT_FALSE(comparison.difference.has_value());
  EXPECT_THAT(comparison.known, ElementsAre(Key("unknown sort in a transaction")));
  EXPECT_THAT(comparison.calls, ElementsAre(Key("Txn")));
}

TEST(KnownDifferencesTest, ADuplicateKeyThatEtcdDoesNotSee) {
  TxnRequest txn;
  auto* const del = txn.add_success()->mutable_request_delete_range();
  txn.add_success()->mutable_request_put();
  const auto differ = [&] {
    return CompareOne(txn, ReplyOf(etcdserverpb::TxnResponse()), ErrorOf(kv::kErrDuplicateKey))
        .difference.has_value();
  };
  EXPECT_TRUE(differ());
  del->set_range_end(std::string(1, '\0'));
  EXPECT_FALSE(differ());
  txn.mutable_success()->RemoveLast();
  EXPECT_TRUE(differ()) << "nothing is put";
}

TEST(KnownDifferencesTest, AnotherFaultOfATransactionIsTold) {
  const auto differ = [](const Call& call, const kv::ApiError& etcd, const kv::ApiError& pontoon) {
    return CompareOne(call, ErrorOf(etcd), ErrorOf(pontoon)).difference.has_value();
  };
  EXPECT_FALSE(differ(TxnRequest(), kv::kErrKeyNotFound, kv::kErrFutureRev));
  EXPECT_TRUE(differ(TxnRequest(), kv::kErrFutureRev, kv::kErrKeyNotFound));
  EXPECT_TRUE(differ(RangeRequest(), kv::kErrKeyNotFound, kv::kErrFutureRev));

  TxnRequest txn;
  auto* const put = txn.add_success()->mutable_request_put();
  put->set_ignore_value(true);
  EXPECT_TRUE(differ(txn, kv::kErrKeyNotFound, kv::kErrLeaseNotFound));
  put->set_lease(7);
  EXPECT_FALSE(differ(txn, kv::kErrKeyNotFound, kv::kErrLeaseNotFound));
}

etcdserverpb::WatchResponse Canceled(int64_t watch_id) {
  etcdserverpb::WatchResponse response;
  response.set_watch_id(watch_id);
  response.set_canceled(true);
  return response;
}

TEST(KnownDifferencesTest, ANegativeStartMayBeRefused) {
  WatchCall call;
  auto* const create = call.request.mutable_create_request();
  etcdserverpb::WatchResponse created, refused = Canceled(-1);
  created.set_created(true);
  refused.set_created(true);
  refused.set_cancel_reason(std::string(kv::kErrCompacted.text));
  for (const int64_t start : {-1, 1}) {
    create->set_start_revision(start);
    EXPECT_EQ(CompareOne(call, ReplyOf(created), ReplyOf(refused)).difference.has_value(),
              start > 0);
  }
}

TEST(NormaliseTest, HidesIdsButNotThatThereAreNone) {
  RangeResponse response;
  response.mutable_header()->set_cluster_id(14841639068965178418u);
  response.mutable_header()->set_raft_term(3);
  Normalise(Symbols(kBase), &response);
  EXPECT_EQ(TextOf(response), "header { cluster_id: 1 raft_term: 1 }");
}

TEST(NormaliseTest, HidesAddressesButNotTheirNumber) {
  etcdserverpb::MemberListResponse response;
  etcdserverpb::Member& member = *response.add_members();
  member.set_id(99);
  member.set_name("node1");
  member.add_peerurls("http://127.0.0.1:1");
  member.add_peerurls("http://127.0.0.1:2");
  Normalise(Symbols(kBase), &response);
  EXPECT_EQ(TextOf(response),
            "members { ID: 1 name: \"node1\" peerURLs: \"url\" peerURLs: \"url\" }");
}

TEST(NormaliseTest, SortsWhatHasNoOrder) {
  etcdserverpb::LeaseTimeToLiveResponse keys;
  keys.add_keys("b");
  keys.add_keys("a");
  Normalise(Symbols(kBase), &keys);
  EXPECT_EQ(TextOf(keys), "keys: \"a\" keys: \"b\"");
  etcdserverpb::LeaseLeasesResponse leases;
  leases.add_leases()->set_id(2);
  leases.add_leases()->set_id(1);
  Normalise(Symbols(kBase), &leases);
  EXPECT_EQ(TextOf(leases), "leases { ID: 1 } leases { ID: 2 }");
  RangeResponse range = TwoKeys();
  range.mutable_kvs()->SwapElements(0, 1);
  Normalise(Symbols(kBase), &range);
  EXPECT_EQ(range.kvs(0).key(), "b") << "the order of keys is promised";
}

}  // namespace
}  // namespace pontoon::differential
