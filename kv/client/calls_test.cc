// Calls to members that misbehave: what is sent again, to whom, and what the caller is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "kv/client/client.h"
#include "kv/client/outcome.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"
#include "kv/client/watch.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using ::testing::HasSubstr;

class CallsTest : public ::testing::Test {
 protected:
  // a leads.
  CallsTest() {
    b_.Set([](FakeMember::Behaviour* behaviour) { behaviour->leader = 1; });
  }

  // A client of these, and of no others.
  std::unique_ptr<Client> ClientOf(const std::vector<const FakeMember*>& members,
                                   ClientOptions options = {}) {
    for (const FakeMember* member : members) options.endpoints.push_back(member->address());
    options.discovers_members = false;
    options.timeout = kPatience;
    options.backoff = {.first = absl::Milliseconds(1), .longest = absl::Milliseconds(10)};
    auto client = Client::Create(options);
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  // Has `member` end its first puts with `errors`, one after the other.
  static void FailPuts(FakeMember* member, std::vector<kv::ApiError> errors) {
    const auto left = std::make_shared<std::vector<kv::ApiError>>(errors.rbegin(), errors.rend());
    member->Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->put = [left](grpc::ServerContext*, const PutRequest&, PutResponse*) {
        if (left->empty()) return grpc::Status::OK;
        const grpc::Status error = ErrorStatus(left->back());
        left->pop_back();
        return error;
      };
    });
  }
  // Has reads of `member` hang until they are cancelled.
  static void HangReads(FakeMember* member) {
    member->Set([](FakeMember::Behaviour* behaviour) {
      behaviour->range = [](grpc::ServerContext* context, const RangeRequest&, RangeResponse*) {
        AwaitCancellation(context);
        return grpc::Status::CANCELLED;
      };
    });
  }
  static void HangPuts(FakeMember* member) {
    member->Set([](FakeMember::Behaviour* behaviour) {
      behaviour->put = [](grpc::ServerContext* context, const PutRequest&, PutResponse*) {
        AwaitCancellation(context);
        return grpc::Status::CANCELLED;
      };
    });
  }
  static uint64_t WhoAnswers(Client& client, const ReadOptions& options) {
    const auto got = client.Get("k", options);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? got->info.member_id : 0;
  }
  // Calls until the client has learned whom to prefer.
  static bool LearnsToRead(Client& client, const ReadOptions& options, uint64_t member) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      if (WhoAnswers(client, options) == member && WhoAnswers(client, options) == member &&
          WhoAnswers(client, options) == member && WhoAnswers(client, options) == member) {
        return true;
      }
    }
    return false;
  }
  // Reads until `member` was asked.
  static bool RepeatUntilAsked(const FakeMember& member, const std::function<void()>& read) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (member.calls("Range") == 0 && absl::Now() < deadline) read();
    return member.calls("Range") > 0;
  }

  FakeMember a_{1};
  FakeMember b_{2};
};

TEST_F(CallsTest, APutThatTimedOutIsNotSentAgain) {
  FailPuts(&a_, {kv::kErrTimeout});
  const auto client = ClientOf({&a_});
  const auto put = client->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrTimeout)) << put.status();
  EXPECT_TRUE(IsOutcomeUnknown(put.status()));
  EXPECT_EQ(a_.calls("Put"), 1);
}

TEST_F(CallsTest, APutThatWasNotAppliedIsSentAgain) {
  FailPuts(&a_, {kv::kErrNoLeader, kv::kErrRequestTooManyRequests, kv::kErrStopped});
  const auto client = ClientOf({&a_});
  const auto put = client->Put("k", "v");
  EXPECT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(a_.calls("Put"), 4);
}

TEST_F(CallsTest, APutThatWasNotAppliedIsSentToAnother) {
  FailPuts(&a_, {kv::kErrStopped, kv::kErrStopped, kv::kErrStopped, kv::kErrStopped});
  FailPuts(&b_, {kv::kErrStopped});
  const auto client = ClientOf({&a_, &b_});
  const auto put = client->Put("k", "v");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->header().member_id(), b_.id());
  EXPECT_EQ(b_.calls("Put"), 2);
}

TEST_F(CallsTest, APutThatIsWrongIsRefusedOnce) {
  FailPuts(&a_, {kv::kErrNoSpace});
  const auto client = ClientOf({&a_});
  const auto put = client->Put("k", "v");
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrNoSpace)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
  EXPECT_EQ(a_.calls("Put"), 1);
}

