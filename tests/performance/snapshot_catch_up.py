#!/usr/bin/env python3
"""Measures what clients notice while a follower that was away for long gets a snapshot.

Three nodes on loopback keep next to nothing of their logs. A follower is stopped, a million keys of 256 bytes are
written, and with a fixed rate of writes going on the follower is started again. Prints latencies and gaps of the writes
in slices of a few seconds, before the start and until the follower has caught up, for docs/performance.md.

  tests/performance/snapshot_catch_up.py                # 5 minutes
  tests/performance/snapshot_catch_up.py --rate 2000    # instead of half of what two nodes can do

The writing takes most of it, and can be done once:

  tests/performance/snapshot_catch_up.py --fill /tmp/filled
  tests/performance/snapshot_catch_up.py --filled /tmp/filled   # works on a copy
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import bench, cluster_of

CLIENTS = 64
FLAGS = ("--snapshot-count=10000", "--snapshot-catchup-entries=1000", "--log-retention-bytes=16777216")
CATCH_UP_MAX_S = 90
AWAKE = (0, 1)  # places of nodes; the third one sleeps
PORTS_FILE = "ports.json"  # of a filled folder


class CatchUp(threading.Thread):
    """Notes how long a node that starts now takes until it has applied all that the leader had by then."""

    def __init__(self, cluster, leader, node):
        super().__init__(daemon=True)
        self.cluster, self.leader, self.node, self.seconds = cluster, leader, node, None
        self.begin = time.monotonic()

    def run(self):
        while self.seconds is None and time.monotonic() < self.begin + CATCH_UP_MAX_S:
            time.sleep(0.3)
            want = self.applied(self.leader)  # first: the follower is always a little behind
            have = self.applied(self.node)
            if have and want and have >= want:
                self.seconds = time.monotonic() - self.begin

    def applied(self, node):
        return self.cluster.status().get(node.name, {}).get("applied")


def bench_put(cluster, *flags):
    return bench(cluster, "put", "--connections", 12, *flags, nodes=[cluster.nodes[place] for place in AWAKE])


def say(words):
    print(words, file=sys.stderr, flush=True)


def describe(title, slices):
    """One line of the table: medians over the slices, and the worst slice."""
    p50 = statistics.median(s["latency_p50_us"] for s in slices) / 1000
    p99 = [s["latency_p99_us"] / 1000 for s in slices]
    latest = max(s["latency_max_us"] for s in slices) / 1000
    gap = max(s["longest_gap_ms"] for s in slices)
    return (f"| {title} | {len(slices)} | {p50:.1f} | {statistics.median(p99):.1f} | {max(p99):.1f} | "
            f"{latest:.0f} | {gap:.0f} |")


def fill(cluster, keys):
    """Starts the nodes, stops the one that is to sleep, and writes all keys."""
    cluster.start()
    cluster.nodes[2].stop()
    loaded = bench_put(cluster, *keys_flags(keys), "--sequential", "--total", keys, "--clients", 1000)
    say(f"wrote {keys} keys in {loaded['elapsed_s']:.0f} s")


def keys_flags(keys):
    return ["--keys", keys, "--key-size", 16]


def measure(cluster, options):
    steady = [*keys_flags(options.keys), "--clients", CLIENTS, "--duration"]
    rate = options.rate or bench_put(cluster, *steady, "8s")["rate_per_second"] / 2
    steady += [f"{options.slice_seconds}s", "--rate", f"{rate:.0f}"]

    before = [bench_put(cluster, *steady) for _ in range(options.slices_before)]
    catch_up = CatchUp(cluster, cluster.leader(), cluster.nodes[2])
    cluster.nodes[2].start()  # here: it ends with the thread that starts it
    catch_up.start()
    during = []
    while catch_up.is_alive():
        during.append(bench_put(cluster, *steady))
        say(json.dumps(during[-1]))
    after = [bench_put(cluster, *steady) for _ in range(options.slices_before)]
    for node in cluster.nodes:
        for line in node.log.read_text(encoding="utf-8").splitlines():
            if "snapshot" in line or "role changed" in line:
                say(f"{node.log.name}: {line}")
    if catch_up.seconds is None:
        raise SystemExit(f"the follower has not caught up within {CATCH_UP_MAX_S} s")
    print(f"{rate:.0f} writes a second of {CLIENTS} clients; the follower had caught up after {catch_up.seconds:.1f} s")
    print("| writes | slices | p50 (ms) | p99 (ms) | p99 of the worst slice | max (ms) | longest gap (ms) |")
    print("|---|---|---|---|---|---|---|")
    for title, slices in (("before", before), ("during the transfer", during), ("after", after)):
        print(describe(title, slices))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, help="writes each second")
    parser.add_argument("--slice-seconds", type=int, default=3)
    parser.add_argument("--slices-before", type=int, default=5)
    parser.add_argument("--fill", metavar="FOLDER", help="only write the keys, into a new folder")
    parser.add_argument("--filled", metavar="FOLDER", help="begin with a copy of this folder")
    parser.add_argument("--flag", action="append", default=[], help="of the servers, as --flag=--log-level=debug")
    options = parser.parse_args()
    flags = [*FLAGS, *options.flag]
    if options.fill:
        os.makedirs(options.fill)
        with cluster_of("pontoon", options.fill, flags) as cluster:
            fill(cluster, options.keys)
            for node in cluster.nodes:
                node.stop()
            pathlib.Path(options.fill, PORTS_FILE).write_text(json.dumps(cluster.ports), encoding="ascii")
        return
    with tempfile.TemporaryDirectory(prefix="catch-up-") as folder:
        if options.filled:
            shutil.copytree(options.filled, folder, dirs_exist_ok=True)
            os.sync()  # or the measurement shares the disk with the copy
        with cluster_of("pontoon", folder, flags) as cluster:
            if options.filled:
                ports = pathlib.Path(folder, PORTS_FILE).read_text(encoding="ascii")
                cluster.resume(json.loads(ports), AWAKE)
            else:
                fill(cluster, options.keys)
            measure(cluster, options)


if __name__ == "__main__":
    main()
