#include "kv/monitor/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "proto/command.pb.h"
#include "proto/rpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr NodeId kSelf{0xa1}, kPeer{0xb2};

class EndpointsTest : public ::testing::Test {
 protected:
  EndpointsTest() : scrubber_(NewThreadExecutor("scrubber")) {
    StoreOptions options;
    options.scrub_executor = scrubber_.get();
    store_ = OpenFreshStore(options);
    replica_ = std::make_unique<InstantReplica>(kSelf, store_.get());
    replica_->SetMembership({.voters = {kSelf, kPeer}});
    replica_->SetLeader(kSelf);
    health_ = std::make_unique<Health>(Health::Parts{.replica = replica_.get(),
                                                     .instruments = &instruments_,
                                                     .store = store_.get(),
                                                     .clock = Clock::System()},
                                       Health::Options{.election_timeout = absl::Seconds(1)});
    Route(false);
  }

  void Route(bool etcd_names) {
    routes_ = MakeEndpoints({.read_member =
                                 [this] {
                                   return MemberReading{.name = "red \"one\"",
                                                        .status = replica_->Status(),
                                                        .instruments = &instruments_,
                                                        .store = store_->Stats(),
                                                        .store_instruments = &store_instruments_,
                                                        .alarms = store_->View()->alarms(),
                                                        .quota_bytes = quota_bytes_,
                                                        .clients = clients_,
                                                        .log_bytes = 4711,
                                                        .now = Clock::System()->Now()};
                                 },
                             .calls = &calls_,
                             .health = health_.get(),
                             .surveys = &surveys_,
                             .etcd_names = etcd_names});
  }
  HttpResponse Get(const std::string& path, const std::string& query = "") {
    return routes_.at(path)({.path = path, .query = query});
  }
  void RaiseAlarm(etcdserverpb::AlarmType type, NodeId member) {
    storage::v1::Command command;
    command.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::ACTIVATE);
    command.mutable_alarm()->set_alarm(type);
    command.mutable_alarm()->set_memberid(member.value());
    ApplyItem item;
    item.entry.index = LogIndex(store_->Applied().index.value() + 1);
    item.entry.term = Term(1);
    item.entry.kind = EntryKind::kCommand;
    item.entry.payload = std::make_shared<const std::string>(command.SerializeAsString());
    ASSERT_TRUE(store_->Apply(std::span(&item, 1)).ok());
  }
  void StartWrite(absl::Duration ago) {
    instruments_.log_writes.begun_nanos = (Clock::System()->Now() - ago).nanos();
  }

  std::unique_ptr<Executor> scrubber_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  raft::NodeInstruments instruments_;
  StoreInstruments store_instruments_;
  CallMetrics calls_{{}};
  int64_t quota_bytes_ = -1;
  ClientActivity clients_;
  std::unique_ptr<Health> health_;
  int surveys_taken_ = 0;
  SurveyFeed surveys_{[this] { return absl::StrCat("{\"number\":", ++surveys_taken_, "}"); },
                      absl::Milliseconds(1), Clock::System()};
  HttpServer::Routes routes_;
};

TEST_F(EndpointsTest, AMemberAtWorkIsReady) {
  EXPECT_EQ(Get("/livez").code, 200);
  EXPECT_EQ(Get("/livez").body, "ok\n");
  EXPECT_EQ(Get("/readyz").code, 200);
  EXPECT_EQ(Get("/readyz", "verbose").body,
            "[+]shutdown ok\n[+]leader ok\n[+]non_learner ok\n[+]applied ok\n[+]data_corruption "
            "ok\n[+]disk ok\n"
            "[+]serializable_read ok\n[+]linearizable_read ok\nok\n");
  EXPECT_EQ(Get("/health").body, R"({"health":"true","reason":""})");
}

TEST_F(EndpointsTest, WithoutALeaderItLivesAndIsNotReady) {
  replica_->SetLeader(kNoNode);
  EXPECT_EQ(Get("/livez").code, 200);
  EXPECT_EQ(Get("/readyz").code, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]leader failed: no leader is known\n"));
  EXPECT_EQ(Get("/readyz/leader").code, 503);
  EXPECT_EQ(Get("/readyz/disk").code, 200);
  EXPECT_EQ(Get("/health").code, 503);
  EXPECT_EQ(Get("/health").body, R"({"health":"false","reason":"no leader is known"})");
  EXPECT_EQ(Get("/health", "serializable=true").code, 200);
}

TEST_F(EndpointsTest, AReadThatNoQuorumConfirmsIsTold) {
  replica_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  const HttpResponse response = Get("/readyz");
  EXPECT_EQ(response.code, 503);
  EXPECT_THAT(response.body,
              HasSubstr("[-]linearizable_read failed: no quorum confirmed a read within 2s\n"));
}

