#!/usr/bin/env python3
"""Measures how a node's disk shrinks after a compaction, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback and overwrites the same keys many times. Then the first nine tenths of the history are
compacted, with the one command that this takes, and the data folder of a node is looked at until it stands still. Prints a
Markdown report for docs/performance.md.

  bazel build //cmd/...
  tests/performance/compaction_beside_etcd.py            # about ten minutes, 4 GB of disk
"""

import argparse
import json
import pathlib
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from beside_etcd import NAMES, Comparison
from clusters import bench, cluster_of, revision_of
from sizes import disk_mb

KEYS = 20000
VALUE_BYTES = 256
LOOK_SECONDS = 5
STILL_LOOKS = 12  # in a row with about the same size
STILL_MB = 1
SECONDS_MAX = 900
STATE = {"etcd": "member/snap", "pontoon": "state"}  # the rest of a data folder is log, about which compaction is not
FIGURES = (("before_mb", "data folder of a node before (MB)"), ("state_before_mb", "of this the state (MB)"),
           ("at_once_mb", "data folder at once after the compaction (MB)"), ("most_mb", "its highest after it (MB)"),
           ("after_30_s_mb", "30 s after it (MB)"),
           ("still_mb", "where it stands still (MB)"), ("state_still_mb", "of this the state (MB)"),
           ("still_s", "this long after the compaction (s)"))


def looks(node, begin):
    """Pairs of seconds since `begin` and sizes, until the size stands still."""
    sizes = [(time.monotonic() - begin, disk_mb(node.data))]
    while len(sizes) <= STILL_LOOKS or abs(sizes[-1][1] - sizes[-1 - STILL_LOOKS][1]) > STILL_MB:
        time.sleep(max(0, begin + LOOK_SECONDS * len(sizes) - time.monotonic()))
        sizes.append((time.monotonic() - begin, disk_mb(node.data)))
        assert sizes[-1][0] < SECONDS_MAX, "the size of the data folder does not stand still"
    return sizes


def compact(cluster, state, revisions):
    """The sizes of the first node around a compaction of nine tenths of what is written."""
    node = cluster.nodes[0]
    bench(cluster, "put", "--keys", KEYS, "--total", revisions, "--value-size", VALUE_BYTES, "--clients", 256,
          "--connections", 8)
    before_mb, state_before_mb = disk_mb(node.data), disk_mb(node.data / state)
    cluster.run("compact", revision_of(cluster) - revisions // 10)
    sizes = looks(node, time.monotonic())
    print(json.dumps([[round(second), round(size)] for second, size in sizes]), file=sys.stderr)
    still_mb = sizes[-1][1]
    return {"before_mb": before_mb, "state_before_mb": state_before_mb, "at_once_mb": sizes[0][1],
            "most_mb": max(size for _, size in sizes), "after_30_s_mb": sizes[30 // LOOK_SECONDS][1], "still_mb": still_mb,
            "still_s": next(second for second, size in sizes if abs(size - still_mb) <= STILL_MB),
            "state_still_mb": disk_mb(node.data / state)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisions", type=int, default=1_000_000)
    options = parser.parse_args()
    comparison = Comparison(f"{options.revisions} revisions of {KEYS} keys, values of {VALUE_BYTES} bytes", FIGURES)
    with tempfile.TemporaryDirectory(prefix="compaction-") as folder:
        for name in NAMES:
            with cluster_of(name, pathlib.Path(folder, name)) as cluster:
                cluster.start()
                comparison.add(name, compact(cluster, STATE[name], options.revisions))
    comparison.print_table()


if __name__ == "__main__":
    main()
