#include "cmd/pontoon/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "kv/service/member_id.h"
#include "raft/env/file_system.h"

namespace pontoon {
namespace {

using testing::HasSubstr;

FileSystem* Disk() { return FileSystem::Posix(); }

// Everything happens in a folder of the test's own.
class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest()
      : parent_(testing::TempDir() + "/" +
                testing::UnitTest::GetInstance()->current_test_info()->name()),
        path_(parent_ + "/pontoon") {
    std::filesystem::remove_all(parent_);  // of an earlier run
  }

  Config MemberA() const {
    Config config;
    config.name = "a";
    config.data_dir = path_;
    config.initial_cluster.members = {{"a", Url{"a", 2380}}, {"b", Url{"b", 2380}}};
    config.initial_cluster.token = "east";
    config.initial_cluster.members_given = true;
    config.initial_cluster.token_given = true;
    return config;
  }

  // Founders only.
  static absl::StatusOr<Newcomer> MakeNewcomer(const Config& config) {
    return Newcomer{MakeFounder(config.name, config.initial_cluster, 7)};
  }
  // Nobody comes new.
  static absl::StatusOr<Newcomer> MakeNobody(const Config&) {
    ADD_FAILURE() << "the folder is not empty";
    return absl::InternalError("");
  }

  // What Open says; the folder is closed again.
  std::string Opening(const Config& config) {
    const auto folder = DataFolder::Open(Disk(), config, MakeNewcomer);
    return folder.ok() ? "opened" : std::string(folder.status().message());
  }
  // The line that refuses the folder of the test, without its beginning.
  std::string Refusal(const Config& config) {
    const std::string line = Opening(config);
    const std::string beginning = "data folder " + config.data_dir + " ";
    return line.rfind(beginning, 0) == 0 ? line.substr(beginning.size()) : line;
  }
  void Create() { ASSERT_EQ(Opening(MemberA()), "opened"); }
  std::string In(const std::string& name) const { return path_ + "/" + name; }

  const std::string parent_;
  const std::string path_;
};

TEST_F(DataFolderTest, IsMadeWithItsParentsAndFoundAgain) {
  Create();
  const auto again = DataFolder::Open(Disk(), MemberA(), MakeNobody);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->identity(), MakeFounder("a", MemberA().initial_cluster, 7));
  EXPECT_EQ(again->log_path(), path_ + "/log");
  EXPECT_EQ(again->state_path(), path_ + "/state");
}

// The identity is written last, in one step: what a crash may leave behind is all of this.
TEST_F(DataFolderTest, AnUnfinishedBeginningIsNotInTheWay) {
  ASSERT_TRUE(Disk()->CreateDir(parent_).ok());
  ASSERT_TRUE(Disk()->CreateDir(path_).ok());
  ASSERT_TRUE(Disk()->CreateDir(In("log")).ok());
  ASSERT_TRUE(Disk()->CreateDir(In("state")).ok());
  ASSERT_TRUE(Disk()->CreateFile(In("identity.tmp")).ok());
  ASSERT_TRUE(Disk()->CreateFile(In("peers")).ok());
  Create();
}

TEST_F(DataFolderTest, ServesOneProcess) {
  const auto held = DataFolder::Open(Disk(), MemberA(), MakeNewcomer);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(Refusal(MemberA()),
            "is in use by another process: stop that one, or choose another folder with "
            "--data-dir");
}

TEST_F(DataFolderTest, RefusesAnotherMember) {
  Create();
  Config config = MemberA();
  config.name = "b";
  EXPECT_EQ(Refusal(config), "belongs to member a (" +
                                 FormatNodeId(FounderIdOf("http://a:2380", "east")) +
                                 "), not to b: correct --name or --data-dir");
}

TEST_F(DataFolderTest, RefusesAnotherCluster) {
  Create();
  Config config = MemberA();
  config.initial_cluster.token = "west";
  EXPECT_EQ(Refusal(config),
            "belongs to the cluster with the token east, not west: correct "
            "--initial-cluster-token or --data-dir");
  config = MemberA();
  config.initial_cluster.members[1].peer_url.port = 1;
  EXPECT_THAT(Refusal(config),
              HasSubstr(", not of a=http://a:2380,b=http://b:1: correct --initial-cluster or "
                        "--data-dir"));
}

TEST_F(DataFolderTest, NeedsNoClusterFlagsOnceItIsMade) {
  Create();
  Config config = MemberA();
  config.initial_cluster = {};
  config.initial_cluster.state = ClusterState::kExisting;
  EXPECT_EQ(Opening(config), "opened");
}

// A member whose flags are those that it joined with.
Config Joining(Config config) {
  config.initial_cluster.state = ClusterState::kExisting;
  config.initial_cluster.token_given = false;
  return config;
}