TEST_F(EndpointsTest, AWriteThatHangsIsTold) {
  StartWrite(absl::Milliseconds(500));
  EXPECT_EQ(Get("/readyz/disk").code, 200);
  StartWrite(absl::Seconds(5));
  EXPECT_EQ(Get("/readyz/disk").code, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]disk failed: a write to the log has taken 5"));
  EXPECT_EQ(Get("/livez").code, 200);
}

TEST_F(EndpointsTest, ALearnerIsNotReady) {
  replica_->SetMembership({.voters = {kPeer}, .learners = {kSelf}});
  EXPECT_EQ(Get("/readyz/non_learner").code, 503);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("\npontoon_raft_is_learner 1\n"));
}

TEST_F(EndpointsTest, AnAlarmIsUnhealthyUnlessItIsLeftOut) {
  RaiseAlarm(etcdserverpb::NOSPACE, kPeer);
  EXPECT_EQ(Get("/health").code, 503);
  EXPECT_EQ(Get("/health").body, R"({"health":"false","reason":"ALARM NOSPACE"})");
  EXPECT_EQ(Get("/health", "serializable=true").code, 503);
  EXPECT_EQ(Get("/health", "serializable=true&exclude=NOSPACE").code, 200);
  EXPECT_EQ(Get("/readyz").code, 200) << "reads and deletions are served";
  RaiseAlarm(etcdserverpb::CORRUPT, kPeer);
  EXPECT_EQ(Get("/health", "exclude=NOSPACE").body,
            R"({"health":"false","reason":"ALARM CORRUPT"})");
  EXPECT_EQ(Get("/health", "exclude=NOSPACE&exclude=CORRUPT").code, 200);
  EXPECT_EQ(Get("/readyz/data_corruption").code, 503);
}

TEST_F(EndpointsTest, AlarmsAndTheQuotaAreShown) {
  EXPECT_THAT(Get("/metrics").body, HasSubstr("\npontoon_alarms{type=\"NOSPACE\"} 0\n"));
  EXPECT_THAT(Get("/metrics").body, Not(HasSubstr("pontoon_store_quota_bytes")));
  RaiseAlarm(etcdserverpb::NOSPACE, kSelf);
  RaiseAlarm(etcdserverpb::NOSPACE, kPeer);
  RaiseAlarm(etcdserverpb::CORRUPT, kPeer);
  quota_bytes_ = 1000;
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("\npontoon_alarms{type=\"NOSPACE\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_alarms{type=\"CORRUPT\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_store_quota_bytes 1000\n"));
}

TEST_F(EndpointsTest, WhatClientsHaveOpenIsShown) {
  clients_ = {.watch_streams = 2,
              .watchers = 30,
              .slow_watchers = 4,
              .watch_events = 500,
              .leases = 6,
              .leases_expired = 7};
  Route(true);
  const std::string text = Get("/metrics").body;
  for (const char* line :
       {"pontoon_watch_streams 2", "pontoon_watch_watchers 30", "pontoon_watch_slow_watchers 4",
        "pontoon_watch_events_total 500", "pontoon_lease_leases 6", "pontoon_lease_expired_total 7",
        "etcd_debugging_mvcc_watcher_total 30"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
}

TEST_F(EndpointsTest, AMemberThatIsAboutToStopLivesAndIsNotReady) {
  health_->Retreat();
  EXPECT_EQ(Get("/livez").code, 200);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]shutdown failed: this member is about to stop"));
}

TEST_F(EndpointsTest, VersionIsGivenAsEtcdGivesIt) {
  EXPECT_THAT(Get("/version").body,
              AllOf(HasSubstr("\"etcdserver\":\"3."), HasSubstr("\"pontoon\":")));
  EXPECT_EQ(Get("/version").content_type, "application/json");
}

TEST_F(EndpointsTest, ASurveyIsGivenOnce) {
  const HttpResponse response = Get("/api/v1/status");
  EXPECT_EQ(response.code, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"number":1})");
  surveys_.Stop();
  EXPECT_EQ(Get("/api/v1/status").code, 503);
}

TEST_F(EndpointsTest, SurveysAreGivenAgainAndAgainUntilTheStop) {
  const HttpResponse response = Get("/api/v1/events");
  EXPECT_EQ(response.content_type, "text/event-stream");
  EXPECT_EQ(*response.next_piece(), "event: status\ndata: {\"number\":1}\n\n");
  EXPECT_EQ(*response.next_piece(), "event: status\ndata: {\"number\":2}\n\n");
  surveys_.Stop();
  EXPECT_FALSE(response.next_piece());
}

