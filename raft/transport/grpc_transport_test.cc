// Transports of a test process that speak over the loopback device.

#include "raft/transport/grpc_transport.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/peer.grpc.pb.h"
#include "raft/base/membership.h"
#include "raft/base/prng.h"
#include "raft/transport/codec.h"
#include "raft/transport/sample_messages.h"

namespace pontoon::raft {
namespace {

namespace wire = ::pontoon::peer::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr uint64_t kCluster = 0xc1;
constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};

// No test waits for as long as this unless something is broken.
constexpr seconds kPatience{30};

// Keeps what a transport delivers.
class Recorder final : public TransportReceiver {
 public:
  void OnMessages(std::vector<Message> messages) override {
    std::lock_guard lock(mutex_);
    for (Message& message : messages) messages_.push_back(std::move(message));
    changed_.notify_all();
  }
  void OnPeerUnreachable(NodeId peer) override {
    std::lock_guard lock(mutex_);
    ++unreachable_[peer];
    changed_.notify_all();
  }

  void OnPeerDown(NodeId peer) override {
    std::lock_guard lock(mutex_);
    ++down_[peer];
    changed_.notify_all();
  }

  bool AwaitMessages(size_t count, milliseconds timeout = kPatience) {
    return Await([&] { return messages_.size() >= count; }, timeout);
  }
  bool AwaitUnreachable(NodeId peer) {
    return Await([&] { return unreachable_[peer] > 0; }, kPatience);
  }
  bool AwaitDown(NodeId peer) {
    return Await([&] { return down_[peer] > 0; }, kPatience);
  }
  int down(NodeId peer) {
    std::lock_guard lock(mutex_);
    return down_[peer];
  }
  std::vector<Message> TakeMessages() {
    std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }
  int unreachable(NodeId peer) {
    std::lock_guard lock(mutex_);
    return unreachable_[peer];
  }

 private:
  bool Await(const std::function<bool()>& condition, milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> messages_;
  std::map<NodeId, int> unreachable_;
  std::map<NodeId, int> down_;
};

// A transport with its server and its receiver.
class Member {
 public:
  explicit Member(NodeId id, uint64_t cluster = kCluster,
                  absl::Duration greeting_timeout = GrpcTransportOptions().greeting_timeout)
      : id_(id), cluster_(cluster), greeting_timeout_(greeting_timeout) {
    Serve();
  }
  ~Member() { Stop(); }

  // Begins to serve, at the same port as before if there was one.
  void Serve() {
    GrpcTransportOptions options;
    options.self = {cluster_, id_, ++incarnation_};
    options.greeting_timeout = greeting_timeout_;
    options.self.data_incarnation = data_incarnation;
    options.admission = admission;
    options.introducer = introducer;
    transport_ = std::make_unique<GrpcTransport>(options);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_),
                             grpc::InsecureServerCredentials(), &port_);
    transport_->AddToServer(&builder);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void Start(const PeerAddresses& peers, const Whereabouts& own = {}) {
    transport_->Start(&recorder, peers, own);
  }
  void Stop() {
    if (transport_ == nullptr) return;
    transport_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + milliseconds(100));
    server_.reset();
    transport_.reset();
  }

