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
import concurrent.futures
import json
import pathlib
import signal
import statistics
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import cluster_of

CLIENTS = 64
SECONDS_BEFORE = 2
SECONDS_AFTER = 3


def kill(_cluster, leader):
    leader.kill()


def transfer(cluster, leader):
    target = next(node for node in cluster.nodes if node is not leader)
    cluster.run("move-leader", target.member_id, nodes=[leader])


def silence(_cluster, leader):
    leader.send(signal.SIGSTOP)


def none(_cluster, _leader):
    pass


MODES = {"kill": kill, "transfer": transfer, "silence": silence, "none": none}


def run_bench(cluster):
    """Its report; some of the writes may fail."""
    done = cluster.call(
        "--output", "json", "--timeout", f"{SECONDS_AFTER}s", "bench", "put", "--clients", CLIENTS,
        "--connections", 12, "--warmup", 1000, "--duration", f"{SECONDS_BEFORE + SECONDS_AFTER}s")
    return json.loads(done.stdout)


def run_trial(options, folder):
    """The longest gap, in milliseconds, and how many writes failed."""
    with cluster_of(options.server, folder, options.flag) as cluster, \
            concurrent.futures.ThreadPoolExecutor(1) as background:
        cluster.start()
        leader = cluster.leader()
        bench = background.submit(run_bench, cluster)
        time.sleep(SECONDS_BEFORE)  # under load for a while
        MODES[options.mode](cluster, leader)
        report = bench.result()
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