TEST_F(CallsTest, APutToNobodyIsNotUnknown) {
  auto client = Client::Create({.endpoints = {"127.0.0.1:1"},
                                .timeout = absl::Milliseconds(200),
                                .discovers_members = false});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto put = (*client)->Put("k", "v");
  EXPECT_TRUE(absl::IsUnavailable(put.status())) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
}

TEST_F(CallsTest, APutWithoutAnAnswerIsUnknownAtItsDeadline) {
  HangPuts(&a_);
  const auto client = ClientOf({&a_}, {.attempt_timeout = absl::Milliseconds(1)});
  const absl::Time before = absl::Now();
  const auto put = client->Put("k", "v", {.timeout = absl::Milliseconds(100)});
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(99)) << "it has no shorter attempts";
  EXPECT_TRUE(absl::IsDeadlineExceeded(put.status())) << put.status();
  EXPECT_TRUE(IsOutcomeUnknown(put.status()));
  EXPECT_EQ(a_.calls("Put"), 1);
}

TEST_F(CallsTest, AReadThatTimedOutIsSentAgain) {
  std::atomic<int> left = 3;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->range = [&](grpc::ServerContext*, const RangeRequest&, RangeResponse*) {
      return left-- > 0 ? ErrorStatus(kv::kErrTimeout) : grpc::Status::OK;
    };
  });
  const auto client = ClientOf({&a_}, {.hedge_after = absl::InfiniteDuration()});
  const auto got = client->Get("k");
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(a_.calls("Range"), 4);
}

TEST_F(CallsTest, AReadWithoutAnAnswerGoesToAnother) {
  HangReads(&a_);
  const auto client = ClientOf({&a_, &b_}, {.attempt_timeout = absl::Milliseconds(50),
                                            .hedge_after = absl::InfiniteDuration()});
  const auto b_answers = [&] { EXPECT_EQ(WhoAnswers(*client, {}), b_.id()); };
  EXPECT_TRUE(RepeatUntilAsked(a_, b_answers)) << "it does not answer, but is asked too";
}

TEST_F(CallsTest, AReadIsGivenUpAtItsDeadline) {
  HangReads(&a_);
  HangReads(&b_);
  EventList<absl::Status> ends;
  const auto client = ClientOf(
      {&a_, &b_}, {.attempt_timeout = 2 * kPatience, .hedge_after = absl::Milliseconds(5)});
  client->GetAsync("k", {.timeout = absl::Milliseconds(100)},
                   [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
  ASSERT_EQ(ends.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ends.Get()[0])) << ends.Get()[0];
  EXPECT_FALSE(IsOutcomeUnknown(ends.Get()[0])) << "a read has no outcome";
}

TEST_F(CallsTest, ASlowReadIsSentToASecondMember) {
  HangReads(&a_);
  const auto client =
      ClientOf({&a_, &b_}, {.attempt_timeout = kPatience, .hedge_after = absl::Milliseconds(5)});
  const auto b_answers = [&] { EXPECT_EQ(WhoAnswers(*client, {}), b_.id()); };
  EXPECT_TRUE(RepeatUntilAsked(a_, b_answers)) << "it does not answer, but is asked too";
}

// Its probes are answered all the time, and so is a watch, as by a member whose disk hangs.
TEST_F(CallsTest, WhoIsOvertakenTimeAndAgainIsLeftAloneHoweverWellItSaysItIs) {
  FakeMember c(3);  // so that a slow moment of b is no reason to ask a
  HangReads(&a_);
  absl::Notification may_tell;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->watch = [&](grpc::ServerContext* context, auto* stream) {
      etcdserverpb::WatchResponse response;
      response.set_created(true);
      stream->Write(response);
      may_tell.WaitForNotification();
      response.set_created(false);
      response.add_events()->mutable_kv()->set_mod_revision(11);
      stream->Write(response);
      AwaitCancellation(context);
      return grpc::Status::CANCELLED;
    };
  });
  const auto made = Client::Create(
      {.endpoints = {a_.address()},
       .timeout = kPatience,
       .attempt_timeout = kPatience,
       .hedge_after = absl::Milliseconds(5),
       .discovery_interval = absl::Milliseconds(10),
       .probe_interval = absl::Milliseconds(10),
       .balancer = {.set_aside_first = 2 * kPatience, .set_aside_longest = 2 * kPatience}});
  ASSERT_TRUE(made.ok()) << made.status();
  Client* const client = made->get();
  EventList<bool> watching;
  EventList<bool> told;
  const Watch watch(client, ForPrefix<etcdserverpb::WatchCreateRequest>("k"),
                    {.on_events = [&](const auto&) { told.Add(true); },
                     .on_watching = [&] { watching.Add(true); }});
  ASSERT_EQ(watching.Await(1).size(), 1u);
  for (FakeMember* member : {&a_, &b_, &c}) {
    member->Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->leader = 1;
      behaviour->others = {a_.address(), b_.address(), c.address()};
    });
  }
  for (FakeMember* member : {&b_, &c}) {
    ASSERT_TRUE(member->AwaitCalls("Status", 1, kPatience)) << "it is discovered";
  }
  const auto reads_ask_a = [&] {
    const int asked = a_.calls("Range");
    for (int i = 0; i < 10; ++i) EXPECT_NE(WhoAnswers(*client, {}), a_.id());
    return a_.calls("Range") > asked;
  };
  const absl::Time deadline = absl::Now() + kPatience;
  while ((reads_ask_a() || a_.calls("Range") < Balancer::kOvertakenMax) && absl::Now() < deadline) {
    continue;  // it is not known yet that a leads, or not yet that it is slow
  }
  ASSERT_TRUE(a_.AwaitCalls("Status", a_.calls("Status") + 2, kPatience));
  EXPECT_FALSE(reads_ask_a());
  may_tell.Notify();
  ASSERT_EQ(told.Await(1).size(), 1u);
  EXPECT_FALSE(reads_ask_a());
}