  NodeId id() const { return id_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  GrpcTransport& transport() { return *transport_; }

  Recorder recorder;
  // For the next Serve.
  uint64_t data_incarnation = 0;
  Admission admission;
  Introducer introducer;

 private:
  const NodeId id_;
  const uint64_t cluster_;
  const absl::Duration greeting_timeout_;
  uint64_t incarnation_ = 0;
  int port_ = 0;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<grpc::Server> server_;
};

Message Beat(const Member& from, const Member& to, uint64_t round) {
  return {from.id(), to.id(), Term(1), Heartbeat{LogIndex(0), RoundId(round)}};
}

Message Bulk(const Member& from, const Member& to, const std::string& payload) {
  return {from.id(), to.id(), Term(1),
          AppendRequest{{}, {SampleCommand(LogIndex(1), Term(1), payload)}, LogIndex()}};
}

// Sends on both streams until something has come over each, and takes that away.
void Connect(Member* from, Member* to) {
  bool control = false;
  bool bulk = false;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while ((!control || !bulk) && std::chrono::steady_clock::now() < give_up) {
    from->transport().Send({Beat(*from, *to, 0), Bulk(*from, *to, "")});
    to->recorder.AwaitMessages(1, milliseconds(20));
    for (const Message& message : to->recorder.TakeMessages()) {
      (StreamKindOf(message) == StreamKind::kBulk ? bulk : control) = true;
    }
  }
  ASSERT_TRUE(control && bulk) << "no connection";
  // What was sent too much may still come: a mark on each stream tells when it has.
  from->transport().Send({Beat(*from, *to, ~uint64_t{0} >> 3), Bulk(*from, *to, "mark")});
  int marks = 0;
  while (marks < 2) {
    ASSERT_TRUE(to->recorder.AwaitMessages(1));
    for (const Message& message : to->recorder.TakeMessages()) {
      const std::string text = Described(message);
      if (text.find("mark") != std::string::npos ||
          text.find(std::to_string(~uint64_t{0} >> 3)) != std::string::npos) {
        ++marks;
      }
    }
  }
}

class GrpcTransportTest : public ::testing::Test {
 protected:
  GrpcTransportTest() : one_(kOne), two_(kTwo) {}

  PeerAddresses addresses() const { return {{kOne, one_.address()}, {kTwo, two_.address()}}; }
  void StartBoth() {
    one_.Start(addresses());
    two_.Start(addresses());
  }

