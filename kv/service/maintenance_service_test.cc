// The Maintenance service, the quota and streamed ranges as clients see them: over gRPC, in front
// of a real store, behind a replica that applies at once what it is given.

#include "kv/service/maintenance_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/maintenance/alarm_raiser.h"
#include "kv/maintenance/store_quota.h"
#include "kv/read/read_gate.h"
#include "kv/read/read_lane.h"
#include "kv/service/client_server.h"
#include "kv/service/command.h"
#include "kv/service/kv_service.h"
#include "kv/service/member.h"
#include "kv/service/status_reporter.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/store/kv_store.h"
#include "kv/store/snapshot_stream.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ClusterId kCluster{0xc1};
constexpr NodeId kSelf{0xa1};
constexpr int64_t kQuotaBytes = 4 << 20;
constexpr int64_t kRangeBytesMax = 2 << 20;

class MaintenanceTest : public testing::Test {
 protected:
  MaintenanceTest() {
    StoreOptions options;
    options.scrub_executor = scrubber_.get();
    options.write_buffer_bytes = 256 << 10;
    store_ = OpenFreshStore(options);
    replica_ = std::make_unique<InstantReplica>(kSelf, store_.get());
    member_ = std::make_unique<Member>(Member::Options{kCluster}, replica_.get(), Clock::System());
    const auto new_lane = [this](const char* name) {
      return std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor(name));
    };
    gate_ =
        std::make_unique<ReadGate>(ReadGate::Parts{replica_.get(), store_.get(), Clock::System()},
                                   NewThreadExecutor("revisions"));
    reads_ = new_lane("reads");
    hashes_ = new_lane("hashes");
    alarms_ = std::make_unique<AlarmRaiser>(replica_.get(), Clock::System());
    quota_ = std::make_unique<StoreQuota>(store_.get(), alarms_.get(), kQuotaBytes);
    reporter_ = std::make_unique<StatusReporter>(StatusReporter::Parts{
        .member = member_.get(), .store = store_.get(), .quota_bytes = kQuotaBytes});
    kv_service_ = std::make_unique<KvService>(
        KvService::Parts{member_.get(), store_.get(), gate_.get(), reads_.get(), reads_.get(),
                         quota_.get(), streams_.get()},
        RequestLimits{.range_bytes_max = kRangeBytesMax});
    maintenance_service_ = std::make_unique<MaintenanceService>(MaintenanceService::Parts{
        member_.get(), store_.get(), reads_.get(), reporter_.get(), hashes_.get(), streams_.get()});
    auto server = StartClientServer({}, {kv_service_.get(), maintenance_service_.get()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto channel = server_->InProcessChannel(grpc::ChannelArguments());
    kv_ = KV::NewStub(channel);
    maintenance_ = Maintenance::NewStub(channel);
  }

  ~MaintenanceTest() override {
    server_->Shutdown(std::chrono::system_clock::now());
    replica_.reset();  // its thread uses the store
  }

  grpc::Status Put(const std::string& key, const std::string& value) {
    PutRequest request;
    request.set_key(key);
    request.set_value(value);
    PutResponse response;
    return kv_->Put(Call().get(), request, &response);
  }
  grpc::Status Compact(const std::string& request) {
    CompactionResponse response;
    return kv_->Compact(Call().get(), Parse<CompactionRequest>(request), &response);
  }
  // The alarms of the answer, as "a1 NOSPACE"; or the error.
  std::vector<std::string> Alarm(const std::string& request) {
    AlarmResponse response;
    const grpc::Status status =
        maintenance_->Alarm(Call().get(), Parse<AlarmRequest>(request), &response);
    if (!status.ok()) return {status.error_message()};
    EXPECT_EQ(response.header().member_id(), kSelf.value());
    EXPECT_EQ(response.header().revision(), store_->View()->revision().value());
    std::vector<std::string> alarms;
    for (const AlarmMember& alarm : response.alarms()) {
      alarms.push_back(
          absl::StrCat(absl::Hex(alarm.memberid()), " ", AlarmType_Name(alarm.alarm())));
    }
    return alarms;
  }
  StatusResponse Status() {
    StatusResponse status;
    EXPECT_TRUE(maintenance_->Status(Call().get(), StatusRequest(), &status).ok());
    return status;
  }
  grpc::Status HashKV(int64_t revision, HashKVResponse* response) {
    HashKVRequest request;
    request.set_revision(revision);
    return maintenance_->HashKV(Call().get(), request, response);
  }
  grpc::Status Downgrade(const std::string& request) {
    DowngradeResponse response;
    return maintenance_->Downgrade(Call().get(), Parse<DowngradeRequest>(request), &response);
  }
  // The pieces of a streamed range; with an entry of metadata, unless its key is "".
  std::vector<RangeResponse> Stream(const std::string& request, grpc::Status* status,
                                    const std::string& key = "", const std::string& value = "") {
    Call call;
    if (!key.empty()) call.context.AddMetadata(key, value);
    const auto stream = kv_->RangeStream(call.get(), Parse<RangeRequest>(request));
    std::vector<RangeResponse> pieces;
    RangeStreamResponse piece;
    while (stream->Read(&piece)) pieces.push_back(piece.range_response());
    *status = stream->Finish();
    return pieces;
  }
  grpc::Status StreamStatus(const std::string& request) {
    grpc::Status status;
    EXPECT_THAT(Stream(request, &status), IsEmpty());
    return status;
  }

  const std::unique_ptr<Executor> scrubber_ = NewThreadExecutor("scrubber");
  const std::unique_ptr<Executor> streams_ = NewThreadExecutor("streams");
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<ReadGate> gate_;
  std::unique_ptr<ReadLane> reads_, hashes_;
  std::unique_ptr<AlarmRaiser> alarms_;
  std::unique_ptr<StoreQuota> quota_;
  std::unique_ptr<StatusReporter> reporter_;
  std::unique_ptr<KvService> kv_service_;
  std::unique_ptr<MaintenanceService> maintenance_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<KV::Stub> kv_;
  std::unique_ptr<Maintenance::Stub> maintenance_;
};

// Whether a call failed with exactly this error.
testing::AssertionResult Failed(const grpc::Status& status, grpc::StatusCode code,
                                const std::string& text) {
  if (status.error_code() == code && status.error_message() == text) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "got " << status.error_code() << " \"" << status.error_message() << "\"";
}

// ---- alarms

TEST_F(MaintenanceTest, AlarmsAreRaisedListedAndCleared) {
  EXPECT_THAT(Alarm(""), IsEmpty());
  EXPECT_THAT(Alarm("action: ACTIVATE memberID: 0xa2 alarm: NOSPACE"), ElementsAre("a2 NOSPACE"));
  EXPECT_THAT(Alarm("action: ACTIVATE memberID: 0xa1 alarm: CORRUPT"), ElementsAre("a1 CORRUPT"));
  EXPECT_THAT(Alarm(""), ElementsAre("a2 NOSPACE", "a1 CORRUPT"));
  EXPECT_THAT(Alarm("alarm: CORRUPT"), ElementsAre("a1 CORRUPT"));
  EXPECT_THAT(Status().errors(),
              ElementsAre("memberID:162 alarm:NOSPACE ", "memberID:161 alarm:CORRUPT "));
  EXPECT_THAT(Alarm("action: DEACTIVATE memberID: 0xa1 alarm: CORRUPT"), ElementsAre("a1 CORRUPT"));
  EXPECT_THAT(Alarm("action: DEACTIVATE memberID: 0xa1 alarm: CORRUPT"), IsEmpty());
  EXPECT_THAT(Alarm(""), ElementsAre("a2 NOSPACE"));
}

TEST_F(MaintenanceTest, AlarmsAreListedAfterABarrier) {
  const int barriers = replica_->barriers();
  EXPECT_THAT(Alarm(""), IsEmpty());
  EXPECT_EQ(replica_->barriers(), barriers + 1);
  replica_->SetLeader(kNoNode);
  replica_->FailNextBarrier(absl::DeadlineExceededError("x"));
  EXPECT_THAT(Alarm(""), ElementsAre("etcdserver: no leader"));
}

TEST_F(MaintenanceTest, ClientsMayInsistOnALeader) {
  StatusResponse status;
  AlarmResponse alarm;
  const auto raise = Parse<AlarmRequest>("action: ACTIVATE alarm: NOSPACE memberID: 0xa1");
  EXPECT_TRUE(maintenance_->Status(InsistingCall().get(), StatusRequest(), &status).ok());
  replica_->SetLeader(kNoNode);
  EXPECT_TRUE(
      Failed(maintenance_->Status(InsistingCall().get(), StatusRequest(), &status), kErrNoLeader));
  EXPECT_TRUE(
      Failed(maintenance_->Alarm(InsistingCall().get(), AlarmRequest(), &alarm), kErrNoLeader));
  EXPECT_TRUE(Failed(maintenance_->Alarm(InsistingCall().get(), raise, &alarm), kErrNoLeader));
  EXPECT_THAT(store_->View()->alarms().raised(), IsEmpty());
}

TEST_F(MaintenanceTest, UnknownAlarmsAreRefused) {
  AlarmRequest request;
  request.set_action(static_cast<AlarmRequest::AlarmAction>(9));
  AlarmResponse response;
  EXPECT_EQ(maintenance_->Alarm(Call().get(), request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.set_action(AlarmRequest::ACTIVATE);
  request.set_alarm(static_cast<AlarmType>(9));
  EXPECT_EQ(maintenance_->Alarm(Call().get(), request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(replica_->proposals(), 0);
}

// ---- the quota

TEST_F(MaintenanceTest, BeyondTheQuotaNothingIsPutUntilThereIsRoomAndTheAlarmIsCleared) {
  const std::string value(512 << 10, 'v');
  grpc::Status status;
  int puts = 0;
  for (; puts < 20 && status.ok(); ++puts) status = Put("k", value);
  EXPECT_TRUE(Failed(status, kErrNoSpace));
  EXPECT_GE(puts, 4) << "not long before";
  EXPECT_LE(puts, 8) << "and not after";
  EXPECT_THAT(Alarm(""), ElementsAre("a1 NOSPACE"));
  EXPECT_THAT(Status().errors(), ElementsAre("memberID:161 alarm:NOSPACE "));
  EXPECT_EQ(Status().dbsizequota(), kQuotaBytes);
  EXPECT_TRUE(Failed(Put("small", "v"), kErrNoSpace)) << "for all members, by the alarm";
  DeleteRangeResponse deleted;
  EXPECT_TRUE(kv_->DeleteRange(Call().get(), Parse<DeleteRangeRequest>("key: 'x'"), &deleted).ok());

  const int64_t revision = store_->View()->revision().value();
  ASSERT_TRUE(Compact(absl::StrCat("revision: ", revision, " physical: true")).ok());
  DefragmentResponse defragmented;
  ASSERT_TRUE(maintenance_->Defragment(Call().get(), DefragmentRequest(), &defragmented).ok());
  EXPECT_LT(Status().dbsizeinuse(), kQuotaBytes / 2);
  EXPECT_TRUE(Failed(Put("small", "v"), kErrNoSpace)) << "the alarm is still there";
  EXPECT_THAT(Alarm("action: DEACTIVATE memberID: 0xa1 alarm: NOSPACE"), ElementsAre("a1 NOSPACE"));
  EXPECT_TRUE(Put("k", value).ok());
}

// Only the state machine knows whether such a write was done when it was sent before.
TEST_F(MaintenanceTest, AWriteThatNamesItselfIsDecidedWhereItIsKnown) {
  LeaseGrantRequest grant;
  grant.set_id(7);
  grant.set_ttl(60);
  replica_->Propose(*EncodeCommand(grant, 1 << 20), Clock::System()->Now(),
                    [](const raft::ProposeOutcome&) {});
  const std::string value(512 << 10, 'v');  // so that there is no room for it in the end
  const auto put_once = [&](int sequence) {
    auto request = Parse<PutRequest>(
        absl::StrCat("key: 'once' write_options { once { session: 7 sequence: ", sequence, " } }"));
    request.set_value(value);
    PutResponse response;
    const grpc::Status status = kv_->Put(Call().get(), request, &response);
    return std::pair(status, response.write_report().repeated());
  };
  ASSERT_TRUE(put_once(1).first.ok());
  grpc::Status full;
  for (int puts = 0; puts < 20 && full.ok(); ++puts) full = Put("k", value);
  ASSERT_TRUE(Failed(full, kErrNoSpace));
  const auto [again, repeated] = put_once(1);
  EXPECT_TRUE(again.ok()) << again.error_message();
  EXPECT_TRUE(repeated);
  EXPECT_TRUE(Failed(put_once(2).first, kErrNoSpace));
}

// ---- a state that is wrong

TEST_F(MaintenanceTest, AMemberThatIsCorruptServesNobody) {
  ASSERT_TRUE(Put("k", "v").ok());
  member_->SetCorrupt(true);
  EXPECT_TRUE(Failed(Put("k", "v"), kErrCorrupt));
  RangeResponse range;
  EXPECT_TRUE(
      Failed(kv_->Range(Call().get(), Parse<RangeRequest>("key: 'k' serializable: true"), &range),
             kErrCorrupt));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' serializable: true"), kErrCorrupt));
  HashResponse hash;
  EXPECT_TRUE(Failed(maintenance_->Hash(Call().get(), HashRequest(), &hash), kErrCorrupt));
  HashKVResponse hash_kv;
  EXPECT_TRUE(Failed(HashKV(0, &hash_kv), kErrCorrupt));
  EXPECT_TRUE(Failed(Downgrade("action: CANCEL"), kErrCorrupt));
  DefragmentResponse defragmented;
  EXPECT_TRUE(Failed(maintenance_->Defragment(Call().get(), DefragmentRequest(), &defragmented),
                     kErrCorrupt));
  MoveLeaderResponse moved;
  EXPECT_TRUE(
      Failed(maintenance_->MoveLeader(Call().get(), MoveLeaderRequest(), &moved), kErrCorrupt));
  Call call;
  const auto snapshot = maintenance_->Snapshot(call.get(), SnapshotRequest());
  SnapshotResponse piece;
  EXPECT_FALSE(snapshot->Read(&piece));
  EXPECT_TRUE(Failed(snapshot->Finish(), kErrCorrupt));

  EXPECT_EQ(Status().header().revision(), 2);
  EXPECT_THAT(Alarm(""), IsEmpty());
  member_->SetCorrupt(false);
  EXPECT_TRUE(Put("k", "v").ok());
}

// ---- checksums

TEST_F(MaintenanceTest, HashKVSaysWhatItIsOf) {
  ASSERT_TRUE(Put("a", "1").ok());
  ASSERT_TRUE(Put("b", "1").ok());
  ASSERT_TRUE(Put("a", "2").ok());
  HashKVResponse now, then, later;
  ASSERT_TRUE(HashKV(0, &now).ok());
  EXPECT_EQ(now.header().member_id(), kSelf.value());
  EXPECT_EQ(now.header().revision(), 4);
  EXPECT_EQ(now.hash_revision(), 4);
  EXPECT_EQ(now.compact_revision(), -1) << "as etcd says it";
  ASSERT_TRUE(HashKV(3, &then).ok());
  EXPECT_EQ(then.hash_revision(), 3);
  EXPECT_NE(then.hash(), now.hash());
  ASSERT_TRUE(Put("c", "1").ok());
  ASSERT_TRUE(HashKV(4, &later).ok());
  EXPECT_EQ(later.hash(), now.hash());
  EXPECT_EQ(later.header().revision(), 5);
  EXPECT_TRUE(Failed(HashKV(6, &later), kErrFutureRev));
  ASSERT_TRUE(Compact("revision: 4").ok());
  EXPECT_TRUE(Failed(HashKV(3, &later), kErrCompacted));
  ASSERT_TRUE(HashKV(4, &later).ok());
  EXPECT_EQ(later.compact_revision(), 4);
}

TEST_F(MaintenanceTest, HashIsOfEverything) {
  HashResponse before, after;
  ASSERT_TRUE(maintenance_->Hash(Call().get(), HashRequest(), &before).ok());
  ASSERT_TRUE(Put("a", "1").ok());
  ASSERT_TRUE(maintenance_->Hash(Call().get(), HashRequest(), &after).ok());
  EXPECT_NE(before.hash(), after.hash());
  EXPECT_EQ(after.header().revision(), 2);
}

// ---- snapshots

TEST_F(MaintenanceTest, ASnapshotIsPaddedAndSummed) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Put(absl::StrCat("k", i), std::string(40'000, 'v')).ok());
  Call call;
  const auto stream = maintenance_->Snapshot(call.get(), SnapshotRequest());
  std::vector<SnapshotResponse> pieces;
  SnapshotResponse piece;
  while (stream->Read(&piece)) pieces.push_back(piece);
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_GT(pieces.size(), 200'000u / (32 << 10));
  std::string bytes;
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    EXPECT_LE(pieces[i].blob().size(), 32u << 10);
    EXPECT_EQ(pieces[i].version(), "3.7.0");
    bytes += pieces[i].blob();
  }
  EXPECT_GT(pieces.front().remaining_bytes(), 0u);
  EXPECT_EQ(pieces.back().remaining_bytes(), 0u);
  EXPECT_EQ(bytes.size() % 512, 0u);
  std::string checksum(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(checksum.data()));
  EXPECT_EQ(pieces.back().blob(), checksum);

  // Another store can be made of it, once the zeros are cut off.
  const LogPosition position = store_->View()->applied();
  bool is_whole = false;
  for (size_t end = bytes.find_last_not_of('\0') + 1; end <= bytes.size() && !is_whole; ++end) {
    SnapshotStreamReader reader(position);
    const auto ignore = [](std::string_view, std::string_view) {};
    is_whole = reader.Read(bytes.substr(0, end), ignore).ok() && reader.Finish().ok();
  }
  EXPECT_TRUE(is_whole);
}

TEST_F(MaintenanceTest, AClientThatGivesUpEndsItsSnapshot) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Put(absl::StrCat("k", i), std::string(50'000, 'v')).ok());
  }
  Call call;
  const auto stream = maintenance_->Snapshot(call.get(), SnapshotRequest());
  SnapshotResponse piece;
  ASSERT_TRUE(stream->Read(&piece));
  call.context.TryCancel();
  while (stream->Read(&piece)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  server_->Shutdown();  // returns when no call is left
}

// ---- streamed ranges

TEST_F(MaintenanceTest, AStreamedRangeComesInPieces) {
  for (int i = 0; i < 9; ++i)
    ASSERT_TRUE(Put(absl::StrCat("k", i), std::string(200'000, 'v')).ok());
  grpc::Status status;
  const auto pieces = Stream("key: 'k' range_end: 'l'", &status);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_GT(pieces.size(), 2u);
  std::string keys;
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (const auto& kv : pieces[i].kvs()) keys += kv.key();
    EXPECT_LE(pieces[i].kvs_size(), 3);
    EXPECT_EQ(pieces[i].has_header(), i + 1 == pieces.size());
    EXPECT_EQ(pieces[i].count(), i + 1 == pieces.size() ? 9 : 0);
  }
  EXPECT_EQ(keys, "k0k1k2k3k4k5k6k7k8");
  EXPECT_EQ(pieces.back().header().revision(), 10);
  EXPECT_EQ(pieces.back().header().member_id(), kSelf.value());
  EXPECT_FALSE(pieces.back().more());
}

TEST_F(MaintenanceTest, StreamedRangesKnowLimitsAndRevisions) {
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(Put(key, key).ok());
  ASSERT_TRUE(Put("a", "new").ok());
  grpc::Status status;
  auto pieces = Stream("key: 'a' range_end: '\\0' limit: 2 revision: 4", &status);
  ASSERT_TRUE(status.ok());
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].kvs_size(), 2);
  EXPECT_EQ(pieces[0].kvs(0).value(), "a");
  EXPECT_TRUE(pieces[0].more());
  EXPECT_EQ(pieces[0].count(), 3);
  pieces = Stream("key: 'a' range_end: '\\0' keys_only: true", &status);
  EXPECT_EQ(pieces[0].kvs(0).value(), "");
  pieces = Stream("key: 'a' range_end: '\\0' count_only: true", &status);
  EXPECT_THAT(pieces[0].kvs(), IsEmpty());
  EXPECT_EQ(pieces[0].count(), 3);
  const int barriers = replica_->barriers();
  Stream("key: 'a' serializable: true", &status);
  EXPECT_EQ(replica_->barriers(), barriers);
  Stream("key: 'a'", &status);
  EXPECT_EQ(replica_->barriers(), barriers + 1);
}

TEST_F(MaintenanceTest, AStreamedRangeSaysHowItWasServed) {
  using pontoon::v1::ReadOptions;
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(Put(absl::StrCat("k", i), std::string(200'000, 'v')).ok());
  const std::string all = "key: 'k' range_end: 'l' ";
  const struct {
    std::string request;
    const char* key;
    const char* value;
    ReadOptions::Consistency consistency;
    int barriers;
  } kCases[] = {
      {"", "", "", ReadOptions::LINEARIZABLE, 1},
      {"read_options { consistency: LEASE }", "", "", ReadOptions::LEASE, 1},
      {"read_options { consistency: FOLLOWER }", "", "", ReadOptions::FOLLOWER, 0},
      {"read_options { consistency: FOLLOWER min_revision: 5 }", "", "", ReadOptions::FOLLOWER, 0},
      {"serializable: true", "pontoon-consistency", "lease", ReadOptions::FOLLOWER, 0},
      {"", "pontoon-consistency", "lease", ReadOptions::LEASE, 1},
      {"", "pontoon-consistency", "follower", ReadOptions::FOLLOWER, 0},
      {"read_options {}", "pontoon-consistency", "lease", ReadOptions::LINEARIZABLE, 1},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(absl::StrCat(c.request, " ", c.key, " ", c.value));
    const int before = replica_->barriers();
    grpc::Status status;
    const auto pieces = Stream(all + c.request, &status, c.key, c.value);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(replica_->barriers() - before, c.barriers);
    ASSERT_GT(pieces.size(), 1u);
    EXPECT_FALSE(pieces.front().has_read_report()) << "it stands where the header does";
    EXPECT_EQ(pieces.back().read_report().consistency(), c.consistency);
    EXPECT_TRUE(pieces.back().read_report().has_staleness_bound()) << "since the first barrier";
  }
}

TEST_F(MaintenanceTest, AStreamedRangeIsBoundAsOthersAre) {
  grpc::Status status;
  replica_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' read_options { consistency: FOLLOWER "
                                  "max_staleness { seconds: 1 } }"),
                     grpc::StatusCode::UNAVAILABLE,
                     "pontoon: the state of this member is to be at most 1s old, and nothing is "
                     "known of how old it is: it has not heard from a leader since"));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' read_options { max_staleness { seconds: 1 } }"),
                     grpc::StatusCode::INVALID_ARGUMENT,
                     "pontoon: max_staleness bounds FOLLOWER reads; other ones show everything"));
  EXPECT_THAT(Stream("key: 'k'", &status, "pontoon-min-revision", "soon"), IsEmpty());
  EXPECT_TRUE(Failed(status, grpc::StatusCode::INVALID_ARGUMENT,
                     "pontoon: pontoon-min-revision is the number of a revision"));

  // It waits for its revision, as a range does.
  std::vector<RangeResponse> pieces;
  std::thread reader(
      [&] { pieces = Stream("key: 'k' read_options { min_revision: 3 }", &status); });
  ASSERT_TRUE(Put("k", "2").ok());
  ASSERT_TRUE(Put("k", "3").ok());
  reader.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].header().revision(), 3);
  EXPECT_EQ(pieces[0].kvs(0).value(), "3");
}

TEST_F(MaintenanceTest, WhatStreamedRangesDoNot) {
  EXPECT_TRUE(Failed(StreamStatus(""), kErrEmptyKey));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' revision: 9"), kErrFutureRev));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' sort_order: DESCEND"), grpc::StatusCode::UNIMPLEMENTED,
                     "RangeStream does not support custom sort orders"));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' sort_order: ASCEND sort_target: MOD"),
                     grpc::StatusCode::UNIMPLEMENTED,
                     "RangeStream does not support custom sort orders"));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k' min_mod_revision: 1"), grpc::StatusCode::UNIMPLEMENTED,
                     "RangeStream does not support revision filters"));
  replica_->FailNextBarrier(absl::DeadlineExceededError("x"));
  EXPECT_TRUE(Failed(StreamStatus("key: 'k'"), kErrTimeout));
}

