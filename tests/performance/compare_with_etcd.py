#!/usr/bin/env python3
"""Compares Pontoon with etcd on this machine, in one run.

Starts three nodes of each on loopback, and drives them in turn, round after round, with `pontoonctl bench`: puts and
linearizable gets, with few and many clients. Prints a Markdown report for docs/performance.md: for each load the
median of the rounds for both, and their ratio. Figures of one machine say little; ratios of one run say more.

  tests/performance/compare_with_etcd.py                 # the whole comparison, about a quarter of an hour
  tests/performance/compare_with_etcd.py --rounds 1 --clients 64 --only pontoon
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from clusters import bench, cluster_of

# clients -> (connections, operations measured, operations to warm up)
LOADS = {1: (1, 3000, 300), 64: (16, 40000, 4000), 1000: (100, 80000, 8000)}
VALUE_BYTES = 256
KEY_SPACE = 10000


def drive(cluster, operation, clients):
    connections, total, warmup = LOADS[clients]
    return bench(cluster, operation, "--clients", clients, "--connections", connections, "--total", total,
                 "--warmup", warmup, "--keys", KEY_SPACE, "--value-size", VALUE_BYTES,
                 "--pids", ",".join(str(node.pid) for node in cluster.nodes))


FIGURES = [  # name in the bench's report, heading, unit, decimals
    ("rate_per_second", "rate", "1/s", 0),
    ("latency_p50_us", "p50", "us", 0),
    ("latency_p99_us", "p99", "us", 0),
    ("server_cpu_us_per_op", "CPU per operation", "us", 1),
]


def measure(clusters, options):
    """`clusters` by name. Returns {(operation, clients, name): [report of each round]}."""
    results = {}
    loads = [(op, clients) for op in options.operations for clients in options.clients]
    for round_number in range(options.rounds):
        for operation, clients in loads:
            for name in sorted(clusters, reverse=round_number % 2 == 1):
                report = drive(clusters[name], operation, clients)
                results.setdefault((operation, clients, name), []).append(report)
                print(f"round {round_number + 1} of {options.rounds}: {name} {operation} "
                      f"{clients} clients: {report['rate_per_second']:.0f}/s, "
                      f"p99 {report['latency_p99_us']:.0f} us, "
                      f"{report['server_cpu_us_per_op']:.1f} us CPU, errors {report['errors']}",
                      file=sys.stderr, flush=True)
    return results


def median(reports, figure):
    return statistics.median(report[figure] for report in reports)


def print_report(results, options, names):
    headings = [f"{heading} ({unit})" for _, heading, unit, _ in FIGURES]
    print("| operation | clients | server | " + " | ".join(headings) + " | errors |")
    print("|---|---|---|" + "---|" * (len(FIGURES) + 1))
    for operation in options.operations:
        for clients in options.clients:
            for name in names:
                reports = results[operation, clients, name]
                cells = [f"{median(reports, f):.{digits}f}" for f, _, _, digits in FIGURES]
                errors = sum(sum(report["errors"].values()) for report in reports)
                print(f"| {operation} | {clients} | {name} | " + " | ".join(cells) + f" | {errors} |")
            if len(names) == 2:
                ratios = [median(results[operation, clients, "pontoon"], f) /
                          median(results[operation, clients, "etcd"], f) for f, _, _, _ in FIGURES]
                print("| | | **pontoon / etcd** | " + " | ".join(f"**{r:.2f}**" for r in ratios) + " | |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=sorted(LOADS), choices=sorted(LOADS))
    parser.add_argument("--operations", nargs="+", default=["put", "get"], choices=["put", "get"])
    parser.add_argument("--only", choices=["etcd", "pontoon"], help="measure one of them")
    options = parser.parse_args()
    names = [options.only] if options.only else ["etcd", "pontoon"]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-"))
        clusters = {name: stack.enter_context(cluster_of(name, pathlib.Path(folder, name))) for name in names}
        for cluster in clusters.values():
            cluster.start()
        results = measure(clusters, options)
        memory = {name: sum(node.resident_bytes() for node in cluster.nodes) / (1 << 20)
                  for name, cluster in clusters.items()}
    print_report(results, options, names)
    print("\nResident memory of the three processes at the end: " +
          ", ".join(f"{name} {mib:.0f} MiB" for name, mib in memory.items()) + ".")


if __name__ == "__main__":
    main()