  Member one_;
  Member two_;
};

TEST_F(GrpcTransportTest, EveryKindOfMessageArrivesInBothDirections) {
  StartBoth();
  const std::pair<Member*, Member*> directions[] = {{&one_, &two_}, {&two_, &one_}};
  for (const auto& [from, to] : directions) {
    Connect(from, to);
    const std::vector<Message> messages = SampleMessages(from->id(), to->id());
    from->transport().Send(messages);
    ASSERT_TRUE(to->recorder.AwaitMessages(messages.size()));

    std::vector<std::string> sent;
    std::vector<std::string> received;
    for (const Message& message : messages) sent.push_back(Described(message));
    for (const Message& message : to->recorder.TakeMessages()) {
      received.push_back(Described(message));
    }
    EXPECT_THAT(received, ::testing::UnorderedElementsAreArray(sent));
  }
}

TEST_F(GrpcTransportTest, EachStreamKeepsTheOrder) {
  constexpr uint64_t kCount = 5000;
  StartBoth();
  Connect(&one_, &two_);
  for (uint64_t i = 1; i <= kCount; ++i) {
    one_.transport().Send(
        {Beat(one_, two_, i), {kOne, kTwo, Term(1), AppendAccepted{LogIndex(i)}}});
  }
  ASSERT_TRUE(two_.recorder.AwaitMessages(2 * kCount));
  uint64_t last_round = 0;
  uint64_t last_match = 0;
  for (const Message& message : two_.recorder.TakeMessages()) {
    if (const auto* beat = std::get_if<Heartbeat>(&message.body)) {
      EXPECT_EQ(beat->round, RoundId(++last_round));
    } else {
      EXPECT_EQ(std::get<AppendAccepted>(message.body).match, LogIndex(++last_match));
    }
  }
  EXPECT_EQ(one_.recorder.unreachable(kTwo), 0);
}

TEST_F(GrpcTransportTest, LargeEntriesArrive) {
  StartBoth();
  Connect(&one_, &two_);
  std::vector<size_t> sizes = {1, 20 << 20, 2, 3 << 20, kPayloadBytesMax, 3};
  std::vector<Message> messages;
  for (size_t size : sizes) messages.push_back(Bulk(one_, two_, std::string(size, 'x')));
  one_.transport().Send(std::move(messages));
  ASSERT_TRUE(two_.recorder.AwaitMessages(sizes.size()));
  std::vector<size_t> received;
  for (const Message& message : two_.recorder.TakeMessages()) {
    received.push_back(std::get<AppendRequest>(message.body).entries[0].payload->size());
  }
  EXPECT_EQ(received, sizes);
}

TEST_F(GrpcTransportTest, PeerThatComesBackIsFoundAgain) {
  StartBoth();
  Connect(&one_, &two_);
  for (int life = 0; life < 2; ++life) {
    const int lost_before = one_.recorder.unreachable(kTwo);
    two_.Stop();
    ASSERT_TRUE(one_.recorder.AwaitUnreachable(kTwo));
    two_.Serve();
    two_.Start(addresses());
    Connect(&one_, &two_);
    Connect(&two_, &one_);
    EXPECT_GT(one_.recorder.unreachable(kTwo), lost_before);
    // One for each stream that broke, and at most one more for what was sent meanwhile.
    EXPECT_LE(one_.recorder.unreachable(kTwo), lost_before + 4);
  }
}

TEST_F(GrpcTransportTest, MemberOfAnotherClusterIsNotHeard) {
  Member stranger(kTwo, kCluster + 1);
  one_.Start({{kTwo, stranger.address()}});
  stranger.Start(addresses());
  one_.transport().Send({Beat(one_, stranger, 1)});
  stranger.transport().Send({Beat(stranger, one_, 1)});
  EXPECT_FALSE(one_.recorder.AwaitMessages(1, milliseconds(300)));
  EXPECT_FALSE(stranger.recorder.AwaitMessages(1, milliseconds(1)));
}

TEST_F(GrpcTransportTest, LossIsReportedOnceWhenTheQueueOverflows) {
  two_.Stop();
  one_.Start(addresses());
  std::vector<Message> messages(GrpcTransportOptions().queued_messages_max + 1,
                                Beat(one_, two_, 1));
  one_.transport().Send(messages);
  EXPECT_EQ(one_.recorder.unreachable(kTwo), 1);
  one_.transport().Send(messages);
  EXPECT_EQ(one_.recorder.unreachable(kTwo), 1);
}

TEST_F(GrpcTransportTest, PeersCanBeChanged) {
  one_.Start({});
  two_.Start({});
  one_.transport().Send({Beat(one_, two_, 1)});  // to nobody
  one_.transport().SetPeers(addresses());
  two_.transport().SetPeers(addresses());
  Connect(&one_, &two_);
  two_.transport().SetPeers({});
  EXPECT_TRUE(one_.recorder.AwaitUnreachable(kTwo));
  two_.transport().SetPeers(addresses());
  Connect(&one_, &two_);
}

TEST_F(GrpcTransportTest, StopsWhileItSendsAndDials) {
  for (int i = 0; i < 20; ++i) {
    Member three(NodeId(3));
    three.Start({{kOne, one_.address()}, {kTwo, "127.0.0.1:1"}});
    for (int j = 0; j < i * 50; ++j) {
      three.transport().Send({{NodeId(3), kOne, Term(1), StaleTerm{}}});
    }
    three.Stop();
  }
}

// Speaks the protocol by hand.
class RawPeer {
 public:
  explicit RawPeer(const Member& target)
      : stub_(wire::Peer::NewStub(
            grpc::CreateChannel(target.address(), grpc::InsecureChannelCredentials()))),
        stream_((context_.set_deadline(std::chrono::system_clock::now() + kPatience),
                 stub_->Exchange(&context_))) {}

