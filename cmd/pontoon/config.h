// Config: how the operator wants this server, understood and checked.

#ifndef PONTOON_CMD_PONTOON_CONFIG_H_
#define PONTOON_CMD_PONTOON_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/settings.h"
#include "kv/maintenance/compaction_policy.h"
#include "kv/service/url.h"
#include "raft/env/log.h"

namespace pontoon {

// A member as --initial-cluster lists it.
struct ClusterEntry {
  std::string name;
  Url peer_url;

  friend bool operator==(const ClusterEntry&, const ClusterEntry&) = default;
};

// "name=url,...", in the order given.
std::string FormatCluster(const std::vector<ClusterEntry>& cluster);

enum class ClusterState { kNew, kExisting };

// What a cluster is made from, or whom a node asks that joins one. It is read when the data folder
// is empty; afterwards it can only contradict what the folder says.
struct InitialCluster {
  // In the order given; this member is among them. Of a new cluster each is there once, with a
  // name; of an existing one, with each of its addresses, and perhaps without a name.
  std::vector<ClusterEntry> members;
  std::string token;
  ClusterState state = ClusterState::kNew;
  // Whether the operator said it, or it is the default.
  bool members_given = false;
  bool token_given = false;

  // Of the member called `name`.
  std::vector<Url> PeerUrlsOf(const std::string& name) const;
};

struct Config {
  std::string name;
  std::string data_dir;
  std::vector<Url> listen_client_urls;
  std::vector<Url> advertise_client_urls;
  std::vector<Url> listen_peer_urls;
  std::vector<Url> listen_metrics_urls;  // empty: no metrics are served
  bool listen_metrics_given = false;     // by the operator; otherwise the port may be taken
  bool etcd_metric_names = false;
  InitialCluster initial_cluster;

  absl::Duration heartbeat_interval;
  absl::Duration election_timeout;
  absl::Duration leader_lease;  // zero: none
  double clock_rate_error_max = 0;
  uint32_t leader_priority = 0;

  size_t request_bytes_max = 0;
  int txn_ops_max = 0;
  int concurrent_streams_max = 0;
  uint32_t learners_max = 0;
  bool enable_reflection = false;
  absl::Duration watch_progress_interval;
  bool rebuild_from_peers = false;
  int64_t quota_backend_bytes = 0;  // negative: none
  int64_t range_bytes_max = 0;
  kv::Retention auto_compaction;
  uint64_t compaction_step_entries = 0;    // the log is considered for compaction after so many
  uint64_t log_entries_kept = 0;           // of those that are applied
  uint64_t snapshot_bytes_per_second = 0;  // of all that this member sends
  uint64_t log_retention_bytes = 0;        // up to this size what a slow member lacks is kept

  LogOptions log;

  // What the operator should know although nothing is wrong; for the log.
  std::vector<std::string> notices;
};

// An error is one line for the operator: what was set, where, what is wrong and what to do.
absl::StatusOr<Config> MakeConfig(const Settings& settings);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_CONFIG_H_
