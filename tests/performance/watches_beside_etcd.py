#!/usr/bin/env python3
"""Measures what watchers cost, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, and drives one of them in turn with tests/performance:watch_load: the memory that idle
watchers take, the time from a put to its event, and what one key with many watchers does to puts. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/... //tests/performance:watch_load
  tests/performance/watches_beside_etcd.py               # about five minutes
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from beside_etcd import NAMES, Comparison, in_turns
from clusters import cluster_of, load, load_program

# name -> flags: how ten thousand idle watchers are spread
IDLE = {"one stream": ("--connections", 1),
        "100 connections, a stream on each": ("--connections", 100),
        "100 connections, 10 streams on each": ("--connections", 100, "--streams", 10)}
WATCHERS = 10000
MANY = 100000
MANY_WORDS = f"{MANY} on 100 streams"
DELAY = ("--watchers", 1000, "--connections", 10, "--rate", 1000, "--seconds", 10)
FAN_OUT = ("--watchers", 10000, "--keys", 1, "--connections", 10, "--rate", 5, "--seconds", 10)
TIMES = (("put_p50_us", "put p50"), ("put_p99_us", "put p99"),
         ("delay_p50_us", "from put to event p50"), ("delay_p99_us", "from put to event p99"))


def watch_load(node, *flags):
    """The report of watch_load against one node."""
    return load("watch_load", "--endpoint", node.endpoint, "--pid", node.pid, *flags)


def memory_kib(node, watchers, *flags):
    return watch_load(node, "--watchers", watchers, *flags)["memory_bytes"] / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    load_program("watch_load")
    memory = Comparison(f"{WATCHERS} idle watchers", [(kind, kind) for kind in (*IDLE, MANY_WORDS)], "KiB")
    delays = Comparison("1,000 puts a second, 1,000 watchers, each of a key of its own", TIMES, "us")
    fan_outs = Comparison("5 puts a second of one key with 10,000 watchers", TIMES, "us")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="watches-"))
        idle = {name: {} for name in NAMES}
        for name in NAMES:
            for kind, flags in IDLE.items():  # each on a fresh server: memory that is free is used again
                with cluster_of(name, pathlib.Path(folder, name + kind.replace(" ", "-"))) as cluster:
                    cluster.start()
                    idle[name][kind] = memory_kib(cluster.nodes[0], WATCHERS, *flags)
        clusters = {name: stack.enter_context(cluster_of(name, pathlib.Path(folder, name))) for name in NAMES}
        for cluster in clusters.values():
            cluster.start()
        for name in in_turns(options.rounds):
            for comparison, flags in ((delays, DELAY), (fan_outs, FAN_OUT)):
                comparison.add(name, watch_load(clusters[name].nodes[0], *flags))
        for name, cluster in clusters.items():
            many = memory_kib(cluster.nodes[1], MANY, "--connections", 100)
            memory.add(name, {**idle[name], MANY_WORDS: many})
    for comparison in (memory, delays, fan_outs):
        comparison.print_table()


if __name__ == "__main__":
    main()
