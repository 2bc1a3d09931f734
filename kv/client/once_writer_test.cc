#include "kv/client/once_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "kv/client/outcome.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using pontoon::v1::Once;

class OnceWriterTest : public ::testing::Test {
 protected:
  OnceWriterTest() {
    auto client = Client::Create(
        {.endpoints = {a_.address()},
         .timeout = kPatience,
         .discovers_members = false,
         .backoff = {.first = absl::Milliseconds(1), .longest = absl::Milliseconds(10)}});
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void SetUp() override {
    auto writer = OnceWriter::Open(client_.get());
    ASSERT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
  }

  // Has puts end with `errors`, one after the other, and then well.
  void FailPuts(std::vector<kv::ApiError> errors) {
    const auto left = std::make_shared<std::vector<kv::ApiError>>(errors.rbegin(), errors.rend());
    a_.Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->put = [this, left](grpc::ServerContext*, const PutRequest& request, PutResponse*) {
        sent_.Add(request.write_options().once());
        if (left->empty()) return grpc::Status::OK;
        const grpc::Status error = ErrorStatus(left->back());
        left->pop_back();
        return error;
      };
    });
  }

  EventList<Once> sent_;
  FakeMember a_{1};
  std::unique_ptr<Client> client_;
  std::unique_ptr<OnceWriter> writer_;
};

TEST_F(OnceWriterTest, GivesEachWriteAName) {
  FailPuts({});
  ASSERT_TRUE(writer_->Put("k", "v").ok());
  ASSERT_TRUE(writer_->Put("k", "v").ok());
  const std::vector<Once> sent = sent_.Await(2);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].session(), writer_->session().id());
  EXPECT_EQ(sent[0].sequence(), 1u);
  EXPECT_EQ(sent[0].answered_below(), 1u);
  EXPECT_EQ(sent[1].sequence(), 2u);
  EXPECT_EQ(sent[1].answered_below(), 2u);
}

TEST_F(OnceWriterTest, NamesDeletionsAndTransactionsToo) {
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->delete_range = [&](grpc::ServerContext*, const DeleteRangeRequest& request,
                                  DeleteRangeResponse*) {
      sent_.Add(request.write_options().once());
      return grpc::Status::OK;
    };
    behaviour->txn = [&](grpc::ServerContext*, const TxnRequest& request, TxnResponse*) {
      sent_.Add(request.write_options().once());
      return grpc::Status::OK;
    };
  });
  ASSERT_TRUE(writer_->Delete("k").ok());
  ASSERT_TRUE(writer_->Txn(TxnRequest()).ok());
  const std::vector<Once> sent = sent_.Await(2);
  ASSERT_EQ(sent.size(), 2u);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].session(), writer_->session().id());
    EXPECT_EQ(sent[i].sequence(), i + 1);
  }
}

TEST_F(OnceWriterTest, SendsAWriteThatTimedOutAgainByTheSameName) {
  FailPuts({kv::kErrTimeout, kv::kErrTimeoutDueToConnectionLost, kv::kErrNoLeader});
  const auto put = writer_->Put("k", "v");
  EXPECT_TRUE(put.ok()) << put.status();
  const std::vector<Once> sent = sent_.Get();
  ASSERT_EQ(sent.size(), 4u);
  for (const Once& once : sent) {
    EXPECT_EQ(once.SerializeAsString(), sent[0].SerializeAsString());
  }
}

TEST_F(OnceWriterTest, GivesOtherWritesOtherNamesMeanwhile) {
  EventList<bool> answered;
  absl::Notification may_go_on;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->put = [&](grpc::ServerContext*, const PutRequest& request, PutResponse*) {
      sent_.Add(request.write_options().once());
      if (request.key() == "slow") may_go_on.WaitForNotification();
      return grpc::Status::OK;
    };
  });
  PutRequest slow;
  slow.set_key("slow");
  writer_->PutAsync(slow, {}, [&](const absl::StatusOr<PutResponse>&) { answered.Add(true); });
  ASSERT_EQ(sent_.Await(1).size(), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer_->Put("quick", "v").ok());
  for (const Once& once : sent_.Get()) {
    EXPECT_EQ(once.answered_below(), 1u) << "the slow one is not answered";
  }
  may_go_on.Notify();
  ASSERT_EQ(answered.Await(1).size(), 1u);
  EXPECT_TRUE(writer_->Put("quick", "v").ok());
  EXPECT_EQ(sent_.Get().back().answered_below(), sent_.Get().back().sequence());
}

