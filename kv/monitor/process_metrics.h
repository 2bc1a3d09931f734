// The figures of this process that every exporter of Prometheus has.

#ifndef PONTOON_KV_MONITOR_PROCESS_METRICS_H_
#define PONTOON_KV_MONITOR_PROCESS_METRICS_H_

#include "kv/monitor/metric_list.h"

namespace pontoon::kv {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_start_time_seconds and process_threads, from /proc.
// What cannot be read there is left out.
void AddProcessMetrics(MetricList* list);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_PROCESS_METRICS_H_
