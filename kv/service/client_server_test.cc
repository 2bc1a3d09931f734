// The clients' server on the loopback interface: its ports and its health.

#include "kv/service/client_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/service/health_reporter.h"
#include "kv/service/member.h"
#include "kv/service/testing/instant_replica.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::kv {
namespace {

// A port of this machine that is in use for as long as the object lives.
class OccupiedPort {
 public:
  OccupiedPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, any, size), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    EXPECT_EQ(getsockname(socket_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~OccupiedPort() { close(socket_); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  int socket_;
  int port_;
};

// One that was free a moment ago.
std::string FreeAddress() { return OccupiedPort().address(); }

// The answer of grpc.health.v1.Health/Check for the whole server: its `status` field.
enum class Health { kUnknown = 0, kServing = 1, kNotServing = 2, kNoAnswer = -1 };

Health AskHealth(grpc::Channel* channel) {
  grpc::GenericStub stub(std::shared_ptr<grpc::Channel>(channel, [](grpc::Channel*) {}));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(nullptr, 0), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  if (!status.ok() || !response.TrySingleSlice(&bytes).ok()) return Health::kNoAnswer;
  // Field 1, a varint.
  return bytes.size() == 2 ? static_cast<Health>(bytes.begin()[1]) : Health::kUnknown;
}

// A server without any service does not start.
etcdserverpb::KV::CallbackService* SomeService() {
  static etcdserverpb::KV::CallbackService service;
  return &service;
}

TEST(ClientServer, SaysWhetherItServes) {
  ClientServerOptions options;
  options.addresses = {FreeAddress()};
  const auto server = StartClientServer(options, {SomeService()});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channel =
      grpc::CreateChannel(options.addresses[0], grpc::InsecureChannelCredentials());
  EXPECT_EQ(AskHealth(channel.get()), Health::kNotServing) << "nobody has looked yet";

  raft::Journal state;
  InstantReplica replica(NodeId{1}, &state);
  Member member({}, &replica, Clock::System());
  const auto wait_for = [&](Health expected) {
    while (AskHealth(channel.get()) != expected) {
    }
  };
  auto executor = NewThreadExecutor("health");
  HealthReporter reporter(
      {&replica, &member, (*server)->GetHealthCheckService(), Clock::System(), executor.get()},
      absl::Milliseconds(1));
  reporter.Start();
  wait_for(Health::kServing);
  replica.SetLeader(kNoNode);
  wait_for(Health::kNotServing);
  replica.SetLeader(NodeId{2});
  wait_for(Health::kServing);
  member.SetCorrupt(true);
  wait_for(Health::kNotServing);
  executor.reset();
  (*server)->Shutdown();
}

TEST(ClientServer, NamesTheAddressThatIsTaken) {
  const OccupiedPort occupied;
  ClientServerOptions options;
  options.addresses = {FreeAddress(), occupied.address()};
  const auto server = StartClientServer(options, {SomeService()});
  EXPECT_EQ(server.status(),
            absl::UnavailableError(absl::StrCat("cannot listen on ", occupied.address())));
}

TEST(ClientServer, DoesNotShareItsPort) {
  ClientServerOptions options;
  options.addresses = {FreeAddress()};
  const auto first = StartClientServer(options, {SomeService()});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(StartClientServer(options, {SomeService()}).ok());
}

// The messages of reflection have no stubs here: they are written and read by the numbers of their
// fields.
std::vector<std::string> FieldsOf(const std::string& message, int number) {
  google::protobuf::UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(message));
  std::vector<std::string> found;
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == number) found.push_back(fields.field(i).length_delimited());
  }
  return found;
}

// What a client that asks by reflection is answered.
struct Reflected {
  grpc::Status status;
  std::string answer;
};

// Asks with the text `value` in the field `number` of the request.
Reflected AskReflection(const std::string& address, int number, const std::string& value) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  google::protobuf::UnknownFieldSet request;
  request.AddLengthDelimited(number, value);
  std::string message;
  request.SerializeToString(&message);
  const grpc::Slice bytes(message);

  grpc::CompletionQueue queue;
  void* tag;
  bool ok = false;
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto await = [&] { return queue.Next(&tag, &ok) && ok; };
  Reflected reflected;
  grpc::ByteBuffer response;
  call->StartCall(nullptr);
  await();
  call->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(), nullptr);
  await();
  call->Read(&response, nullptr);
  grpc::Slice read;
  if (await() && response.DumpToSingleSlice(&read).ok()) {
    reflected.answer.assign(read.begin(), read.end());
  }
  call->Finish(&reflected.status, nullptr);
  await();
  return reflected;
}

// Fields of a request, and of the answer.
constexpr int kFileContainingSymbol = 4, kListServices = 7;
constexpr int kFileAnswer = 4, kFile = 1, kServicesAnswer = 6, kService = 1, kName = 1;

TEST(ClientServer, TellsItsServicesToWhoMayAsk) {
  ClientServerOptions options;
  options.addresses = {FreeAddress()};
  options.reflection = true;
  const auto server = StartClientServer(options, {SomeService()});
  ASSERT_TRUE(server.ok()) << server.status();

  const Reflected list = AskReflection(options.addresses[0], kListServices, "");
  ASSERT_TRUE(list.status.ok()) << list.status.error_message();
  std::vector<std::string> names;
  for (const std::string& services : FieldsOf(list.answer, kServicesAnswer)) {
    for (const std::string& service : FieldsOf(services, kService)) {
      names.push_back(FieldsOf(service, kName).at(0));
    }
  }
  EXPECT_THAT(names, ::testing::Contains("etcdserverpb.KV"));

  const Reflected symbol =
      AskReflection(options.addresses[0], kFileContainingSymbol, "etcdserverpb.KV");
  ASSERT_TRUE(symbol.status.ok()) << symbol.status.error_message();
  const std::vector<std::string> answers = FieldsOf(symbol.answer, kFileAnswer);
  ASSERT_EQ(answers.size(), 1u);
  const std::vector<std::string> files = FieldsOf(answers[0], kFile);
  ASSERT_FALSE(files.empty());
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(files[0]));
  EXPECT_EQ(file.service(0).name(), "KV");
  EXPECT_EQ(file.service(0).method(0).name(), "Range");
}

TEST(ClientServer, TellsNobodyOfItsServicesUnlessItShould) {
  ClientServerOptions options;
  options.addresses = {FreeAddress()};
  const auto server = StartClientServer(options, {SomeService()});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(AskReflection(options.addresses[0], kListServices, "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace pontoon::kv