TEST_F(OnceWriterTest, SaysThatAWriteIsUnknownIfItsSessionEndedMeanwhile) {
  FailPuts({kv::kErrTimeout, kv::kErrOnceSessionNotFound});
  const auto put = writer_->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrOnceSessionNotFound)) << put.status();
  EXPECT_TRUE(IsOutcomeUnknown(put.status()));
}

TEST_F(OnceWriterTest, KnowsThatNothingWasDoneIfTheSessionHadEndedBefore) {
  FailPuts({kv::kErrOnceSessionNotFound});
  const auto put = writer_->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrOnceSessionNotFound)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
}

TEST_F(OnceWriterTest, KnowsThatAFencedWriteWillNotBeDone) {
  FailPuts({kv::kErrTimeout, kv::kErrFenced});
  const auto put = writer_->Put("k", "v", {.fence = Fence{"job/1", 12}});
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrFenced)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
}

TEST_F(OnceWriterTest, TakesWhatWasDecidedOfOneSendingForAll) {
  FailPuts({kv::kErrTimeout, kv::kErrNoSpace});
  const auto put = writer_->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrNoSpace)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
}

TEST_F(OnceWriterTest, DoesNotTakeTheRefusalOfAMemberForADecision) {
  FailPuts({kv::kErrTimeout, kv::kErrPermissionDenied});
  const auto put = writer_->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrPermissionDenied)) << put.status();
  EXPECT_TRUE(IsOutcomeUnknown(put.status())) << "the first sending may come to something yet";
}

TEST_F(OnceWriterTest, RefusesWritesOnceItsSessionIsOver) {
  a_.Set([](FakeMember::Behaviour* behaviour) {
    behaviour->renew = [](grpc::ServerContext*, const LeaseKeepAliveRequest&,
                          LeaseKeepAliveResponse* response) {
      response->set_ttl(0);
      return grpc::Status::OK;
    };
  });
  EventList<absl::Status> losses;
  auto writer = OnceWriter::Open(
      client_.get(), {.session = {.ttl = absl::Seconds(1),
                                  .on_lost = [&](const absl::Status& why) { losses.Add(why); }}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_EQ(losses.Await(1).size(), 1u);
  const auto put = (*writer)->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrOnceSessionNotFound)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
  EXPECT_EQ(a_.calls("Put"), 0);
}

TEST_F(OnceWriterTest, WritesOutliveItAndKeepTheirSession) {
  absl::Notification may_go_on;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->renew = [](grpc::ServerContext*, const LeaseKeepAliveRequest&,
                          LeaseKeepAliveResponse* response) {
      response->set_ttl(1);
      return grpc::Status::OK;
    };
    behaviour->put = [&](grpc::ServerContext*, const PutRequest&, PutResponse*) {
      may_go_on.WaitForNotification();
      return grpc::Status::OK;
    };
  });
  auto writer = OnceWriter::Open(client_.get(), {.session = {.ttl = absl::Seconds(1)}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  writer_ = *std::move(writer);  // no other session is renewed
  EventList<absl::Status> ends;
  writer_->PutAsync(PutRequest(), {}, [&](const absl::StatusOr<PutResponse>& response) {
    ends.Add(response.status());
  });
  ASSERT_TRUE(a_.AwaitCalls("Put", 1, kPatience));
  writer_.reset();
  // One may have been under way.
  const int renewals = a_.calls("LeaseKeepAlive") + 2;
  EXPECT_TRUE(a_.AwaitCalls("LeaseKeepAlive", renewals, kPatience));
  may_go_on.Notify();
  ASSERT_EQ(ends.Await(1).size(), 1u);
  EXPECT_TRUE(ends.Get()[0].ok()) << ends.Get()[0];
}

}  // namespace
}  // namespace pontoon