// It answers its probes, and says each time that it knows of no leader.
TEST_F(CallsTest, WhoIsCutOffIsLeftAloneForLongerEachTime) {
  a_.Set([](FakeMember::Behaviour* behaviour) {
    behaviour->leader = 0;
    behaviour->range = [](auto...) { return ErrorStatus(kv::kErrNoLeader); };
  });
  const auto client = ClientOf({&a_, &b_}, {.hedge_after = absl::InfiniteDuration(),
                                            .probe_interval = absl::Milliseconds(10),
                                            .balancer = {.set_aside_first = absl::Milliseconds(20),
                                                         .set_aside_longest = 2 * kPatience}});
  const auto read_until_probed = [&](int times) {
    const int probed = a_.calls("Status");
    const absl::Time deadline = absl::Now() + kPatience;
    while (a_.calls("Status") < probed + times && absl::Now() < deadline) {
      EXPECT_EQ(WhoAnswers(*client, {}), b_.id());
    }
  };
  // By then it is left alone for longer than it takes to the next probe.
  read_until_probed(6);
  const int asked = a_.calls("Range");
  EXPECT_GE(asked, 1) << "b takes it for the leader";
  read_until_probed(2);
  EXPECT_EQ(a_.calls("Range"), asked);
}

TEST_F(CallsTest, TheOtherCallOfAHedgedReadIsCancelled) {
  EventList<bool> cancelled;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->range = [&](grpc::ServerContext* context, const RangeRequest&, RangeResponse*) {
      AwaitCancellation(context);
      cancelled.Add(true);
      return grpc::Status::CANCELLED;
    };
  });
  const auto client = ClientOf(
      {&a_, &b_}, {.attempt_timeout = 2 * kPatience, .hedge_after = absl::Milliseconds(5)});
  // Its own end would come later than anybody waits for here.
  const ReadOptions options = {.timeout = 2 * kPatience};
  EXPECT_TRUE(RepeatUntilAsked(a_, [&] { WhoAnswers(*client, options); }));
  EXPECT_GE(cancelled.Await(1).size(), 1u);
}

TEST_F(CallsTest, AWriteIsNeverHedged) {
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->put = [&](grpc::ServerContext*, const PutRequest&, PutResponse*) {
      absl::SleepFor(absl::Milliseconds(20));  // a slow member: a read would be hedged long before
      return grpc::Status::OK;
    };
  });
  b_.Set([&](FakeMember::Behaviour* behaviour) { behaviour->put = a_.Get().put; });
  const auto client = ClientOf({&a_, &b_}, {.hedge_after = absl::Milliseconds(1)});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(a_.calls("Put") + b_.calls("Put"), 5);
}

