#!/usr/bin/env python3
"""Measures what watchers cost, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, and drives one of them in turn with tests/performance:watch_load: the memory that idle
watchers take, the time from a put to its event, and what one key with many watchers does to puts. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/... //tests/performance:watch_load
  tests/performance/watches_beside_etcd.py               # about five minutes
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import ROOT, cluster_of
from processes.child import run

LOAD = ROOT / "bazel-bin/tests/performance/watch_load"
# name -> flags: how ten thousand idle watchers are spread
IDLE = {"one stream": ("--connections", 1),
        "100 connections, a stream on each": ("--connections", 100),
        "100 connections, 10 streams on each": ("--connections", 100, "--streams", 10)}
WATCHERS = 10000
MANY = 100000
DELAY = ("--watchers", 1000, "--connections", 10, "--rate", 1000, "--seconds", 10)
FAN_OUT = ("--watchers", 10000, "--keys", 1, "--connections", 10, "--rate", 5, "--seconds", 10)


def load(node, *flags):
    """The report of watch_load against one node."""
    done = run([LOAD, "--endpoint", node.endpoint, "--pid", node.pid, *flags])
    if done.returncode != 0:
        raise SystemExit(f"watch_load failed: {done.stderr}")
    return json.loads(done.stdout)


def print_times(heading, reports):
    print(f"\n| {heading} | etcd (us) | pontoon (us) | pontoon / etcd |\n|---|---|---|---|")
    for figure, words in (("put_p50_us", "put p50"), ("put_p99_us", "put p99"),
                          ("delay_p50_us", "from put to event p50"), ("delay_p99_us", "from put to event p99")):
        etcd, pontoon = (statistics.median(r[figure] for r in reports[name]) for name in ("etcd", "pontoon"))
        print(f"| {words} | {etcd:.0f} | {pontoon:.0f} | **{pontoon / etcd:.2f}** |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not LOAD.exists():
        raise SystemExit("watch_load is missing; try: bazel build //tests/performance:watch_load")
    memory, delays, fan_outs, many = {}, {}, {}, {}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="watches-"))
        for name in ("etcd", "pontoon"):
            for kind, flags in IDLE.items():  # each on a fresh server: memory that is free is used again
                with cluster_of(name, pathlib.Path(folder, name + kind.replace(" ", "-"))) as cluster:
                    cluster.start()
                    memory[kind, name] = load(cluster.nodes[0], "--watchers", WATCHERS, *flags)["memory_bytes"]
        clusters = {name: stack.enter_context(cluster_of(name, pathlib.Path(folder, name))) for name in ("etcd", "pontoon")}
        for cluster in clusters.values():
            cluster.start()
        for round_number in range(options.rounds):
            for name in sorted(clusters, reverse=round_number % 2 == 1):
                for reports, flags in ((delays, DELAY), (fan_outs, FAN_OUT)):
                    report = load(clusters[name].nodes[0], *flags)
                    reports.setdefault(name, []).append(report)
                    print(f"round {round_number + 1}: {name} {report}", file=sys.stderr, flush=True)
        for name, cluster in clusters.items():
            many[name] = load(cluster.nodes[1], "--watchers", MANY, "--connections", 100)["memory_bytes"]
    print(f"| {WATCHERS} idle watchers | etcd (KiB) | pontoon (KiB) | pontoon / etcd |\n|---|---|---|---|")
    for kind in IDLE:
        etcd, pontoon = memory[kind, "etcd"], memory[kind, "pontoon"]
        print(f"| {kind} | {etcd / 1024:.0f} | {pontoon / 1024:.0f} | **{pontoon / etcd:.2f}** |")
    print(f"| {MANY} on 100 streams | {many['etcd'] / 1024:.0f} | {many['pontoon'] / 1024:.0f} "
          f"| **{many['pontoon'] / many['etcd']:.2f}** |")
    print_times("1,000 puts a second, 1,000 watchers, each of a key of its own", delays)
    print_times("5 puts a second of one key with 10,000 watchers", fan_outs)


if __name__ == "__main__":
    main()
