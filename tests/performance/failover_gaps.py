#!/usr/bin/env python3
"""Measures for how long writes fail when the leader goes.

Each trial starts three nodes on loopback, keeps 64 clients writing, takes the leader away, and takes from
`pontoonctl bench` the longest time in which no write of any client succeeded. How the leader goes:

  kill      its process gets SIGKILL, so that its connections close
  transfer  `pontoonctl move-leader` has it hand over to another node
  silence   its process gets SIGSTOP: its connections stay open, and nothing is answered, as when the network drops
            all that it sends
  none      not at all: what is left is the noise of the machine

Prints the gaps in order, and their median, for docs/performance.md.

  tests/performance/failover_gaps.py                           # kill, 30 trials of Pontoon
  tests/performance/failover_gaps.py transfer --trials 20
  tests/performance/failover_gaps.py silence --trials 10
  tests/performance/failover_gaps.py kill --server etcd --trials 10
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from clusters import CTL, Cluster

CLIENTS = 64
SECONDS_BEFORE = 2
SECONDS_AFTER = 3


def kill(cluster, leader):
    cluster.processes[leader].kill()


def transfer(cluster, leader):
    target = cluster.status((leader + 1) % 3)["header"]["member_id"]
    subprocess.run([CTL, "--endpoints", cluster.endpoints[leader], "move-leader", f"{target:x}"], check=True,
                   stdout=subprocess.DEVNULL)


def silence(cluster, leader):
    os.kill(cluster.processes[leader].pid, signal.SIGSTOP)


def none(_cluster, _leader):
    pass


MODES = {"kill": kill, "transfer": transfer, "silence": silence, "none": none}


def run_trial(options, folder):
    """The longest gap, in milliseconds, and how many writes failed."""
    with Cluster(options.server, folder, options.flag) as cluster:
        cluster.wait_ready()
        leader = cluster.leader()
        bench = subprocess.Popen(
            [CTL, "--endpoints", ",".join(cluster.endpoints), "--output", "json",
             "--timeout", f"{SECONDS_AFTER}s", "bench", "put", "--clients", str(CLIENTS), "--connections", "12",
             "--warmup", "1000", "--duration", f"{SECONDS_BEFORE + SECONDS_AFTER}s"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(SECONDS_BEFORE)  # under load for a while
        MODES[options.mode](cluster, leader)
        report = json.loads(bench.communicate()[0])
        return report["longest_gap_ms"], sum(report["errors"].values())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", nargs="?", choices=sorted(MODES), default="kill")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--server", choices=["pontoon", "etcd"], default="pontoon")
    parser.add_argument("--flag", action="append", default=[], help="of the servers, as --flag=--leader-lease=0")
    options = parser.parse_args()
    gaps = []
    for trial in range(options.trials):
        with tempfile.TemporaryDirectory(prefix="failover-") as folder:
            gap, failed = run_trial(options, folder)
        gaps.append(gap)
        print(f"trial {trial + 1} of {options.trials}: {gap:.0f} ms, {failed} writes failed", file=sys.stderr,
              flush=True)
    gaps.sort()
    print("| leader | server | trials | median (ms) | max (ms) | all gaps (ms) |")
    print("|---|---|---|---|---|---|")
    print(f"| {options.mode} | {options.server} | {options.trials} | {statistics.median(gaps):.0f} | {gaps[-1]:.0f} | "
          f"{' '.join(f'{gap:.0f}' for gap in gaps)} |")


if __name__ == "__main__":
    main()
