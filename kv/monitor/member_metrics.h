// What a member shows of itself: its part in the cluster, its log, its store.

#ifndef PONTOON_KV_MONITOR_MEMBER_METRICS_H_
#define PONTOON_KV_MONITOR_MEMBER_METRICS_H_

#include <cstdint>
#include <string>

#include "kv/monitor/metric_list.h"
#include "kv/store/alarms.h"
#include "kv/store/kv_store.h"
#include "kv/store/store_instruments.h"
#include "raft/base/instant.h"
#include "raft/node/node_instruments.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// What clients have open at a member.
struct ClientActivity {
  int64_t watch_streams = 0;
  int64_t watchers = 0;
  int64_t slow_watchers = 0;    // that are behind the store
  uint64_t watch_events = 0;    // sent so far, one for each watcher
  int64_t leases = 0;           // whose time this member keeps, as the leader
  uint64_t leases_expired = 0;  // that it revoked so far
};

// One look at a member, for one scrape.
struct MemberReading {
  std::string name;  // of the member
  raft::ReplicaStatus status;
  const raft::NodeInstruments* instruments = nullptr;
  KvStore::Statistics store;
  const StoreInstruments* store_instruments = nullptr;
  AlarmSet alarms;
  int64_t quota_bytes = -1;  // negative: none
  ClientActivity clients;
  uint64_t log_bytes = 0;
  Instant now;
};

// pontoon_raft_..., pontoon_log_..., pontoon_snapshot_..., pontoon_store_..., pontoon_once_...,
// pontoon_fence_..., pontoon_watch_..., pontoon_lease_..., pontoon_alarms
void AddMemberMetrics(const MemberReading& reading, MetricList* list);

// The same, as far as it exists there, under the names of etcd 3.x.
void AddEtcdMemberMetrics(const MemberReading& reading, MetricList* list);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_MEMBER_METRICS_H_