absl::StatusOr<Newcomer> Joined(const Config& config) {
  Newcomer newcomer;
  newcomer.identity.cluster = ClusterId{0xc1};
  newcomer.identity.member = NodeId{0xa4};
  newcomer.identity.name = config.name;
  newcomer.identity.token = "theirs";
  newcomer.identity.origin = Origin::kJoiner;
  newcomer.identity.first_members = {{NodeId{0xa4}, config.name, Url{"a", 2380}}};
  newcomer.peers = {{NodeId{0xa1}, 7}};
  return newcomer;
}

TEST_F(DataFolderTest, OfAJoinerHoldsWhatTheClusterSaid) {
  {
    const auto folder = DataFolder::Open(Disk(), Joining(MemberA()), Joined);
    ASSERT_TRUE(folder.ok()) << folder.status();
    EXPECT_EQ(folder->identity(), Joined(MemberA())->identity);
    const auto peers = PeerBook::Open(Disk(), folder->peers_path());
    ASSERT_TRUE(peers.ok()) << peers.status();
    EXPECT_EQ((*peers)->IncarnationOf(NodeId{0xa1}), 7u);
  }
  EXPECT_TRUE(DataFolder::Open(Disk(), Joining(MemberA()), MakeNobody).ok());
  // Whatever is said now of how the cluster was made.
  Config config = MemberA();
  config.initial_cluster.token_given = false;
  EXPECT_TRUE(DataFolder::Open(Disk(), config, MakeNobody).ok());
  EXPECT_THAT(Refusal(MemberA()), HasSubstr("with the token theirs, not east"));
}

TEST_F(DataFolderTest, StaysEmptyWhileNobodyKnowsTheNewcomer) {
  const auto refused = DataFolder::Open(Disk(), Joining(MemberA()), [](const Config&) {
    return absl::NotFoundError("add it first");
  });
  EXPECT_EQ(refused.status(), absl::NotFoundError("add it first"));
  EXPECT_FALSE(std::filesystem::exists(In("log")));
  Create();
}

TEST_F(DataFolderTest, OfARemovedMemberIsRefused) {
  {
    const auto folder = DataFolder::Open(Disk(), MemberA(), MakeNewcomer);
    ASSERT_TRUE(folder.ok()) << folder.status();
    EXPECT_TRUE(folder->MarkRemoved().ok());
  }
  EXPECT_EQ(Refusal(MemberA()), "belongs to member a (" +
                                    FormatNodeId(FounderIdOf("http://a:2380", "east")) +
                                    "), which was removed from its cluster: to have it there "
                                    "again, add it anew (pontoonctl member add) and start it with "
                                    "an empty folder and --initial-cluster-state existing");
}

TEST_F(DataFolderTest, RefusesADamagedIdentity) {
  Create();
  {
    const auto file = Disk()->OpenFile(In("identity"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->WriteAt(30, "?").ok());
  }
  EXPECT_EQ(Refusal(MemberA()), "cannot be trusted: " + In("identity") +
                                    " is damaged: put back an undamaged copy of this file");
}

TEST_F(DataFolderTest, RefusesWhatIsNotPontoons) {
  Create();
  Config config = MemberA();
  config.data_dir = parent_;
  EXPECT_EQ(Refusal(config),
            "has no file `identity` but holds \"pontoon\": it is not pontoon's; choose an empty "
            "folder with --data-dir");
}

TEST_F(DataFolderTest, RefusesDataWithoutAnIdentity) {
  Create();
  ASSERT_TRUE(Disk()->CreateFile(In("log/1")).ok());
  ASSERT_TRUE(Disk()->Remove(In("identity")).ok());
  EXPECT_THAT(Refusal(MemberA()), HasSubstr("has data in log/ but the file `identity` is missing"));
}

TEST_F(DataFolderTest, RefusesAnIdentityWithoutALog) {
  Create();
  ASSERT_TRUE(Disk()->Remove(In("log")).ok());
  EXPECT_THAT(Refusal(MemberA()), HasSubstr("has lost its folder log/"));
}

TEST_F(DataFolderTest, NamesAFileInTheWay) {
  ASSERT_TRUE(Disk()->CreateDir(parent_).ok());
  ASSERT_TRUE(Disk()->CreateFile(path_).ok());
  EXPECT_THAT(Refusal(MemberA()),
              HasSubstr("a file is in the way: choose another folder with --data-dir"));
}

TEST_F(DataFolderTest, NamesWhatTheSystemRefuses) {
  Config config = MemberA();
  config.data_dir = "/proc/pontoon";  // nobody can make a folder there
  EXPECT_THAT(Refusal(config), HasSubstr("cannot be used: create folder /proc/pontoon"));
}

TEST_F(DataFolderTest, MentionsOthersWhoMayLookInside) {
  Create();
  EXPECT_EQ(FolderAccessNotice(path_), std::nullopt);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  EXPECT_EQ(FolderAccessNotice(path_),
            "other users may look into " + path_ + " (mode 0755): chmod 700 keeps them out");
}

}  // namespace
}  // namespace pontoon
