#include "cmd/pontoonctl/candidacy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/lease_calls.h"
#include "cmd/pontoonctl/test_server.h"

namespace pontoon::ctl {
namespace {

using Kind = Candidacy::End::Kind;
using ::testing::HasSubstr;

// Long enough for a slow machine.
const absl::Duration kLong = absl::Seconds(60);

// A real server, since the queue is the server's transactions, ranges and watches. (Of etcd: what
// it does with Pontoon is to be tested where Pontoon has watches and leases.)
class CandidacyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new TestCluster(absl::StrCat(::testing::TempDir(), "/candidacy"), 1);
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  static std::vector<Endpoint> Endpoints() { return *ParseEndpoints(cluster_->endpoints()); }

  // One that stands for "office" with a lease of its own.
  struct Candidate {
    explicit Candidate(std::string value) : session(Endpoints()) {
      etcdserverpb::LeaseGrantRequest request;
      request.set_ttl(600);
      etcdserverpb::LeaseGrantResponse response;
      EXPECT_TRUE(GrantLease(session, Deadline::After(kLong), request, &response).ok());
      lease = response.id();
      candidacy = std::make_unique<Candidacy>(
          session, Endpoints(), Candidacy::Options{"office", std::move(value), lease, kLong});
    }
    // With its place in the queue.
    void Leave() { EXPECT_TRUE(RevokeLease(session, Deadline::After(kLong), lease).ok()); }

    // Stands in the background.
    std::future<Candidacy::End> Win() {
      return std::async(std::launch::async, [this] { return candidacy->Win(); });
    }

    Session session;
    int64_t lease;
    std::unique_ptr<Candidacy> candidacy;
  };

  // Waits until the queue has so many candidates.
  static void AwaitQueue(Candidate& any, int size) {
    const Deadline deadline = Deadline::After(kLong);
    etcdserverpb::RangeRequest request;
    request.set_key("office/");
    request.set_range_end("office0");
    etcdserverpb::RangeResponse response;
    do {
      ASSERT_FALSE(deadline.Passed());
      any.session.Read(deadline, [&](Server& server, grpc::ClientContext* context) {
        return server.kv().Range(context, request, &response);
      });
    } while (response.count() != size);
  }

  static TestCluster* cluster_;
};

TestCluster* CandidacyTest::cluster_ = nullptr;

TEST_F(CandidacyTest, CandidatesComeInTurnWithRisingTokens) {
  Candidate first("1"), second("2"), third("3");
  const Candidacy::End first_end = first.candidacy->Win();
  ASSERT_EQ(first_end.kind, Kind::kWon) << first_end.message;
  EXPECT_EQ(first_end.kv.key(), absl::StrCat("office/", FormatLease(first.lease)));
  EXPECT_EQ(first_end.kv.value(), "1");
  EXPECT_EQ(first_end.kv.lease(), first.lease);
  auto second_end = second.Win();
  AwaitQueue(first, 2);
  auto third_end = third.Win();
  AwaitQueue(first, 3);

  // One in the middle that goes lets nobody in.
  second.Leave();
  EXPECT_EQ(third_end.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  first.Leave();
  const Candidacy::End third_won = third_end.get();
  ASSERT_EQ(third_won.kind, Kind::kWon) << third_won.message;
  EXPECT_GT(third_won.kv.create_revision(), first_end.kv.create_revision());
  EXPECT_GE(third_won.revision, third_won.kv.create_revision());
  const Candidacy::End second_lost = second_end.get();
  EXPECT_EQ(second_lost.kind, Kind::kFailed);
  EXPECT_THAT(second_lost.message, HasSubstr("was deleted while it waited"));
  third.Leave();
}

TEST_F(CandidacyTest, CancelEndsTheWait) {
  Candidate first("1"), second("2");
  ASSERT_EQ(first.candidacy->Win().kind, Kind::kWon);
  auto second_end = second.Win();
  AwaitQueue(first, 2);
  second.candidacy->Cancel();
  EXPECT_EQ(second_end.get().kind, Kind::kCancelled);
  first.Leave();
  second.Leave();
}

TEST_F(CandidacyTest, ALeaseThatIsNotThereIsRefused) {
  Candidate candidate("1");
  candidate.Leave();
  const Candidacy::End end = candidate.candidacy->Win();
  EXPECT_EQ(end.kind, Kind::kFailed);
  EXPECT_THAT(end.message, HasSubstr("requested lease not found"));
}

TEST_F(CandidacyTest, TheHolderIsTheOldestOfTheQueue) {
  Candidate first("1"), second("2");
  ASSERT_EQ(first.candidacy->Win().kind, Kind::kWon);
  auto second_end = second.Win();
  AwaitQueue(first, 2);
  etcdserverpb::RangeResponse response;
  EXPECT_TRUE(first.session
                  .Read(Deadline::After(kLong),
                        [&](Server& server, grpc::ClientContext* context) {
                          return server.kv().Range(context, HolderRequest("office"), &response);
                        })
                  .ok());
  ASSERT_EQ(response.kvs_size(), 1);
  EXPECT_EQ(response.kvs(0).value(), "1");
  first.Leave();
  EXPECT_EQ(second_end.get().kind, Kind::kWon);
  second.Leave();
}

}  // namespace
}  // namespace pontoon::ctl
