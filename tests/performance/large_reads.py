#!/usr/bin/env python3
"""Measures what large reads cost a node with a million keys, and the short reads beside them.

Starts three nodes on loopback and fills them. Then one client gets single keys at a fixed rate through one node, alone and while
another, tests/performance:range_load, reads from it again and again: ten thousand keys; all keys at once, which is more than the
budget for one Range, so that Pontoon refuses it; all in pages of ten thousand; all as a stream. Prints a Markdown report for
docs/performance.md.

  bazel build //cmd/... //tests/performance:range_load
  tests/performance/large_reads.py                                            # about three minutes
  tests/performance/large_reads.py --value-size 1000 --beside nothing pages stream
  tests/performance/large_reads.py --value-size 1000 --beside nothing pages --server etcd
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import bench, cluster_of, fill, load_program
from processes.child import run
from sizes import HighestAnonymous, forget_highest_memory, memory_mb

RATE = 500
SECONDS = 10
QUOTA_BYTES = 16 << 30
PAGE = 10000
# name -> words, and flags of range_load
LARGE = {"nothing": ("nothing", None),
         "page": (f"{PAGE} keys", ("--limit", PAGE)),
         "range": ("all keys in one Range", ()),
         "pages": (f"all keys in pages of {PAGE}", ("--page", PAGE)),
         "stream": ("all keys by RangeStream", ("--stream",))}


@contextlib.contextmanager
def again_and_again(node, flags, reports):
    """Reads in a loop beside the block. Keeps a report of each time, or what the server said instead."""
    stop = threading.Event()

    def loop():
        while not stop.is_set():
            done = run([load_program("range_load"), "--endpoint", node.endpoint, "--prefix", "bench/", *flags])
            reports.append(json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr.strip()})

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def took(reports):
    """For the table: the median of the seconds that a read took, or that all were refused."""
    refused = [report["error"] for report in reports if "error" in report]
    for error in sorted(set(refused)):
        print(error, file=sys.stderr)
    assert len(refused) in (0, len(reports)), "some are refused and some are not"
    if refused:
        return "refused"
    return f"{statistics.median(report['seconds'] for report in reports):.1f}" if reports else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--value-size", type=int, default=256)
    parser.add_argument("--server", choices=["pontoon", "etcd"], default="pontoon")
    parser.add_argument("--beside", nargs="+", choices=LARGE, default=list(LARGE))
    options = parser.parse_args()
    load_program("range_load")
    with tempfile.TemporaryDirectory(prefix="large-reads-") as folder, \
            cluster_of(options.server, pathlib.Path(folder, "data"), [f"--quota-backend-bytes={QUOTA_BYTES}"]) as cluster:
        cluster.start()
        print(fill(cluster, options.keys, options.value_size), file=sys.stderr, flush=True)
        node = cluster.nodes[0]
        print(f"| {options.server}, beside | short reads p50 (us) | p99 (us) | own memory of the node before (MB) | at most (MB) "
              "| with mapped files at most (MB) | one read takes (s) | times |\n|---|---|---|---|---|---|---|---|")
        for name in options.beside:
            words, flags = LARGE[name]
            reports = []
            forget_highest_memory(node)
            with HighestAnonymous(node) as own, \
                    contextlib.nullcontext() if flags is None else again_and_again(node, flags, reports):
                short = bench(cluster, "get", "--keys", options.keys, "--rate", RATE, "--duration", f"{SECONDS}s",
                              "--clients", 64, "--connections", 4, nodes=[node])
            print(f"| {words} | {short['latency_p50_us']:.0f} | {short['latency_p99_us']:.0f} | {own.before_mb:.0f} | {own.mb:.0f} "
                  f"| {memory_mb(node, 'VmHWM'):.0f} | {took(reports)} | {len(reports)} |", flush=True)


if __name__ == "__main__":
    main()