TEST_F(CallsTest, WritesAndLinearizableReadsGoToTheLeader) {
  for (FakeMember* member : {&a_, &b_}) {
    member->Set([](FakeMember::Behaviour* behaviour) { behaviour->leader = 2; });
  }
  const auto client = ClientOf({&a_, &b_}, {.probe_interval = absl::Milliseconds(10)});
  ASSERT_TRUE(LearnsToRead(*client, {}, b_.id()));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(WhoAnswers(*client, {}), b_.id());
    EXPECT_EQ(WhoAnswers(*client, {.consistency = Consistency::kLease}), b_.id());
    EXPECT_EQ(client->Put("k", "v")->header().member_id(), b_.id());
  }
  // Both are about equally near, as the client finds sooner or later.
  bool follower_answers = false;
  for (const absl::Time deadline = absl::Now() + kPatience;
       !follower_answers && absl::Now() < deadline;) {
    follower_answers = WhoAnswers(*client, {.consistency = Consistency::kFollower}) == a_.id();
  }
  EXPECT_TRUE(follower_answers);

  for (FakeMember* member : {&a_, &b_}) {
    member->Set([](FakeMember::Behaviour* behaviour) {
      behaviour->leader = 1;
      behaviour->term = 2;
    });
  }
  EXPECT_TRUE(LearnsToRead(*client, {}, a_.id())) << "the leader has changed";
}

TEST_F(CallsTest, MembersAreDiscovered) {
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->others = {"http://" + b_.address()};
    behaviour->leader = 2;
  });
  b_.Set([](FakeMember::Behaviour* behaviour) { behaviour->leader = 2; });
  auto client = Client::Create({.endpoints = {a_.address()}, .timeout = kPatience});
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE(LearnsToRead(**client, {}, b_.id()));
}

TEST_F(CallsTest, AddressesToListenOnAndThoseWithTlsAreNotUsed) {
  FakeMember others(3);  // would answer at both
  const std::string port = others.address().substr(others.address().find(':'));
  std::atomic<int> failures = 0;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->others = {"http://" + b_.address(), "http://0.0.0.0" + port,
                         "https://127.0.0.1" + port};
  });
  for (FakeMember* member : {&a_, &b_}) {
    member->Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->leader = 2;
      behaviour->range = [&](grpc::ServerContext*, const RangeRequest&, RangeResponse*) {
        return failures-- > 0 ? ErrorStatus(kv::kErrStopped) : grpc::Status::OK;
      };
    });
  }
  auto client = Client::Create({.endpoints = {a_.address()}, .timeout = kPatience});
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE(LearnsToRead(**client, {}, b_.id()));
  failures = 2;  // whoever else is known is asked now
  EXPECT_NE(WhoAnswers(**client, {}), others.id());
  EXPECT_EQ(others.calls("Range"), 0);
}

TEST_F(CallsTest, ReadOptionsAreSaid) {
  EventList<RangeRequest> requests;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->range = [&](grpc::ServerContext*, const RangeRequest& request, RangeResponse*) {
      requests.Add(request);
      return grpc::Status::OK;
    };
  });
  const auto client = ClientOf({&a_});
  ASSERT_TRUE(client
                  ->Get("k", {.consistency = Consistency::kFollower,
                              .max_staleness = absl::Seconds(3),
                              .min_revision = 5})
                  .ok());
  const RangeRequest request = requests.Await(1).front();
  EXPECT_EQ(request.key(), "k");
  EXPECT_EQ(request.read_options().consistency(), pontoon::v1::ReadOptions::FOLLOWER);
  EXPECT_EQ(request.read_options().max_staleness().seconds(), 3);
  EXPECT_EQ(request.read_options().min_revision(), 5);
}

TEST_F(CallsTest, AFenceIsSaidAndItsLossRefused) {
  EventList<PutRequest> requests;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->put = [&](grpc::ServerContext*, const PutRequest& request, PutResponse*) {
      requests.Add(request);
      return ErrorStatus(kv::kErrFenced);
    };
  });
  const auto client = ClientOf({&a_});
  const auto put = client->Put("k", "v", {.fence = Fence{.key = "job/1", .create_revision = 12}});
  EXPECT_TRUE(kv::Is(put.status(), kv::kErrFenced)) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
  const auto sent = requests.Await(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].write_options().fence().key(), "job/1");
  EXPECT_EQ(sent[0].write_options().fence().create_revision(), 12);
  EXPECT_FALSE(sent[0].write_options().has_once());
}

