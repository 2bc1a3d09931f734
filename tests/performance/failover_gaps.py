#!/usr/bin/env python3
"""Measures for how long writes fail when the leader's process is killed.

Each trial starts three nodes on loopback, keeps 64 clients writing, kills the leader with SIGKILL, and takes from
`pontoonctl bench` the longest time in which no write succeeded. Prints the gaps in order, and their median, for
docs/performance.md.

  tests/performance/failover_gaps.py                       # 30 trials of Pontoon, 5 minutes
  tests/performance/failover_gaps.py --server etcd --trials 10
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

from clusters import CTL, Cluster

CLIENTS = 64
SECONDS_BEFORE = 2
SECONDS_IN_ALL = 7


def run_trial(name, folder, flags):
    """The longest gap, in milliseconds."""
    with Cluster(name, folder, flags) as cluster:
        cluster.wait_ready()
        leader = cluster.processes[cluster.leader()]
        bench = subprocess.Popen(
            [CTL, "--endpoints", ",".join(cluster.endpoints), "--output", "json", "bench", "put",
             "--clients", str(CLIENTS), "--connections", "12", "--duration", f"{SECONDS_IN_ALL}s"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(SECONDS_BEFORE)  # under load for a while
        leader.kill()
        report, _ = bench.communicate()
        return json.loads(report)["longest_gap_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--server", choices=["pontoon", "etcd"], default="pontoon")
    parser.add_argument("--flag", action="append", default=[], help="of the servers, as --flag=--leader-lease=0")
    options = parser.parse_args()
    gaps = []
    for trial in range(options.trials):
        with tempfile.TemporaryDirectory(prefix="failover-") as folder:
            gaps.append(run_trial(options.server, folder, options.flag))
        print(f"trial {trial + 1} of {options.trials}: {gaps[-1]:.0f} ms", file=sys.stderr, flush=True)
    gaps.sort()
    print(f"{options.server}: gaps in ms: {' '.join(f'{gap:.0f}' for gap in gaps)}")
    print(f"median {statistics.median(gaps):.0f} ms, longest {gaps[-1]:.0f} ms")


if __name__ == "__main__":
    main()
