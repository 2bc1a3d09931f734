#!/usr/bin/env python3
"""Measures what leases cost, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, and drives one of them in turn with tests/performance:lease_load: what it takes to keep
ten thousand leases alive, and what happens when as many expire at once. Or how many can be granted, what they take in memory,
and how soon one of them is known again when all nodes were killed. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/... //tests/performance:lease_load
  tests/performance/leases_beside_etcd.py                # about three minutes
  tests/performance/leases_beside_etcd.py restart        # a million leases, about ten minutes
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from beside_etcd import Comparison, in_turns
from clusters import cluster_of, load, load_program, restart_until
from sizes import memory_mb

LEASES = 10000
KEEP = ("--leases", LEASES, "--ttl", 300, "--interval", 1, "--seconds", 10)
EXPIRE = ("--leases", LEASES, "--ttl", 10, "--expire")
KEPT = (("cpu_us_per_renewal", "CPU of all nodes for a renewal (us)"), ("renewal_p50_us", "renewal p50 (us)"),
        ("renewal_p99_us", "renewal p99 (us)"), ("memory_bytes", "memory of all nodes for the leases (bytes)"),
        ("grants_per_second", "grants a second"))
EXPIRED = (("expiry_span_ms", "from the first key that goes to the last (ms)"), ("put_p50_us", "another put meanwhile, p50 (us)"),
           ("put_max_us", "another put meanwhile, longest (us)"))

LONG_TTL = 3600
SAMPLE = 1000
RESTARTED = (("grants_per_second", "grants a second"), ("grown_mb", "resident memory of a node for them (MB)"),
             ("answer_ms", "from SIGKILL of all nodes to the first LeaseTimeToLive (ms)"),
             ("restarted_mb", "all resident memory of a node then (MB)"),
             ("left_min_s", f"time left of {SAMPLE} leases then, least (s)"), ("left_max_s", "most (s)"))


def lease_load(cluster, *flags):
    """The report of lease_load against one node of a cluster."""
    pids = ",".join(str(node.pid) for node in cluster.nodes)
    return load("lease_load", "--endpoint", cluster.nodes[0].endpoint, "--pids", pids, *flags)


def grant_and_restart(cluster, leases):
    """All nodes are killed when they have so many leases, which must still be there, with no less time than is theirs."""
    begin = time.monotonic()
    all_of_them = ("--leases", leases, "--ttl", LONG_TTL)
    granted = lease_load(cluster, *all_of_them, "--leave")
    answer_ms = restart_until(cluster, "lease", "timetolive", 1).since_kill_ms
    left = lease_load(cluster, *all_of_them, "--look", SAMPLE)
    assert left["left_min_s"] >= LONG_TTL - (time.monotonic() - begin) - 1, left
    return {**granted, **left, "grown_mb": granted["memory_bytes"] / len(cluster.nodes) / 1e6, "answer_ms": answer_ms,
            "restarted_mb": max(memory_mb(node, "VmRSS") for node in cluster.nodes)}


def measure_life(folder, options):
    kept = Comparison(f"{LEASES} leases, each kept alive once a second", KEPT)
    expired = Comparison(f"{LEASES} leases with a key each expire", EXPIRED)
    for turn, name in enumerate(in_turns(options.rounds)):
        for comparison, flags in ((kept, KEEP), (expired, EXPIRE)):  # each on a fresh cluster
            with cluster_of(name, pathlib.Path(folder, f"{turn}-{flags[-1]}")) as cluster:
                cluster.start()
                comparison.add(name, lease_load(cluster, *flags))
    kept.print_table()
    expired.print_table()


def measure_restart(folder, options):
    comparison = Comparison(f"{options.leases} leases, three nodes", RESTARTED)
    for turn, name in enumerate(in_turns(options.rounds)):
        with cluster_of(name, pathlib.Path(folder, f"{turn}")) as cluster:
            cluster.start()
            comparison.add(name, grant_and_restart(cluster, options.leases))
    comparison.print_table()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", nargs="?", choices=["life", "restart"], default="life")
    parser.add_argument("--rounds", type=int, help="of life 3, of restart 1")
    parser.add_argument("--leases", type=int, default=1_000_000, help="of restart")
    options = parser.parse_args()
    options.rounds = options.rounds or {"life": 3, "restart": 1}[options.mode]
    load_program("lease_load")
    with tempfile.TemporaryDirectory(prefix="leases-") as folder:
        {"life": measure_life, "restart": measure_restart}[options.mode](folder, options)


if __name__ == "__main__":
    main()
