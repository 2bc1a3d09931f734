// The program as its users meet it: started, talked to, stopped, and told nonsense.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "proto/rpc.grpc.pb.h"

namespace pontoon {
namespace {

using etcdserverpb::Cluster;
using etcdserverpb::KV;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr char kProgram[] = "cmd/pontoon/pontoon";

std::string Folder() {
  return testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
}

// A port of the loopback interface that was free a moment ago.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd, any, size), 0);
  EXPECT_EQ(getsockname(fd, any, &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string NewOutputFile() {
  static int count = 0;
  return testing::TempDir() + "/output" + std::to_string(++count);
}

// A running pontoon, which is killed if the test ends before it does.
class Process {
 public:
  explicit Process(std::vector<std::string> flags) : output_(NewOutputFile()) {
    flags.insert(flags.begin(), kProgram);
    std::vector<char*> argv;
    for (std::string& flag : flags) argv.push_back(flag.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    const int output = open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(kProgram, argv.data());
    _exit(127);
  }
  ~Process() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) { ASSERT_EQ(kill(pid_, signal), 0); }

  // The exit code; the negative signal if it died of one.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Output() const {
    std::ifstream file(output_);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  const std::string output_;
  pid_t pid_ = 0;
};

struct Ended {
  int exit_code;
  std::string output;
};

// Runs the program until it ends by itself.
Ended RunToEnd(const std::vector<std::string>& flags) {
  Process process(flags);
  const int exit_code = process.Wait();
  return {exit_code, process.Output()};
}

// A single member with ports of its own, and a client of it.
class SmokeTest : public testing::Test {
 protected:
  SmokeTest()
      : client_url_("http://127.0.0.1:" + std::to_string(FreePort())),
        peer_url_("http://127.0.0.1:" + std::to_string(FreePort())) {
    std::filesystem::remove_all(Folder());  // of an earlier run
  }

  std::vector<std::string> Flags() const {
    return {"--name=solo",
            "--data-dir=" + Folder(),
            "--listen-client-urls=" + client_url_,
            "--advertise-client-urls=" + client_url_,
            "--listen-peer-urls=" + peer_url_,
            "--initial-advertise-peer-urls=" + peer_url_,
            "--initial-cluster=solo=" + peer_url_,
            "--heartbeat-interval=20",
            "--election-timeout=200"};
  }

  // A new connection each time: an old one does not know yet that its server was killed.
  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(client_url_.substr(7), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  // Waits for the server, if it is not there yet.
  struct Call {
    Call() {
      context.set_wait_for_ready(true);
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    }
    grpc::ClientContext* get() { return &context; }
    grpc::ClientContext context;
  };

  grpc::Status Put(const std::string& key, const std::string& value) {
    etcdserverpb::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    etcdserverpb::PutResponse response;
    return KV::NewStub(Connect())->Put(Call().get(), request, &response);
  }

  etcdserverpb::MemberListResponse MemberList() {
    etcdserverpb::MemberListResponse list;
    const grpc::Status status = Cluster::NewStub(Connect())->MemberList(
        Call().get(), etcdserverpb::MemberListRequest(), &list);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return list;
  }

  std::string Get(const std::string& key) {
    etcdserverpb::RangeRequest request;
    request.set_key(key);
    etcdserverpb::RangeResponse response;
    const grpc::Status status = KV::NewStub(Connect())->Range(Call().get(), request, &response);
    if (!status.ok()) return status.error_message();
    return response.kvs().empty() ? "(none)" : response.kvs(0).value();
  }

  const std::string client_url_;
  const std::string peer_url_;
};

TEST_F(SmokeTest, KeepsItsDataThroughAStop) {
  {
    Process server(Flags());
    ASSERT_TRUE(Put("k", "v").ok());
    EXPECT_EQ(Get("k"), "v");
    server.Signal(SIGTERM);
    EXPECT_EQ(server.Wait(), 0) << server.Output();
    EXPECT_THAT(server.Output(), HasSubstr("serving client requests clients=" + client_url_));
    EXPECT_THAT(server.Output(), HasSubstr("INFO  stopped"));
  }
  Process server(Flags());
  EXPECT_EQ(Get("k"), "v");
  server.Signal(SIGINT);
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(SmokeTest, KeepsItsDataThroughAKill) {
  for (int life = 0; life < 3; ++life) {
    Process server(Flags());
    EXPECT_EQ(Get("life"), life == 0 ? "(none)" : std::to_string(life - 1));
    ASSERT_TRUE(Put("life", std::to_string(life)).ok());
    server.Signal(SIGKILL);
    EXPECT_EQ(server.Wait(), -SIGKILL);
  }
}

TEST_F(SmokeTest, TellsWhereItsClientsReachIt) {
  Process server(Flags());
  etcdserverpb::MemberListResponse list;
  do {  // the address travels through the log
    list = MemberList();
    ASSERT_EQ(list.members_size(), 1);
  } while (list.members(0).clienturls().empty());
  EXPECT_EQ(list.members(0).name(), "solo");
  EXPECT_THAT(list.members(0).peerurls(), testing::ElementsAre(peer_url_));
  EXPECT_THAT(list.members(0).clienturls(), testing::ElementsAre(client_url_));
}

TEST_F(SmokeTest, RefusesToShareWhatIsInUse) {
  Process server(Flags());
  ASSERT_TRUE(Put("k", "v").ok());

  Ended second = RunToEnd(Flags());
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output, MatchesRegex(".* ERROR cannot start reason=\"cannot listen on " +
                                          peer_url_ + ": another process has the port: .*\"\n"));

  std::vector<std::string> flags = Flags();
  flags[2] = "--listen-client-urls=http://127.0.0.1:" + std::to_string(FreePort());
  flags[4] = "--listen-peer-urls=http://127.0.0.1:" + std::to_string(FreePort());
  second = RunToEnd(flags);
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output,
              MatchesRegex(".* ERROR cannot start reason=\"data folder .* is in use by another "
                           "process: .*\"\n"));
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(SmokeTest, RefusesAnotherMembersData) {
  {
    Process server(Flags());
    ASSERT_TRUE(Put("k", "v").ok());
  }
  const Ended other =
      RunToEnd({"--name=other", "--data-dir=" + Folder(), "--listen-client-urls=" + client_url_,
                "--advertise-client-urls=" + client_url_, "--listen-peer-urls=" + peer_url_});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr(" belongs to member solo "));
}

TEST_F(SmokeTest, StopsWithoutALeaderToo) {
  std::vector<std::string> flags = Flags();
  flags[6] += ",b=http://127.0.0.1:1,c=http://127.0.0.1:2";
  Process server(flags);
  EXPECT_EQ(MemberList().members_size(), 3);

  // A put that waits for a leader.
  const auto channel = Connect();
  ASSERT_TRUE(
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30)));
  Call waiting;
  waiting.context.set_wait_for_ready(false);
  etcdserverpb::PutRequest request;
  request.set_key("k");
  grpc::CompletionQueue queue;
  const auto kv = KV::NewStub(channel);
  const auto call = kv->AsyncPut(waiting.get(), request, &queue);
  etcdserverpb::PutResponse response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  // One that comes while the server closes would never get as far as waiting.
  const auto maintenance = etcdserverpb::Maintenance::NewStub(channel);
  etcdserverpb::StatusResponse activity;
  while (activity.activity().writes_waiting() == 0) {
    ASSERT_TRUE(maintenance->Status(Call().get(), {}, &activity).ok());
  }
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0) << server.Output();
  void* tag;
  bool ok;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

TEST(Smoke, MistakesAreOneLine) {
  const Ended ended = RunToEnd({"--nmae=solo"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.output, "pontoon: unknown flag --nmae=solo; see pontoon --help\n");
}

TEST(Smoke, HelpAndVersionAreNoMistakes) {
  EXPECT_EQ(RunToEnd({"--version"}).output, "pontoon 0.1.0\netcd API 3.7.0\n");
  EXPECT_EQ(RunToEnd({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace pontoon