TEST_F(EndpointsTest, ThereIsAnEndOfStreams) {
  std::vector<HttpResponse> streams;
  for (int i = 0; i < kEventStreamsMax; ++i) {
    streams.push_back(Get("/api/v1/events"));
    EXPECT_EQ(streams.back().code, 200);
  }
  EXPECT_EQ(Get("/api/v1/events").code, 503);
  EXPECT_EQ(Get("/api/v1/status").code, 200);
  streams.pop_back();
  EXPECT_EQ(Get("/api/v1/events").code, 200);  // its place is free
}

TEST_F(EndpointsTest, ThePageIsThere) {
  EXPECT_THAT(Get("/").body, HasSubstr("<!doctype html>"));
  EXPECT_EQ(Get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(Get("/page.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(Get("/page.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_THAT(Get("/chart.js").body, HasSubstr("Chart.js v"));
}

TEST_F(EndpointsTest, LagIsShownByFollower) {
  replica_->SetFollowers({{.node = kPeer,
                           .match = LogIndex(7),
                           .last_contact_age = absl::Milliseconds(1500),
                           .lag_entries = 3,
                           .lag_bytes = 900,
                           .lag_age = absl::Milliseconds(2500)}});
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_follower_match_index{peer=\"b2\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_follower_lag_entries{peer=\"b2\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_follower_lag_bytes{peer=\"b2\"} 900\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_follower_lag_seconds{peer=\"b2\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_follower_contact_age_seconds{peer=\"b2\"} 1.5\n"));
}

TEST_F(EndpointsTest, AMemberSaysWhoItIs) {
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr("\npontoon_member_info{member=\"a1\",name=\"red \\\"one\\\"\"} 1\n"));
}

TEST_F(EndpointsTest, WhatIsCountedIsShown) {
  instruments_.leader_changes.Add(2);
  instruments_.elections[static_cast<size_t>(raft::ElectionCause::kLeaderGone)].Add();
  instruments_.proposals.applied.Add(5);
  instruments_.proposals.unknown.Add(1);
  instruments_.log_writes.durations.Record(absl::Milliseconds(3));
  instruments_.round_trips.OnHeartbeat(kPeer, RoundId(1), Instant::FromNanos(1'000'000));
  instruments_.round_trips.OnAnswer(kPeer, RoundId(1), Instant::FromNanos(2'000'000));
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_leader_changes_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_elections_total{cause=\"leader_gone\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_proposals_applied_total 5\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_proposals_failed_total{reason=\"unknown\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_log_write_duration_seconds_sum 0.003\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_raft_peer_round_trip_seconds_count{peer=\"b2\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\npontoon_log_bytes 4711\n"));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_THAT(text, Not(HasSubstr("\netcd_")));
}

TEST_F(EndpointsTest, WhatCameOfWritesWithConditionsIsShown) {
  store_instruments_.once_decided.Add(10);
  store_instruments_.once_repeated.Add(2);
  store_instruments_.once_session_not_found.Add(3);
  store_instruments_.once_forgotten.Add(4);
  store_instruments_.once_reused.Add(5);
  store_instruments_.once_too_many.Add(6);
  store_instruments_.fenced.Add(7);
  EXPECT_THAT(Get("/metrics").body,
              AllOf(HasSubstr("\npontoon_once_writes_total{outcome=\"decided\"} 10\n"
                              "pontoon_once_writes_total{outcome=\"repeated\"} 2\n"
                              "pontoon_once_writes_total{outcome=\"session_not_found\"} 3\n"
                              "pontoon_once_writes_total{outcome=\"forgotten\"} 4\n"
                              "pontoon_once_writes_total{outcome=\"reused\"} 5\n"
                              "pontoon_once_writes_total{outcome=\"too_many\"} 6\n"),
                    HasSubstr("\npontoon_fence_refusals_total 7\n")));
}

TEST_F(EndpointsTest, EtcdsNamesAreShownWhereTheyAreAskedFor) {
  instruments_.leader_changes.Add(2);
  instruments_.proposals.no_leader.Add(1);
  instruments_.proposals.unknown.Add(1);
  Route(true);
  const std::string text = Get("/metrics").body;
  for (const char* line :
       {"etcd_server_has_leader 1", "etcd_server_leader_changes_seen_total 2",
        "etcd_server_proposals_failed_total 2", "etcd_disk_wal_fsync_duration_seconds_count 0",
        "etcd_disk_backend_commit_duration_seconds_count 0", "etcd_server_proposals_pending 0"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
  EXPECT_THAT(text, HasSubstr("\netcd_mvcc_db_total_size_in_bytes "));
}

}  // namespace
}  // namespace pontoon::kv
