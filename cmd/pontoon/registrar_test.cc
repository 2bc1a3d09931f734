#include "cmd/pontoon/registrar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/pontoon/status_only.h"
#include "kv/store/store_options.h"
#include "raft/env/file_system.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr NodeId kSelf{1};
constexpr NodeId kMet{2};
constexpr NodeId kNew{3};

class RegistrarTest : public testing::Test {
 protected:
  RegistrarTest() {
    const std::string folder =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder);  // of an earlier run
    std::filesystem::create_directories(folder);
    store_ = *kv::KvStore::Open(folder + "/state", kv::StoreOptions());
    peers_ = *PeerBook::Open(FileSystem::Posix(), folder + "/peers");
    EXPECT_TRUE(peers_->Admit(kMet, 22).ok());
    identity_.cluster = ClusterId{0xc1};
    identity_.member = kSelf;
    identity_.name = "a";
    identity_.first_members = {{kMet, "b", Url{"b", 1}}};
    Membership& membership = replica_.status.membership;
    membership.voters = {kSelf, kMet};
    membership.learners = {kNew};
    replica_.status.membership_index = LogIndex(17);
    membership.peer_urls = {
        {kSelf, {"http://a:1"}}, {kMet, {"http://b:1"}}, {kNew, {"http://c:1"}}};
    registrar_ = std::make_unique<Registrar>(
        Registrar::Parts{&identity_, &replica_, store_.get(), peers_.get(), &clock_, &executor_});
  }

  absl::StatusOr<raft::Introduction> Ask(raft::IntroductionRequest request) {
    absl::StatusOr<raft::Introduction> answer = absl::InternalError("was not answered");
    registrar_->Introduce(std::move(request), [&](auto given) { answer = std::move(given); });
    executor_.RunDue();
    return answer;
  }
  absl::StatusOr<raft::Introduction> AskAsMember(NodeId member, uint64_t data_incarnation) {
    return Ask({{}, raft::Identity{0xc1, member, 0, data_incarnation}});
  }

  Identity identity_;
  StatusOnly replica_;
  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  std::unique_ptr<kv::KvStore> store_;
  std::unique_ptr<PeerBook> peers_;
  std::unique_ptr<Registrar> registrar_;
};

TEST_F(RegistrarTest, WhoWasAddedIsIntroduced) {
  const auto answer = Ask({{"http://c:1"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->self, kNew);
  EXPECT_EQ(answer->members.size(), 3u);
  EXPECT_EQ(answer->membership_index, LogIndex(17));
}

TEST_F(RegistrarTest, TheAddressOfAMemberThatHasStartedIsTaken) {
  const absl::Status refused = Ask({{"http://b:1"}}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("(b) already has this address: correct --initial-advertise-peer-urls"));
}

TEST_F(RegistrarTest, TheAddressesOfTwoMembersAreThoseOfNone) {
  replica_.status.membership.learners = {kNew, NodeId{4}};
  replica_.status.membership.peer_urls[NodeId{4}] = {"http://d:1"};
  const absl::Status refused = Ask({{"http://c:1", "http://d:1"}}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("addresses of two members"));
}

TEST_F(RegistrarTest, AStrangerIsShownAFewOfItsAddresses) {
  const absl::Status refused =
      Ask({{"http://w:1", "http://x:1", "http://y:1", "http://z:1"}}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("http://y:1"));
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("http://z:1")));
}

TEST_F(RegistrarTest, AMemberIsKnownByItsData) {
  EXPECT_TRUE(AskAsMember(kMet, 22).ok());
  EXPECT_THAT(std::string(AskAsMember(kMet, 23).status().message()), HasSubstr("was wiped"));
  EXPECT_EQ(AskAsMember(NodeId{9}, 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RegistrarTest, WhoLeavesIsNotGoneWhileItsVoteMayBeNeeded) {
  Membership& membership = replica_.status.membership;
  membership.voters = {kSelf};
  membership.outgoing = {kSelf, kMet};
  EXPECT_EQ(AskAsMember(kMet, 22).status().code(), absl::StatusCode::kUnavailable);
  membership.outgoing.clear();
  EXPECT_EQ(AskAsMember(kMet, 22).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pontoon
