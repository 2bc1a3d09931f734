#!/usr/bin/env python3
"""Measures what leases cost, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, and drives one of them in turn with tests/performance:lease_load: what it takes to keep
ten thousand leases alive, and what happens when as many expire at once. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/... //tests/performance:lease_load
  tests/performance/leases_beside_etcd.py                # about three minutes
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import ROOT, cluster_of
from processes.child import run

LOAD = ROOT / "bazel-bin/tests/performance/lease_load"
LEASES = 10000
KEEP = ("--leases", LEASES, "--ttl", 300, "--interval", 1, "--seconds", 10)
EXPIRE = ("--leases", LEASES, "--ttl", 10, "--expire")
KEPT = (("cpu_us_per_renewal", "CPU of all nodes for a renewal (us)"), ("renewal_p50_us", "renewal p50 (us)"),
        ("renewal_p99_us", "renewal p99 (us)"), ("memory_bytes", "memory of all nodes for the leases (bytes)"),
        ("grants_per_second", "grants a second"))
EXPIRED = (("expiry_span_ms", "from the first key that goes to the last (ms)"), ("put_p50_us", "another put meanwhile, p50 (us)"),
           ("put_max_us", "another put meanwhile, longest (us)"))


def load(cluster, node, *flags):
    """The report of lease_load against one node of a cluster."""
    pids = ",".join(str(one.pid) for one in cluster.nodes)
    done = run([LOAD, "--endpoint", node.endpoint, "--pids", pids, *flags])
    if done.returncode != 0:
        raise SystemExit(f"lease_load failed: {done.stderr}")
    return json.loads(done.stdout)


def table(heading, figures, reports):
    print(f"\n| {heading} | etcd | pontoon | pontoon / etcd |\n|---|---|---|---|")
    for figure, words in figures:
        etcd, pontoon = (statistics.median(r[figure] for r in reports[name]) for name in ("etcd", "pontoon"))
        print(f"| {words} | {etcd:.0f} | {pontoon:.0f} | **{pontoon / etcd:.2f}** |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not LOAD.exists():
        raise SystemExit("lease_load is missing; try: bazel build //tests/performance:lease_load")
    kept, expired = {}, {}
    with tempfile.TemporaryDirectory(prefix="leases-") as folder:
        for round_number in range(options.rounds):
            for name in sorted(("etcd", "pontoon"), reverse=round_number % 2 == 1):
                for reports, flags in ((kept, KEEP), (expired, EXPIRE)):  # each on a fresh cluster
                    place = pathlib.Path(folder, f"{name}-{round_number}-{'-'.join(map(str, flags[-1:]))}")
                    with cluster_of(name, place) as cluster:
                        cluster.start()
                        report = load(cluster, cluster.nodes[0], *flags)
                    reports.setdefault(name, []).append(report)
                    print(f"round {round_number + 1}: {name} {report}", file=sys.stderr, flush=True)
    table(f"{LEASES} leases, each kept alive once a second", KEPT, kept)
    table(f"{LEASES} leases with a key each expire", EXPIRED, expired)


if __name__ == "__main__":
    main()
