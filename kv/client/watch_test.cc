// Watches of members that break off: nothing is missing, and nothing comes twice.

#include "kv/client/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;
using ::testing::AnyOf;
using ::testing::ElementsAre;

using ServerStream = grpc::ServerReaderWriter<WatchResponse, WatchRequest>;

// A member of a cluster in which each revision from 1 on puts one key. It tells `batch` of them on
// each stream, and breaks it off; at the last revision it goes on watching.
class WatchTest : public ::testing::Test {
 protected:
  static constexpr int64_t kLastRevision = 50;

  grpc::Status Serve(grpc::ServerContext* context, ServerStream* stream, int64_t batch) {
    WatchRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    created_.Add(request.create_request());
    WatchResponse response;
    response.set_created(true);
    response.mutable_header()->set_revision(start_);
    stream->Write(response);
    int64_t next = request.create_request().start_revision();
    if (next == 0) next = start_ + 1;
    for (int64_t told = 0; told < batch && next <= kLastRevision; ++told, ++next) {
      stream->Write(EventAt(next));
    }
    if (next <= kLastRevision) return ErrorStatus(kv::kErrStopped);
    AwaitCancellation(context);
    return grpc::Status::CANCELLED;
  }

  void SetUp() override {
    for (FakeMember* member : {&a_, &b_}) {
      const int64_t batch = member == &a_ ? 3 : 5;
      member->Set([&](FakeMember::Behaviour* behaviour) {
        behaviour->watch = [this, batch](grpc::ServerContext* context, ServerStream* stream) {
          return Serve(context, stream, batch);
        };
      });
    }
    Connect({});
  }

