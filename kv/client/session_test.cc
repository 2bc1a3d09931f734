#include "kv/client/session.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "kv/client/client.h"
#include "kv/client/outcome.h"
#include "kv/client/session_token.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"

namespace pontoon {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    auto client = Client::Create({.endpoints = {a_.address()}, .discovers_members = false});
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    a_.Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->range = [&](grpc::ServerContext*, const RangeRequest& request, RangeResponse*) {
        asked_.Add(request.read_options().min_revision());
        return grpc::Status::OK;
      };
      behaviour->txn = [&](grpc::ServerContext*, const TxnRequest& request, TxnResponse*) {
        asked_.Add(request.read_options().min_revision());
        return grpc::Status::OK;
      };
    });
  }
  void SetRevision(int64_t revision) {
    a_.Set([&](FakeMember::Behaviour* behaviour) { behaviour->revision = revision; });
  }

  EventList<int64_t> asked_;  // min_revision of each read
  FakeMember a_{1};
  std::unique_ptr<Client> client_;
};

TEST_F(SessionTest, AsksForTheHighestRevisionThatItSaw) {
  Session session(client_.get());
  EXPECT_EQ(session.revision(), 0);
  ASSERT_TRUE(session.Get("k").ok());
  EXPECT_EQ(session.revision(), 10);
  SetRevision(25);
  ASSERT_TRUE(session.Put("k", "v").ok());
  SetRevision(20);  // another member answers
  ASSERT_TRUE(session.Get("k").ok());
  TxnRequest txn;
  txn.add_success()->mutable_request_range()->set_key("k");
  ASSERT_TRUE(session.ReadTxn(txn).ok());
  EXPECT_EQ(asked_.Get(), (std::vector<int64_t>{0, 25, 25}));
}

TEST_F(SessionTest, NotesTheRevisionOfEveryAnswer) {
  Session session(client_.get());
  TxnRequest read;
  read.add_success()->mutable_request_range()->set_key("k");
  TxnRequest write;
  write.add_success()->mutable_request_put()->set_key("k");
  const std::vector<std::function<absl::Status()>> calls = {
      [&] { return session.Get("k").status(); },
      [&] { return session.ReadTxn(read).status(); },
      [&] { return session.Put("k", "v").status(); },
      [&] { return session.Delete("k").status(); },
      [&] { return session.Txn(write).status(); },
  };
  for (size_t i = 0; i < calls.size(); ++i) {
    const int64_t revision = 20 + static_cast<int64_t>(i);
    SetRevision(revision);
    const absl::Status status = calls[i]();
    EXPECT_TRUE(status.ok()) << i << ": " << status;
    EXPECT_EQ(session.revision(), revision) << i;
  }
}

TEST_F(SessionTest, AsksForMoreIfTheCallerDoes) {
  Session session(client_.get());
  ASSERT_TRUE(session.Get("k").ok());
  ASSERT_TRUE(session.Get("k", {.min_revision = 40}).ok());
  EXPECT_EQ(asked_.Get(), (std::vector<int64_t>{0, 40}));
}

TEST_F(SessionTest, GoesOnFromItsToken) {
  Session session(client_.get());
  ASSERT_TRUE(session.Get("k").ok());
  const auto other = Session::Continue(client_.get(), session.token());
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->revision(), 10);
  ASSERT_TRUE((*other)->Get("k").ok());
  EXPECT_EQ(asked_.Get().back(), 10);
}

TEST_F(SessionTest, RefusesAnotherClusterAndWhatIsNoToken) {
  EXPECT_TRUE(absl::IsInvalidArgument(Session::Continue(client_.get(), "nonsense").status()));
  const auto foreign =
      Session::Continue(client_.get(), EncodeSessionToken({.cluster_id = 1, .revision = 3}));
  ASSERT_TRUE(foreign.ok()) << foreign.status();
  const auto got = (*foreign)->Get("k");
  EXPECT_TRUE(absl::IsFailedPrecondition(got.status())) << got.status();
  EXPECT_FALSE(IsOutcomeUnknown(got.status()));
  const auto put = (*foreign)->Put("k", "v");
  EXPECT_TRUE(absl::IsFailedPrecondition(put.status())) << put.status();
  EXPECT_TRUE(IsOutcomeUnknown(put.status())) << "it was done, but not where it should be";
}

}  // namespace
}  // namespace pontoon