  // False: the stream has ended.
  bool Write(const wire::Envelope& envelope) { return stream_->Write(envelope); }
  bool Read(wire::Envelope* envelope) { return stream_->Read(envelope); }
  // The status with which the other side ended the stream.
  grpc::Status AwaitEnd() {
    wire::Envelope ignored;
    while (stream_->Read(&ignored)) {
    }
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<wire::Peer::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<wire::Envelope, wire::Envelope>> stream_;
};

wire::Envelope GoodGreeting() {
  wire::Envelope envelope;
  WriteGreeting({kCluster, kTwo, 1}, kOne, StreamKind::kControl, &envelope);
  return envelope;
}

// ---- who is let in

// Lets in who has the data folder 7.
absl::Status OnlySeven(const Greeting& greeting) {
  if (greeting.data_incarnation == 7) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("not ", greeting.data_incarnation));
}

TEST_F(GrpcTransportTest, PeerThatIsNotAdmittedIsNotHeardInEitherDirection) {
  one_.Stop();
  one_.admission = OnlySeven;
  one_.Serve();
  StartBoth();
  // Two admits one; but one does not take two's greeting for an answer, either.
  one_.transport().Send({Beat(one_, two_, 1)});
  two_.transport().Send({Beat(two_, one_, 1)});
  EXPECT_FALSE(one_.recorder.AwaitMessages(1, milliseconds(300)));
  EXPECT_FALSE(two_.recorder.AwaitMessages(1, milliseconds(1)));

  two_.Stop();
  two_.data_incarnation = 7;
  two_.Serve();
  two_.Start(addresses());
  Connect(&one_, &two_);
  Connect(&two_, &one_);
}

// The other side may know only where it was.
TEST_F(GrpcTransportTest, WhoDialsTellsWhereItIsReachedItself) {
  const Whereabouts before{"http://b:1", LogIndex(17), {LogIndex(19), Term(2)}};
  const Whereabouts after{"http://b:2", LogIndex(20), {LogIndex(20), Term(3)}};
  std::mutex mutex;
  Whereabouts told;
  one_.Stop();
  one_.admission = [&](const Greeting& greeting) {
    std::lock_guard lock(mutex);
    if (greeting.whereabouts.url != "") told = greeting.whereabouts;
    return absl::OkStatus();
  };
  one_.Serve();
  one_.Start(addresses());
  two_.Start(addresses(), before);
  Connect(&two_, &one_);
  {
    std::lock_guard lock(mutex);
    EXPECT_EQ(told, before);
  }
  EXPECT_EQ(two_.transport().Addresses(), (PeerAddresses{{kOne, one_.address()}}));
  two_.transport().SetPeers({});
  EXPECT_TRUE(two_.transport().Addresses().empty());
  two_.transport().SetPeers(addresses(), after);
  Connect(&two_, &one_);
  std::lock_guard lock(mutex);
  EXPECT_EQ(told, after);
}

TEST_F(GrpcTransportTest, StrangersAreNotPutBeforeTheAdmission) {
  std::atomic<int> asked = 0;
  one_.Stop();
  one_.admission = [&](const Greeting&) {
    ++asked;
    return absl::OkStatus();
  };
  one_.Serve();
  one_.Start({});
  RawPeer peer(one_);
  peer.Write(GoodGreeting());
  const grpc::Status end = peer.AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("removed from the cluster, or is not added yet"));
  EXPECT_EQ(asked, 0);
}

// ---- introductions

constexpr absl::Duration kAnswerTimeout = absl::Seconds(30);