TEST_F(CallsTest, AReadTransactionThatWritesIsRefused) {
  const auto client = ClientOf({&a_});
  TxnRequest txn;
  txn.add_failure()->mutable_request_put()->set_key("k");
  const auto response = client->ReadTxn(txn);
  EXPECT_TRUE(absl::IsInvalidArgument(response.status())) << response.status();
  EXPECT_EQ(a_.calls("Txn"), 0);
}

TEST_F(CallsTest, ACallbackThatWaitsIsToldSo) {
  const auto client = ClientOf({&a_});
  EventList<absl::Status> waited;
  client->PutAsync(PutRequest(), {}, [&](const absl::StatusOr<PutResponse>&) {
    waited.Add(client->Get("k").status());
  });
  ASSERT_EQ(waited.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsFailedPrecondition(waited.Get()[0])) << waited.Get()[0];
}

TEST_F(CallsTest, TheEndOfAClientEndsItsCalls) {
  HangPuts(&a_);
  HangReads(&a_);
  auto client = ClientOf({&a_});
  EventList<absl::Status> ends;
  for (int i = 0; i < 10; ++i) {
    client->PutAsync(PutRequest(), {}, [&](const absl::StatusOr<PutResponse>& response) {
      ends.Add(response.status());
    });
    client->GetAsync("k", {},
                     [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
  }
  ASSERT_TRUE(a_.AwaitCalls("Put", 1, kPatience));
  client.reset();
  const std::vector<absl::Status> told = ends.Get();
  EXPECT_EQ(told.size(), 20u) << "all are told before the destructor returns";
  for (const absl::Status& end : told) EXPECT_TRUE(absl::IsCancelled(end)) << end;
}

TEST_F(CallsTest, WhatACallbackBeginsAtTheEndOfAClientEndsToo) {
  HangPuts(&a_);
  auto client = ClientOf({&a_});
  EventList<absl::Status> ends;
  client->PutAsync(PutRequest(), {}, [&](const absl::StatusOr<PutResponse>& response) {
    ends.Add(response.status());
    client->PutAsync(PutRequest(), {},
                     [&](const absl::StatusOr<PutResponse>& second) { ends.Add(second.status()); });
  });
  ASSERT_TRUE(a_.AwaitCalls("Put", 1, kPatience));
  // The pointer stays good until the destructor has returned.
  delete client.get();
  client.release();
  ASSERT_EQ(ends.Get().size(), 2u);
  EXPECT_TRUE(absl::IsCancelled(ends.Get()[1])) << ends.Get()[1];
}

TEST_F(CallsTest, ClientsEndAtAnyMoment) {
  for (int i = 0; i < 50; ++i) {
    auto client = ClientOf({&a_, &b_}, {.hedge_after = absl::ZeroDuration()});
    EventList<absl::Status> ends;
    for (int call = 0; call < i % 10; ++call) {
      client->GetAsync("k", {},
                       [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
    }
    if (i % 2 == 0) ends.Await(i % 10 / 2);
    client.reset();
    EXPECT_EQ(ends.Get().size(), static_cast<size_t>(i % 10));
  }
}

TEST(ClientOptionsTest, ThatMakeNoSenseAreRefused) {
  const auto refusal = [](const ClientOptions& options) {
    return std::string(Client::Create(options).status().message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("no endpoint"));
  EXPECT_THAT(refusal({.endpoints = {"a"}}), HasSubstr("no port"));
  EXPECT_THAT(refusal({.endpoints = {"https://a:1"}}), HasSubstr("no credentials"));
  EXPECT_THAT(refusal({.endpoints = {"a:1"}, .timeout = absl::ZeroDuration()}),
              HasSubstr("must be more than nothing"));
  EXPECT_THAT(refusal({.endpoints = {"a:1"}, .backoff = {.first = absl::ZeroDuration()}}),
              HasSubstr("must be more than nothing"));
  EXPECT_THAT(refusal({.endpoints = {"a:1"}, .backoff = {.longest = absl::ZeroDuration()}}),
              HasSubstr("must be more than nothing"));
  EXPECT_THAT(
      refusal(
          {.endpoints = {"a:1"}, .user = UserPassword{"u", "p"}, .token_provider = [](auto) {}}),
      HasSubstr("both"));
}

}  // namespace
}  // namespace pontoon