TEST_F(MaintenanceTest, ALargeRangeIsRefusedUnlessItIsStreamed) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(Put(absl::StrCat("k", i), std::string(500'000, 'v')).ok());
  const auto range = [this](const std::string& request) {
    RangeResponse response;
    return kv_->Range(Call().get(), Parse<RangeRequest>(request), &response);
  };
  const grpc::Status refused = range("key: 'k' range_end: 'l'");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("RangeStream"));
  EXPECT_TRUE(range("key: 'k' range_end: 'l' limit: 3").ok());
  EXPECT_TRUE(range("key: 'k' range_end: 'l' keys_only: true").ok());
  EXPECT_EQ(range("key: 'k' range_end: 'l' limit: 1 sort_order: DESCEND").error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED)
      << "it has to hold them all for that";
  const std::string half = "success { request_range { key: 'k' range_end: 'k3' } } ";
  TxnResponse txn;
  EXPECT_TRUE(kv_->Txn(Call().get(), Parse<TxnRequest>(half), &txn).ok());
  EXPECT_EQ(kv_->Txn(Call().get(), Parse<TxnRequest>(half + half), &txn).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::Status streamed;
  Stream("key: 'k' range_end: 'l'", &streamed);
  EXPECT_TRUE(streamed.ok());
}

// ---- downgrades

TEST_F(MaintenanceTest, ThereIsNothingToDowngradeTo) {
  for (const char* action : {"VALIDATE", "ENABLE"}) {
    const auto to = [&](const char* version) {
      return Downgrade(absl::StrCat("action: ", action, " version: '", version, "'"));
    };
    EXPECT_TRUE(Failed(to("3.6"), kErrInvalidDowngradeTargetVersion));
    EXPECT_TRUE(Failed(to("3.6.0"), kErrInvalidDowngradeTargetVersion));
    for (const char* bad : {"", "3", "three", "3.x", "3.6.0.1", "3."}) {
      EXPECT_TRUE(Failed(to(bad), kErrWrongDowngradeVersionFormat)) << bad;
    }
  }
  EXPECT_TRUE(Failed(Downgrade("action: CANCEL"), kErrNoInflightDowngrade));
  DowngradeRequest unknown;
  unknown.set_action(static_cast<DowngradeRequest::DowngradeAction>(9));
  DowngradeResponse response;
  EXPECT_TRUE(Failed(maintenance_->Downgrade(Call().get(), unknown, &response),
                     grpc::StatusCode::UNKNOWN, "etcdserver: unknown method"));
}

}  // namespace
}  // namespace pontoon::kv