TEST_F(GrpcTransportTest, NodesThatJoinAreToldWhoTheyAre) {
  const Introduction told{.cluster_id = kCluster,
                          .self = kTwo,
                          .token = "token",
                          .members = {{kOne, "one", {"http://a:1", "http://a:2"}, 7},
                                      {kTwo, "", {"http://b:1"}, std::nullopt}},
                          .membership_index = LogIndex(17)};
  one_.Stop();
  one_.data_incarnation = 5;
  one_.introducer = [&](IntroductionRequest request, IntroductionCallback done) {
    EXPECT_FALSE(request.self.has_value());
    if (request.peer_urls == std::vector<std::string>{"http://b:1", "http://b:2"}) {
      return std::move(done)(told);
    }
    std::move(done)(absl::NotFoundError("nobody has " + request.peer_urls.front()));
  };
  one_.Serve();
  EXPECT_EQ(AskForIntroduction(one_.address(), {{"http://b:1"}}, kAnswerTimeout).status().code(),
            absl::StatusCode::kUnavailable)
      << "not started yet";
  one_.Start({});
  const auto introduction =
      AskForIntroduction(one_.address(), {{"http://b:1", "http://b:2"}}, kAnswerTimeout);
  ASSERT_TRUE(introduction.ok()) << introduction.status();
  EXPECT_EQ(*introduction->introduction, told);
  const auto refusal = AskForIntroduction(one_.address(), {{"http://c:1"}}, kAnswerTimeout);
  ASSERT_TRUE(refusal.ok()) << refusal.status();
  EXPECT_EQ(refusal->introduction.status(), absl::NotFoundError("nobody has http://c:1"));
  // Whose word it is, either way.
  for (const auto& answer : {introduction, refusal}) {
    EXPECT_EQ(answer->teller.cluster_id, kCluster);
    EXPECT_EQ(answer->teller.member, kOne);
    EXPECT_EQ(answer->teller.data_incarnation, 5u);
  }
  EXPECT_EQ(AskForIntroduction("127.0.0.1:1", {{"http://b:1"}}, kAnswerTimeout).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(GrpcTransportTest, MembersThatLostTouchSayWhoTheyAre) {
  std::optional<Identity> asking;
  one_.Stop();
  one_.introducer = [&](IntroductionRequest request, IntroductionCallback done) {
    asking = request.self;
    std::move(done)(absl::UnavailableError("not now"));
  };
  one_.Serve();
  one_.Start({});
  const Identity self = {kCluster, kTwo, 1, 7};
  const auto answer = AskForIntroduction(one_.address(), {{}, self}, kAnswerTimeout);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->introduction.status(), absl::UnavailableError("not now"));
  ASSERT_TRUE(asking.has_value());
  EXPECT_EQ(asking->cluster_id, kCluster);
  EXPECT_EQ(asking->member, kTwo);
  EXPECT_EQ(asking->data_incarnation, 7u);
}

TEST_F(GrpcTransportTest, WhoAsksTooMuchIsNotHeard) {
  one_.Stop();
  int heard = 0;
  one_.introducer = [&](IntroductionRequest, IntroductionCallback done) {
    ++heard;
    std::move(done)(absl::NotFoundError("nobody"));
  };
  one_.Serve();
  one_.Start({});
  const auto code = [&](std::vector<std::string> urls) {
    return AskForIntroduction(one_.address(), {std::move(urls)}, kAnswerTimeout).status().code();
  };
  EXPECT_EQ(code(std::vector<std::string>(kPeerUrlsMax + 1, "http://b:1")),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({std::string(kPeerUrlBytesMax + 1, 'x')}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(heard, 0);
  EXPECT_EQ(code(std::vector<std::string>(kPeerUrlsMax, std::string(kPeerUrlBytesMax, 'x'))),
            absl::StatusCode::kOk);
  EXPECT_EQ(heard, 1);
}

TEST_F(GrpcTransportTest, FewAreIntroducedAtOnce) {
  one_.Stop();
  std::mutex mutex;
  std::vector<IntroductionCallback> waiting;
  one_.introducer = [&](IntroductionRequest, IntroductionCallback done) {
    std::lock_guard lock(mutex);
    waiting.push_back(std::move(done));
  };
  one_.Serve();
  one_.Start({});
  // All but those that are being introduced are sent away, and only then are those answered.
  constexpr int kAsking = 12;
  constexpr int kAtOnce = 8;
  std::atomic<int> sent_away = 0;
  std::vector<std::thread> asking;
  for (int i = 0; i < kAsking; ++i) {
    asking.emplace_back([&] {
      const auto answer = AskForIntroduction(one_.address(), {{"http://b:1"}}, kAnswerTimeout);
      if (answer.ok()) return;
      EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable) << answer.status();
      if (++sent_away < kAsking - kAtOnce) return;
      std::lock_guard lock(mutex);
      EXPECT_EQ(waiting.size(), size_t{kAtOnce});
      for (auto& done : waiting) std::move(done)(absl::NotFoundError("nobody"));
      waiting.clear();
    });
  }
  for (std::thread& thread : asking) thread.join();
  EXPECT_EQ(sent_away, kAsking - kAtOnce);
}

TEST_F(GrpcTransportTest, AnIntroductionOfNobodyIsNotBelieved) {
  one_.Stop();
  one_.introducer = [&](IntroductionRequest, IntroductionCallback done) {
    std::move(done)(Introduction{
        .cluster_id = kCluster, .self = kTwo, .token = "", .members = {}, .membership_index = {}});
  };
  one_.Serve();
  one_.Start({});
  EXPECT_EQ(AskForIntroduction(one_.address(), {{"http://b:1"}}, kAnswerTimeout).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// ---- a peer that misbehaves

TEST_F(GrpcTransportTest, PeerThatIsGoneIsReportedDown) {
  StartBoth();
  Connect(&one_, &two_);
  EXPECT_EQ(one_.recorder.down(kTwo), 0);
  two_.Stop();
  ASSERT_TRUE(one_.recorder.AwaitDown(kTwo));
}

TEST_F(GrpcTransportTest, PeerThatOnlyEndedAStreamIsNotReportedDown) {
  StartBoth();
  Connect(&one_, &two_);
  {
    // Takes the place of the stream from one to two.
    RawPeer other(two_);
    wire::Envelope greeting;
    WriteGreeting({kCluster, kOne, 1}, kTwo, StreamKind::kControl, &greeting);
    other.Write(greeting);
    ASSERT_TRUE(one_.recorder.AwaitUnreachable(kTwo));
  }
  Connect(&one_, &two_);
  EXPECT_EQ(one_.recorder.down(kTwo), 0);
}

// Member two as a process that is alive: ends the first streams for control after its greeting, and
// refuses all others with `refusal`.
class UnsteadyPeer final : public wire::Peer::Service {
 public:
  UnsteadyPeer(std::vector<grpc::Status> ends, grpc::StatusCode refusal)
      : ends_(std::move(ends)), refusal_(refusal) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~UnsteadyPeer() override { server_->Shutdown(std::chrono::system_clock::now() + seconds(1)); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  bool AwaitControlStreams(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return control_streams_ >= count; });
  }

 private:
  using ServerStream = grpc::ServerReaderWriter<wire::Envelope, wire::Envelope>;

  grpc::Status Exchange(grpc::ServerContext*, ServerStream* stream) override {
    const Identity self = {kCluster, kTwo, 1};
    const grpc::Status refused(refusal_, "refused");
    wire::Envelope envelope;
    if (!stream->Read(&envelope)) return refused;
    const auto greeting = ReadGreeting(self, envelope);
    if (!greeting.ok() || greeting->kind != StreamKind::kControl) return refused;
    const size_t number = CountControlStream();
    if (number >= ends_.size()) return refused;
    WriteGreeting(self, kOne, StreamKind::kControl, &envelope);
    stream->Write(envelope);
    return ends_[number];
  }

  size_t CountControlStream() {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
    return control_streams_++;
  }

  const std::vector<grpc::Status> ends_;
  const grpc::StatusCode refusal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t control_streams_ = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcTransportTest, PeerThatCanBeDialledIsNotReportedDown) {
  // As of one that is stopping. Only a dial that fails shows that a peer is gone.
  const grpc::Status unavailable(grpc::StatusCode::UNAVAILABLE, "ended");
  UnsteadyPeer two({unavailable, unavailable}, grpc::StatusCode::FAILED_PRECONDITION);
  one_.Start({{kTwo, two.address()}});
  // The third stream, which is refused, follows a loss; the fourth shows that its end was judged.
  ASSERT_TRUE(two.AwaitControlStreams(4));
  EXPECT_EQ(one_.recorder.down(kTwo), 0);
  one_.Stop();
}

// A server that is about to end cancels the calls that still come.
TEST_F(GrpcTransportTest, PeerThatCancelsBeforeItIsGoneIsReportedDown) {
  auto two = std::make_unique<UnsteadyPeer>(
      std::vector{grpc::Status(grpc::StatusCode::UNAVAILABLE, "ended")},
      grpc::StatusCode::CANCELLED);
  one_.Start({{kTwo, two->address()}});
  ASSERT_TRUE(two->AwaitControlStreams(3));
  EXPECT_EQ(one_.recorder.down(kTwo), 0);
  two.reset();
  EXPECT_TRUE(one_.recorder.AwaitDown(kTwo));
}

TEST_F(GrpcTransportTest, WrongGreetingIsRefusedWithAReason) {
  one_.Start(addresses());
  struct Case {
    std::function<void(wire::Envelope*)> change;
    grpc::StatusCode code;
    const char* words;
  };
  const Case cases[] = {
      {[](auto* e) { e->mutable_hello()->set_cluster_id(5); },
       grpc::StatusCode::FAILED_PRECONDITION, "this is cluster 00000000000000c1, not"},
      {[](auto* e) { e->mutable_hello()->set_to_member_id(0xa3); },
       grpc::StatusCode::FAILED_PRECONDITION, "this is member 1, not a3"},
      {[](auto* e) { e->mutable_hello()->set_from_member_id(0xa9); },
       grpc::StatusCode::FAILED_PRECONDITION, "member 1 has no peer a9"},
      {[](auto* e) { e->mutable_hello()->set_from_member_id(1); },
       grpc::StatusCode::FAILED_PRECONDITION, "member 1 has no peer 1"},
      {[](auto* e) { e->mutable_hello()->set_protocol_version(1); },
       grpc::StatusCode::FAILED_PRECONDITION, "speaks version 2 of the peer protocol, not 1"},
      {[](auto* e) { e->mutable_hello()->clear_kind(); }, grpc::StatusCode::INVALID_ARGUMENT,
       "unknown kind"},
      {[](auto* e) { e->clear_hello(); }, grpc::StatusCode::INVALID_ARGUMENT,
       "begin with a greeting"},
      {[](auto* e) { e->add_messages()->mutable_stale_term(); }, grpc::StatusCode::INVALID_ARGUMENT,
       "begin with a greeting"},
  };
  for (const Case& c : cases) {
    wire::Envelope greeting = GoodGreeting();
    c.change(&greeting);
    RawPeer peer(one_);
    peer.Write(greeting);
    const grpc::Status status = peer.AwaitEnd();
    EXPECT_EQ(status.error_code(), c.code) << c.words;
    EXPECT_THAT(status.error_message(), HasSubstr(c.words));
  }
}

TEST_F(GrpcTransportTest, WhoDoesNotGreetIsSentAway) {
  Member hasty(kOne, kCluster, absl::Milliseconds(100));
  hasty.Start(addresses());
  RawPeer peer(hasty);
  wire::Envelope answer;
  ASSERT_TRUE(peer.Write(GoodGreeting()));
  ASSERT_TRUE(peer.Read(&answer));

  RawPeer silent(hasty);
  const grpc::Status status = silent.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(), "no greeting came");
  // Who did may stay, for as long as it likes.
  wire::Envelope beat;
  EncodeMessage(Beat(two_, one_, 1), &beat);
  EXPECT_TRUE(peer.Write(beat));
  EXPECT_TRUE(hasty.recorder.AwaitMessages(1));
}

TEST_F(GrpcTransportTest, NobodyIsLetInBeforeTheStart) {
  RawPeer peer(one_);
  peer.Write(GoodGreeting());
  EXPECT_EQ(peer.AwaitEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTransportTest, SenselessMessageEndsItsStreamOnly) {
  one_.Start(addresses());
  RawPeer peer(one_);
  ASSERT_TRUE(peer.Write(GoodGreeting()));
  wire::Envelope answer;
  ASSERT_TRUE(peer.Read(&answer));
  EXPECT_EQ(answer.hello().from_member_id(), 1u);
  EXPECT_EQ(answer.hello().to_member_id(), 2u);

  wire::Envelope senseless;
  senseless.add_messages()->set_term(~uint64_t{0});
  peer.Write(senseless);
  EXPECT_EQ(peer.AwaitEnd().error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  two_.Start(addresses());
  Connect(&two_, &one_);
}

TEST_F(GrpcTransportTest, NewerStreamOfAPeerTakesThePlaceOfTheOlder) {
  one_.Start(addresses());
  RawPeer older(one_);
  wire::Envelope answer;
  older.Write(GoodGreeting());
  ASSERT_TRUE(older.Read(&answer));
  RawPeer newer(one_);
  newer.Write(GoodGreeting());
  ASSERT_TRUE(newer.Read(&answer));
  EXPECT_EQ(older.AwaitEnd().error_code(), grpc::StatusCode::ABORTED);

  wire::Envelope beat;
  EncodeMessage(Beat(two_, one_, 1), &beat);
  EXPECT_TRUE(newer.Write(beat));
  EXPECT_TRUE(one_.recorder.AwaitMessages(1));
}

// A stream may be called to its end while it is being greeted, here by the next one. gRPC does not
// take both at once: the greeting comes first, and whole.
TEST_F(GrpcTransportTest, StreamThatIsLetInIsGreetedBeforeItIsEnded) {
  constexpr int kCallers = 8;
  constexpr int kStreams = 200;
  one_.Start(addresses());
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([this] {
      for (int j = 0; j < kStreams; ++j) {
        RawPeer peer(one_);
        peer.Write(GoodGreeting());
        wire::Envelope answer;
        ASSERT_TRUE(peer.Read(&answer)) << peer.AwaitEnd().error_message();
        EXPECT_TRUE(answer.has_hello());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  two_.Start(addresses());
  Connect(&two_, &one_);
}

// Sends `frames`, which need not be messages at all, as one stream, and waits for its end.
grpc::Status SendBytes(grpc::GenericStub* stub, const std::vector<std::string>& frames) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto call = stub->PrepareCall(&context, "/pontoon.peer.v1.Peer/Exchange", &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  for (const std::string& frame : frames) {
    const grpc::Slice slice(frame);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    queue.Next(&tag, &ok);
    if (!ok) break;
  }
  // The status comes after everything else has been read.
  do {
    grpc::ByteBuffer ignored;
    call->Read(&ignored, nullptr);
    queue.Next(&tag, &ok);
  } while (ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

TEST_F(GrpcTransportTest, NoBytesCrashTheServer) {
  one_.Start(addresses());
  grpc::GenericStub stub(grpc::CreateChannel(one_.address(), grpc::InsecureChannelCredentials()));
  Prng prng(7);
  for (int i = 0; i < 300; ++i) {
    std::string garbage(1 + prng.Below(200), '\0');
    for (char& c : garbage) c = static_cast<char>(prng.Next());
    garbage[0] = '\x0f';  // a tag with an impossible wire type: never parses
    std::vector<std::string> frames = {garbage};
    if (i % 2 == 0) frames.insert(frames.begin(), GoodGreeting().SerializeAsString());
    const grpc::Status status = SendBytes(&stub, frames);
    ASSERT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  two_.Start(addresses());
  Connect(&two_, &one_);
}

}  // namespace
}  // namespace pontoon::raft
