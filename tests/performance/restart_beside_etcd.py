#!/usr/bin/env python3
"""Measures what a million keys take, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, fills them, kills all with SIGKILL and starts them again: the time to the first
linearizable read, the memory of a node afterwards, and the room on its disk. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/...
  tests/performance/restart_beside_etcd.py               # about ten minutes, 5 GB of disk
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from beside_etcd import NAMES, Comparison
from clusters import cluster_of, fill, restart_until
from sizes import disk_mb, memory_mb

VALUE_BYTES = 256
READ = ("get", "bench/000001")
FIGURES = (("read_ms", "from the start to the first linearizable read (ms)"), ("resident_mb", "resident memory of a node then (MB)"),
           ("peak_mb", "its highest until then (MB)"), ("disk_mb", "data folder of a node (MB)"))


def restart(cluster):
    read_ms = restart_until(cluster, *READ).since_start_ms
    for node in cluster.nodes:  # the others have served a read then, too
        cluster.run(*READ, nodes=[node])
    worst = max(cluster.nodes, key=lambda node: memory_mb(node, "VmRSS"))
    return {"read_ms": read_ms, "resident_mb": memory_mb(worst, "VmRSS"), "peak_mb": memory_mb(worst, "VmHWM"),
            "disk_mb": max(disk_mb(node.data) for node in cluster.nodes)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="restarts of each")
    options = parser.parse_args()
    restarts = Comparison(f"{options.keys} keys of {VALUE_BYTES} bytes, three nodes", FIGURES)
    with tempfile.TemporaryDirectory(prefix="restart-") as folder:
        for name in NAMES:
            with cluster_of(name, pathlib.Path(folder, name)) as cluster:
                cluster.start()
                print(f"{name}: filled, {fill(cluster, options.keys, VALUE_BYTES)}", file=sys.stderr, flush=True)
                for _ in range(options.rounds):
                    restarts.add(name, restart(cluster))
    restarts.print_table()


if __name__ == "__main__":
    main()
