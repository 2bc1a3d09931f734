#include "kv/monitor/cluster_survey.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "kv/service/peer_digests.h"
#include "kv/service/survey_service.h"
#include "kv/service/testing/instant_replica.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

constexpr NodeId kSelf{0xa1}, kPeer{0xb2}, kAbsent{0xc3};
constexpr absl::Duration kPatience = absl::Seconds(20);

// A member that serves surveys on a port of its own.
class ServingMember {
 public:
  explicit ServingMember(NodeId id, bool begin = true) : scrubber_(NewThreadExecutor("scrubber")) {
    StoreOptions options;
    options.scrub_executor = scrubber_.get();
    const std::string dir = absl::StrCat(
        testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
        FormatNodeId(id));
    std::filesystem::remove_all(dir);  // of an earlier run
    store_ = *KvStore::Open(dir, options);
    replica_ = std::make_unique<InstantReplica>(id, store_.get());
    member_ = std::make_unique<Member>(Member::Options{.cluster = ClusterId(0xfeed)},
                                       replica_.get(), Clock::System());
    reporter_ = std::make_unique<StatusReporter>(
        StatusReporter::Parts{.member = member_.get(), .store = store_.get()});
    if (begin) Begin();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~ServingMember() {
    service_.End();
    server_->Shutdown();
  }

  void Begin() {
    service_.Begin({.self = member_->id(),
                    .reporter = reporter_.get(),
                    .store = store_.get(),
                    .on_suspicion = [this] { ++suspicions_; }},
                   NewThreadExecutor("survey"));
  }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }
  InstantReplica& replica() { return *replica_; }
  KvStore& store() { return *store_; }
  const StatusReporter& reporter() const { return *reporter_; }
  SurveyService& service() { return service_; }
  int suspicions() const { return suspicions_; }

 private:
  std::unique_ptr<Executor> scrubber_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<StatusReporter> reporter_;
  std::atomic<int> suspicions_ = 0;
  SurveyService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class FixedDirectory final : public MemberDirectory {
 public:
  absl::StatusOr<std::vector<MemberInfo>> Members(const ReadView&,
                                                  const Membership&) const override {
    return members;
  }
  absl::StatusOr<std::vector<MemberInfo>> members = std::vector<MemberInfo>();
};

class ClusterSurveyTest : public ::testing::Test {
 protected:
  ClusterSurveyTest() : self_(kSelf) {
    self_.replica().SetMembership({.voters = {kSelf, kPeer}, .learners = {kAbsent}});
  }

  void Know(NodeId id, const std::string& name, const std::string& peer_url) {
    directory_.members->push_back(
        {.id = id, .name = name, .peer_urls = {peer_url}, .client_urls = {}});
  }
  Survey Take() { return surveyor_.Take(kPatience); }

  ServingMember self_;
  FixedDirectory directory_;
  ClusterSurveyor surveyor_{{.replica = &self_.replica(),
                             .store = &self_.store(),
                             .directory = &directory_,
                             .own = &self_.reporter()}};
};

TEST_F(ClusterSurveyTest, AsksEverybodyAndListsThemByName) {
  ServingMember peer(kPeer);
  peer.replica().SetTerm(Term(9));
  Know(kAbsent, "", "http://127.0.0.1:1");
  Know(kPeer, "zebra", peer.url());
  Know(kSelf, "ant", "http://127.0.0.1:1");  // nobody dials himself
  const Survey survey = Take();
  EXPECT_EQ(survey.served_by, kSelf);
  EXPECT_EQ(survey.error, "");
  ASSERT_EQ(survey.members.size(), 3u);
  EXPECT_EQ(survey.members[0].info.name, "ant");
  EXPECT_EQ(survey.members[0].status->header().member_id(), kSelf.value());
  EXPECT_EQ(survey.members[1].info.name, "zebra");
  ASSERT_TRUE(survey.members[1].status) << survey.members[1].error;
  EXPECT_EQ(survey.members[1].status->raftterm(), 9u);
  EXPECT_FALSE(survey.members[1].is_learner);
  EXPECT_TRUE(survey.members[2].is_learner);
  EXPECT_FALSE(survey.members[2].status);
  EXPECT_EQ(survey.members[2].error, "cannot be reached: Connection refused");
  EXPECT_EQ(survey.Leader()->info.name, "zebra");  // of the later term
}

TEST_F(ClusterSurveyTest, AnAddressOfAnotherMemberIsTold) {
  ServingMember other(kAbsent);
  Know(kPeer, "peer", other.url());
  const Survey survey = Take();
  EXPECT_FALSE(survey.members[0].status);
  EXPECT_EQ(survey.members[0].error, "another member answers at its address");
}

TEST_F(ClusterSurveyTest, WhoStartsOrStopsSaysSo) {
  ServingMember peer(kPeer, false);
  Know(kPeer, "peer", peer.url());
  const std::string refusal = "cannot be reached: this member is about to start or to stop";
  EXPECT_EQ(Take().members[0].error, refusal);
  peer.Begin();
  EXPECT_TRUE(Take().members[0].status);
  peer.service().End();
  EXPECT_EQ(Take().members[0].error, refusal);
}

TEST_F(ClusterSurveyTest, WithoutAListOfMembersItSaysWhy) {
  directory_.members = absl::DataLossError("damaged");
  const Survey survey = Take();
  EXPECT_TRUE(survey.members.empty());
  EXPECT_EQ(survey.error, "damaged");
}

TEST(PeerDigestsTest, MembersTellTheDigestsOfTheirStates) {
  ServingMember peer(kPeer), other(kSelf);
  PeerDigests digests;
  const PeerUrls members = {{kPeer, {peer.url()}}, {kAbsent, {other.url()}}};
  const auto reports = digests.Ask(members, DivergenceWatch::Tone::kNeutral, kPatience);
  ASSERT_EQ(reports.size(), 1u) << "at the second address there is another one";
  EXPECT_EQ(reports.at(kPeer), ReportOf(peer.store()));
  EXPECT_EQ(peer.suspicions(), 0);
  digests.Ask(members, DivergenceWatch::Tone::kSuspicion, kPatience);
  EXPECT_EQ(peer.suspicions(), 1);
}

TEST(PeerDigestsTest, WhoDoesNotAnswerIsLeftOut) {
  ServingMember peer(kPeer, /*begin=*/false);
  PeerDigests digests;
  EXPECT_TRUE(
      digests.Ask({{kPeer, {peer.url()}}}, DivergenceWatch::Tone::kNeutral, kPatience).empty());
}

}  // namespace
}  // namespace pontoon::kv
