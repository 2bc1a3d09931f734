// What a member shows of itself: its part in the cluster, its log, its store.

#ifndef PONTOON_KV_MONITOR_MEMBER_METRICS_H_
#define PONTOON_KV_MONITOR_MEMBER_METRICS_H_

#include <cstdint>
#include <string>

#include "kv/monitor/metric_list.h"
#include "kv/store/kv_store.h"
#include "raft/base/instant.h"
#include "raft/node/node_instruments.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// One look at a member, for one scrape.
struct MemberReading {
  std::string name;  // of the member
  raft::ReplicaStatus status;
  const raft::NodeInstruments* instruments = nullptr;
  KvStore::Statistics store;
  uint64_t log_bytes = 0;
  Instant now;
};

// pontoon_raft_..., pontoon_log_..., pontoon_snapshot_..., pontoon_store_...
void AddMemberMetrics(const MemberReading& reading, MetricList* list);

// The same, as far as it exists there, under the names of etcd 3.x.
void AddEtcdMemberMetrics(const MemberReading& reading, MetricList* list);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_MEMBER_METRICS_H_
