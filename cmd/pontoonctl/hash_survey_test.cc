#include "cmd/pontoonctl/hash_survey.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::ctl {
namespace {

// Long enough for a slow machine.
const absl::Duration kLong = absl::Seconds(30);

MemberHash Hash(int64_t compact_revision, uint32_t hash) {
  return {.endpoint = "a:1", .name = "a", .compact_revision = compact_revision, .hash = hash};
}

// A member that gives this hash of its keys up to revision 7, and of no other.
class FakeMember : public etcdserverpb::Maintenance::Service {
 public:
  explicit FakeMember(uint32_t hash) : hash_(hash) {
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_)
                  .RegisterService(this)
                  .BuildAndStart();
  }

  MemberStatus status() const {
    return {.endpoint = absl::StrCat("127.0.0.1:", port_), .name = "fake", .member_id = {}};
  }

  grpc::Status HashKV(grpc::ServerContext*, const etcdserverpb::HashKVRequest* request,
                      etcdserverpb::HashKVResponse* response) override {
    if (request->revision() != 7) return {grpc::StatusCode::OUT_OF_RANGE, "another revision"};
    response->set_hash(hash_);
    response->set_compact_revision(5);
    return grpc::Status::OK;
  }

 private:
  const uint32_t hash_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

const MemberHash kSilent{.endpoint = "b:1", .name = "b", .error = "no answer"};

TEST(HashSurvey, ComparesWhatHasTheSameHistory) {
  EXPECT_EQ(Compare({Hash(5, 1), Hash(5, 1), Hash(5, 1)}), HashVerdict::kEqual);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(5, 1), Hash(5, 2)}), HashVerdict::kDifferent);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(6, 2)}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(6, 2), Hash(6, 3)}), HashVerdict::kDifferent);
}

TEST(HashSurvey, WhoDoesNotAnswerHidesNoDifference) {
  EXPECT_EQ(Compare({Hash(5, 1), kSilent, Hash(5, 1)}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({Hash(5, 1), kSilent, Hash(5, 2)}), HashVerdict::kDifferent);
  EXPECT_EQ(Compare({kSilent}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({}), HashVerdict::kUnknown);
}

TEST(HashSurvey, AllAreAskedForARevisionThatAllHave) {
  ClusterSurvey survey;
  EXPECT_EQ(CommonRevision(survey), 0);
  for (int64_t revision : {9, 7, 8}) {
    MemberStatus member{.endpoint = "a:1", .name = "a", .member_id = {}};
    member.response.emplace();
    member.response->mutable_header()->set_revision(revision);
    survey.members.push_back(member);
  }
  survey.members.push_back({.endpoint = "b:1", .name = "b", .member_id = {}, .error = "away"});
  EXPECT_EQ(CommonRevision(survey), 7);
}

TEST(HashSurvey, EachMemberIsAskedForTheRevision) {
  FakeMember one(1), two(1), damaged(2);
  ClusterSurvey survey{{one.status(), two.status()}};
  EXPECT_EQ(Compare(AskForHashes(survey, 7, kLong)), HashVerdict::kEqual);
  survey.members.push_back(damaged.status());
  const std::vector<MemberHash> hashes = AskForHashes(survey, 7, kLong);
  EXPECT_EQ(Compare(hashes), HashVerdict::kDifferent);
  EXPECT_EQ(hashes[2].hash, 2u);
  EXPECT_EQ(hashes[2].compact_revision, 5);
  EXPECT_EQ(AskForHashes(survey, 8, kLong)[0].error, "another revision (OUT_OF_RANGE)");
}

}  // namespace
}  // namespace pontoon::ctl
