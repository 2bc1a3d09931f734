#!/usr/bin/env python3
"""Measures what reads of everything cost a node with a million keys, and the short reads beside them.

Starts three nodes of Pontoon on loopback and fills them. Then one client gets single keys at a fixed rate through one node, alone
and while another reads ten thousand keys from it again and again, or wants all keys at once (which is more than the budget for
one Range, so that it is refused). Prints a Markdown report for docs/performance.md.

  bazel build //cmd/...
  tests/performance/large_reads.py                       # about two minutes
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import CTL, bench, cluster_of

VALUE_BYTES = 256
RATE = 500
SECONDS = 10


@contextlib.contextmanager
def again_and_again(command, count):
    """Runs a command in a loop beside the block; counts how often it ended with each exit code."""
    stop = threading.Event()

    def loop():
        while not stop.is_set():
            done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  check=False, text=True)
            count.append((done.returncode, done.stderr.strip()[-200:]))

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-reads-") as folder, cluster_of("pontoon", pathlib.Path(folder, "data")) as cluster:
        cluster.start()
        bench(cluster, "put", "--keys", options.keys, "--total", options.keys, "--sequential", "--value-size", VALUE_BYTES,
              "--clients", 256, "--connections", 8)
        node = cluster.nodes[0]
        large = {"nothing": None,
                 "10,000 keys": [CTL, "--endpoints", node.endpoint, "get", "--prefix", "bench/", "--limit", 10000],
                 "all keys": [CTL, "--endpoints", node.endpoint, "--timeout", "60s", "get", "--prefix", "bench/"]}
        print("| beside | short reads p50 (us) | p99 (us) | memory of the node (MB) | ended |\n|---|---|---|---|---|")
        for words, command in large.items():
            ended = []
            beside = again_and_again(command, ended) if command else contextlib.nullcontext()
            with beside:
                report = bench(cluster, "get", "--keys", options.keys, "--rate", RATE, "--duration", f"{SECONDS}s",
                               "--clients", 64, "--connections", 4, nodes=[node])
                memory = node.resident_bytes() / 1e6
            for code, error in sorted(set(ended)):
                print(f"{words}: exit code {code}: {error}", file=sys.stderr)
            print(f"| {words} | {report['latency_p50_us']:.0f} | {report['latency_p99_us']:.0f} | {memory:.0f} "
                  f"| {len(ended)} times |", flush=True)


if __name__ == "__main__":
    main()
