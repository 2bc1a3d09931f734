#!/usr/bin/env python3
"""Measures what a million keys take, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, fills them, kills all with SIGKILL and starts them again: the time to the first
linearizable read, the memory of a node afterwards, and the room on its disk. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/...
  tests/performance/restart_beside_etcd.py               # about ten minutes, 5 GB of disk
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import bench, cluster_of

VALUE_BYTES = 256
READ_SECONDS_MAX = 120
FIGURES = (("read_ms", "from the start to the first linearizable read (ms)"), ("resident_mb", "resident memory of a node then (MB)"),
           ("peak_mb", "its highest until then (MB)"), ("disk_mb", "data folder of a node (MB)"))


def memory_mb(node, line):
    """Of /proc/PID/status: VmRSS or VmHWM."""
    status = pathlib.Path(f"/proc/{node.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{line}:\s+(\d+) kB", status, re.MULTILINE).group(1)) / 1000


def disk_mb(node):
    """What is allocated, not what is only reserved or sparse."""
    return int(subprocess.run(["du", "-sk", node.data], capture_output=True, text=True, check=True).stdout.split()[0]) * 1.024 / 1000


def restart(cluster):
    """Kills all nodes at once, starts them, and reads through the first as soon as it can be read."""
    for node in cluster.nodes:
        node.process.kill()
    for node in cluster.nodes:
        node.process.wait()
    begin = time.monotonic()
    for node in cluster.nodes:
        node.start()
    while cluster.call("--timeout", "200ms", "get", "bench/000001", nodes=cluster.nodes[:1]).returncode != 0:
        cluster.nodes[0].expect_to_run()
        assert time.monotonic() - begin < READ_SECONDS_MAX, "no read succeeds"
    read_ms = 1000 * (time.monotonic() - begin)
    for node in cluster.nodes:  # the others have served a read then, too
        cluster.run("get", "bench/000001", nodes=[node])
    worst = max(cluster.nodes, key=lambda node: memory_mb(node, "VmRSS"))
    return {"read_ms": read_ms, "resident_mb": memory_mb(worst, "VmRSS"), "peak_mb": memory_mb(worst, "VmHWM"),
            "disk_mb": max(disk_mb(node) for node in cluster.nodes)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="restarts of each")
    options = parser.parse_args()
    reports = {}
    with tempfile.TemporaryDirectory(prefix="restart-") as folder:
        for name in ("etcd", "pontoon"):
            with cluster_of(name, pathlib.Path(folder, name)) as cluster:
                cluster.start()
                filled = bench(cluster, "put", "--keys", options.keys, "--total", options.keys, "--sequential",
                               "--value-size", VALUE_BYTES, "--clients", 256, "--connections", 8)
                print(f"{name}: filled, {filled}", file=sys.stderr, flush=True)
                for _ in range(options.rounds):
                    reports.setdefault(name, []).append(restart(cluster))
                    print(f"{name}: {reports[name][-1]}", file=sys.stderr, flush=True)
    print(f"| {options.keys} keys of {VALUE_BYTES} bytes, three nodes | etcd | pontoon | pontoon / etcd |\n|---|---|---|---|")
    for figure, words in FIGURES:
        etcd, pontoon = (statistics.median(r[figure] for r in reports[name]) for name in ("etcd", "pontoon"))
        print(f"| {words} | {etcd:.0f} | {pontoon:.0f} | **{pontoon / etcd:.2f}** |")


if __name__ == "__main__":
    main()