  void Connect(ClientOptions options) {
    options.endpoints = {a_.address(), b_.address()};
    options.discovers_members = false;
    options.backoff = {.first = absl::Milliseconds(1), .longest = absl::Milliseconds(5)};
    auto client = Client::Create(options);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  Watch::Handlers Handlers() {
    return {.on_events =
                [this](const std::vector<mvccpb::Event>& events) {
                  for (const auto& event : events) revisions_.Add(event.kv().mod_revision());
                },
            .on_progress = [this](int64_t revision) { progress_.Add(revision); },
            .on_end = [this](const WatchEnd& end) { ends_.Add(end); }};
  }
  static WatchCreateRequest From(int64_t revision) {
    auto request = ForPrefix<WatchCreateRequest>("k");
    request.set_start_revision(revision);
    return request;
  }
  static std::vector<int64_t> UpTo(int64_t first, int64_t last) {
    std::vector<int64_t> revisions;
    for (int64_t revision = first; revision <= last; ++revision) revisions.push_back(revision);
    return revisions;
  }
  void SetWatch(std::function<grpc::Status(grpc::ServerContext*, ServerStream*)> watch) {
    for (FakeMember* member : {&a_, &b_}) {
      member->Set([&](FakeMember::Behaviour* behaviour) { behaviour->watch = watch; });
    }
  }
  // Reads the request for a watch and answers it with `response`.
  static void Answer(ServerStream* stream, const WatchResponse& response) {
    WatchRequest request;
    stream->Read(&request);
    stream->Write(response);
  }
  static WatchResponse EventAt(int64_t revision) {
    WatchResponse response;
    response.mutable_header()->set_revision(revision);
    response.add_events()->mutable_kv()->set_mod_revision(revision);
    return response;
  }
  // Has members tell of revision 20, and of 21 once the watch is gone, on a stream that they do not
  // end themselves.
  void TellMoreOnceItIsGone() {
    SetWatch([this](grpc::ServerContext* context, ServerStream* stream) {
      WatchResponse accepted;
      accepted.set_created(true);
      Answer(stream, accepted);
      stream->Write(EventAt(20));
      gone_.WaitForNotification();
      stream->Write(EventAt(21));
      AwaitCancellation(context);
      cancelled_.Add(true);
      return grpc::Status::CANCELLED;
    });
  }

  int64_t start_ = 10;  // the revision when the watch begins
  EventList<WatchCreateRequest> created_;
  EventList<int64_t> revisions_;
  EventList<int64_t> progress_;
  EventList<WatchEnd> ends_;
  absl::Notification gone_;
  EventList<bool> cancelled_;
  FakeMember a_{1};
  FakeMember b_{2};
  std::unique_ptr<Client> client_;
};

TEST_F(WatchTest, GoesOnWhereItWasWhoeverAnswers) {
  Watch watch(client_.get(), From(20), Handlers());
  EXPECT_EQ(revisions_.Await(31), UpTo(20, kLastRevision));
  EXPECT_GE(created_.Get().size(), 6u) << "it was broken off many times";
  for (const WatchCreateRequest& request : created_.Get()) {
    EXPECT_TRUE(request.progress_notify());
  }
  EXPECT_TRUE(ends_.Get().empty());
}

TEST_F(WatchTest, FromNowOnMeansFromTheFirstStream) {
  Watch watch(client_.get(), From(0), Handlers());
  EXPECT_EQ(revisions_.Await(40), UpTo(start_ + 1, kLastRevision));
  EXPECT_EQ(created_.Get()[0].start_revision(), 0);
  EXPECT_GT(created_.Get()[1].start_revision(), start_);
}

TEST_F(WatchTest, FromNowOnIsKeptIfNothingHappens) {
  std::atomic<int> streams = 0;
  SetWatch([&](grpc::ServerContext* context, ServerStream* stream) {
    // The second one answers later than something has happened.
    const int64_t batch = streams++ == 0 ? 0 : kLastRevision;
    return Serve(context, stream, batch);
  });
  Watch watch(client_.get(), From(0), Handlers());
  EXPECT_EQ(revisions_.Await(40), UpTo(start_ + 1, kLastRevision));
  EXPECT_EQ(created_.Get()[1].start_revision(), start_ + 1);
}

TEST_F(WatchTest, ToldTwiceByAServerIsToldOnce) {
  SetWatch([&](grpc::ServerContext* context, ServerStream* stream) {
    WatchRequest request;
    stream->Read(&request);
    for (const int64_t last : {22, 24}) {
      WatchResponse events;
      for (int64_t revision = 20; revision <= last; ++revision) {
        events.add_events()->mutable_kv()->set_mod_revision(revision);
      }
      stream->Write(events);
    }
    AwaitCancellation(context);
    return grpc::Status::CANCELLED;
  });
  Watch watch(client_.get(), From(20), Handlers());
  EXPECT_EQ(revisions_.Await(5), UpTo(20, 24));
}

TEST_F(WatchTest, TellsProgressAndGoesOnAfterIt) {
  std::atomic<int> streams = 0;
  SetWatch([&](grpc::ServerContext* context, ServerStream* stream) {
    if (streams++ > 0) return Serve(context, stream, 1);
    WatchResponse progress;
    progress.mutable_header()->set_revision(44);
    Answer(stream, progress);
    return ErrorStatus(kv::kErrStopped);
  });
  Watch watch(client_.get(), From(20), Handlers());
  EXPECT_EQ(revisions_.Await(6), UpTo(45, kLastRevision));
  EXPECT_THAT(progress_.Get(), ElementsAre(44));
}

TEST_F(WatchTest, EndsWhereHistoryIsCompacted) {
  SetWatch([&](grpc::ServerContext*, ServerStream* stream) {
    WatchResponse compacted;
    compacted.set_canceled(true);
    compacted.set_compact_revision(33);
    Answer(stream, compacted);
    return grpc::Status::OK;
  });
  Watch watch(client_.get(), From(20), Handlers());
  const std::vector<WatchEnd> ends = ends_.Await(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(kv::Is(ends[0].status, kv::kErrCompacted)) << ends[0].status;
  EXPECT_EQ(ends[0].next_revision, 20);
  EXPECT_EQ(ends[0].first_revision, 33);
}

TEST_F(WatchTest, EndsIfItIsRefused) {
  SetWatch([&](grpc::ServerContext*, ServerStream* stream) {
    WatchResponse refused;
    refused.set_created(true);
    refused.set_canceled(true);
    refused.set_cancel_reason("mvcc: watcher range is empty");
    Answer(stream, refused);
    return grpc::Status::OK;
  });
  Watch watch(client_.get(), From(20), Handlers());
  const std::vector<WatchEnd> ends = ends_.Await(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(absl::IsFailedPrecondition(ends[0].status)) << ends[0].status;
}

TEST_F(WatchTest, LeavesAMemberWithoutALeader) {
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->watch = [&](grpc::ServerContext* context, ServerStream* stream) {
      WatchResponse accepted;
      accepted.set_created(true);
      Answer(stream, accepted);
      WatchResponse lost;
      lost.set_canceled(true);
      lost.set_cancel_reason(std::string(kv::kErrNoLeader.text));
      stream->Write(lost);
      AwaitCancellation(context);  // it does not end the stream itself
      return grpc::Status::CANCELLED;
    };
  });
  Watch watch(client_.get(), From(20), Handlers());
  EXPECT_EQ(revisions_.Await(31), UpTo(20, kLastRevision));
}

TEST_F(WatchTest, EndsWithTheClient) {
  Watch watch(client_.get(), From(45), Handlers());
  EXPECT_EQ(revisions_.Await(6), UpTo(45, kLastRevision));
  client_.reset();
  const std::vector<WatchEnd> ends = ends_.Get();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(absl::IsCancelled(ends[0].status)) << ends[0].status;
  EXPECT_EQ(ends[0].next_revision, kLastRevision + 1);
}

TEST_F(WatchTest, LeavesAMemberThatDoesNotAcceptIt) {
  std::atomic<int> streams = 0;
  SetWatch([&](grpc::ServerContext* context, ServerStream* stream) {
    if (streams++ > 0) return Serve(context, stream, kLastRevision);
    AwaitCancellation(context);
    return grpc::Status::CANCELLED;
  });
  Connect({.attempt_timeout = absl::Milliseconds(20)});
  Watch watch(client_.get(), From(20), Handlers());
  EXPECT_EQ(revisions_.Await(31), UpTo(20, kLastRevision));
  EXPECT_GE(a_.calls("Watch"), 1);
  EXPECT_GE(b_.calls("Watch"), 1);
  EXPECT_TRUE(ends_.Get().empty());
}

TEST_F(WatchTest, KeepsAskingMembersThatDoNotAcceptIt) {
  SetWatch([](grpc::ServerContext* context, ServerStream*) {
    AwaitCancellation(context);
    return grpc::Status::CANCELLED;
  });
  Connect({.timeout = absl::Milliseconds(20), .attempt_timeout = absl::Milliseconds(10)});
  const Watch watch(client_.get(), From(20), Handlers());
  // If each were given twice the time of the one before, this would take eleven minutes.
  EXPECT_TRUE(a_.AwaitCalls("Watch", 8, kPatience));
}

TEST_F(WatchTest, IsQuietOnceItIsGone) {
  TellMoreOnceItIsGone();
  auto watch = std::make_unique<Watch>(client_.get(), From(20), Handlers());
  EXPECT_THAT(revisions_.Await(1), ElementsAre(20));
  watch.reset();
  gone_.Notify();
  EXPECT_EQ(cancelled_.Await(1).size(), 1u) << "the member need not watch any more";
  client_.reset();  // by then everything was told
  EXPECT_THAT(revisions_.Get(), ElementsAre(20));
  EXPECT_TRUE(ends_.Get().empty());
}

TEST_F(WatchTest, WaitsForTheCallbackThatRunsWhenItGoes) {
  absl::Notification called;
  auto watch = std::make_unique<Watch>(
      client_.get(), From(kLastRevision), Watch::Handlers{.on_events = [&](const auto&) {
        called.Notify();
        // So long would be enough to go without waiting.
        EXPECT_FALSE(gone_.WaitForNotificationWithTimeout(absl::Milliseconds(100)));
      }});
  ASSERT_TRUE(called.WaitForNotificationWithTimeout(kPatience));
  watch.reset();
  gone_.Notify();
}

TEST_F(WatchTest, MayGoInItsOwnCallback) {
  TellMoreOnceItIsGone();
  std::unique_ptr<Watch> watch;
  absl::Notification made;
  watch = std::make_unique<Watch>(client_.get(), From(20),
                                  Watch::Handlers{.on_events = [&](const auto& events) {
                                    made.WaitForNotification();
                                    watch.reset();
                                    revisions_.Add(events[0].kv().mod_revision());
                                  }});
  made.Notify();
  EXPECT_THAT(revisions_.Await(1), ElementsAre(20));
  gone_.Notify();
  EXPECT_EQ(cancelled_.Await(1).size(), 1u) << "the member need not watch any more";
  client_.reset();  // by then everything was told
  EXPECT_THAT(revisions_.Get(), ElementsAre(20));
}

}  // namespace
}  // namespace pontoon
