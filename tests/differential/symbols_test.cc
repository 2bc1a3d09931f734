#include "tests/differential/symbols.h"

#include "gtest/gtest.h"
#include "proto/rpc.pb.h"

namespace pontoon::differential {
namespace {

constexpr int64_t kBase = 777;

TEST(SymbolsTest, ResolvesRevisionsAtAnyDepth) {
  const Symbols symbols(kBase);
  etcdserverpb::TxnRequest txn;
  txn.add_compare()->set_mod_revision(kBaseRevision - 3);
  auto* const nested = txn.add_failure()->mutable_request_txn();
  auto* const range = nested->add_success()->mutable_request_range();
  range->set_revision(kBaseRevision + 2);
  range->set_limit(5);
  symbols.Resolve(&txn);
  EXPECT_EQ(txn.compare(0).mod_revision(), kBase - 3);
  EXPECT_EQ(range->revision(), kBase + 2);
  EXPECT_EQ(range->limit(), 5);
}

TEST(SymbolsTest, LeavesWhatIsNoSymbol) {
  const Symbols symbols(kBase);
  etcdserverpb::RangeRequest range;
  for (int64_t revision : {int64_t{-1}, int64_t{1}, int64_t{kBase}, INT64_MAX, INT64_MIN}) {
    range.set_revision(revision);
    symbols.Resolve(&range);
    EXPECT_EQ(range.revision(), revision);
  }
}

TEST(SymbolsTest, RestoresRevisionsButNotVersions) {
  const Symbols symbols(kBase);
  etcdserverpb::RangeResponse response;
  response.mutable_header()->set_revision(kBase + 4);
  mvccpb::KeyValue& kv = *response.add_kvs();
  kv.set_create_revision(kBase + 1);
  kv.set_mod_revision(kBase + 2);
  kv.set_version(kBase);
  symbols.Restore(&response);
  EXPECT_EQ(response.header().revision(), kBaseRevision + 4);
  EXPECT_EQ(kv.create_revision(), kBaseRevision + 1);
  EXPECT_EQ(kv.mod_revision(), kBaseRevision + 2);
  EXPECT_EQ(kv.version(), kBase);
}

TEST(SymbolsTest, NamesLeasesThatTheServerDraws) {
  constexpr int64_t kId = 7587869;
  Symbols symbols(kBase);
  etcdserverpb::PutRequest put;
  put.set_lease(kFirstDrawnLease + 1);
  symbols.Resolve(&put);
  EXPECT_EQ(put.lease(), kFirstDrawnLease + 1) << "there is no such lease yet";

  symbols.NameLease(kFirstDrawnLease + 1, kId);
  symbols.Resolve(&put);
  EXPECT_EQ(put.lease(), kId);

  etcdserverpb::LeaseGrantResponse granted;
  granted.set_id(kId);
  granted.set_ttl(kId);
  symbols.Restore(&granted);
  EXPECT_EQ(granted.id(), kFirstDrawnLease + 1);
  EXPECT_EQ(granted.ttl(), kId);

  etcdserverpb::RangeResponse range;
  range.add_kvs()->set_lease(kId);
  range.add_kvs()->set_lease(3);
  symbols.Restore(&range);
  EXPECT_EQ(range.kvs(0).lease(), kFirstDrawnLease + 1);
  EXPECT_EQ(range.kvs(1).lease(), 3);
}

}  // namespace
}  // namespace pontoon::differential
