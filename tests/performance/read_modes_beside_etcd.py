#!/usr/bin/env python3
"""Measures what a read costs by how fresh it is to be, on Pontoon and on etcd, on this machine and in one run.

Starts three nodes of each on loopback, and has `pontoonctl bench get` read single keys of them in turns, in every mode that the
server has: from the leader and from a follower, with one client and with many; then from both followers at once, which is what
takes reads off the leader. All the while keys are put, slowly, so that the state moves. The processor time of the puts by
themselves is measured too, and is no part of that of the reads. Prints a Markdown report for docs/performance.md.

  bazel build //cmd/...
  tests/performance/read_modes_beside_etcd.py            # about six minutes
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile
import time
import typing

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from beside_etcd import NAMES, order
from clusters import bench, cluster_of, fill, revision_of

KEYS = 10000
VALUE_BYTES = 256
PUTS_PER_SECOND = 50
# name -> mode -> flags
MODES = {"etcd": {"linearizable": (),
                  "serializable": ("--serializable",)},
         "pontoon": {"LINEARIZABLE": ("--consistency", "linearizable"),
                     "LEASE": ("--consistency", "lease"),
                     "FOLLOWER": ("--consistency", "follower"),
                     "FOLLOWER, 500 ms": ("--max-staleness", "500ms")}}
CONNECTIONS = {1: 1, 64: 16}  # by clients
WARMUP = {1: 300, 64: 4000}
MANY = max(CONNECTIONS)
LEADER, FOLLOWER, FOLLOWERS = "leader", "follower", "both followers"
LOADS = [(1, LEADER), (1, FOLLOWER), (MANY, LEADER), (MANY, FOLLOWER), (MANY, FOLLOWERS)]


class Roles(typing.NamedTuple):
    """Nodes of a cluster, by what they are."""
    leader: object
    followers: list

    def asked(self, place):
        return {LEADER: [self.leader], FOLLOWER: self.followers[:1], FOLLOWERS: self.followers}[place]


def roles_of(cluster):
    leader = cluster.leader()
    return Roles(leader, [node for node in cluster.nodes if node is not leader])


def cpu_us_per_second(report, nodes):
    """What these nodes took during a bench."""
    by_pid = report["server_cpu_us_per_op_by_pid"]
    return sum(by_pid[str(node.pid)] for node in nodes) * report["operations"] / report["elapsed_s"]


def cpu_us_per_read(reads, puts, nodes):
    """By the reports of reads beside which puts went on, and of these puts alone."""
    return (cpu_us_per_second(reads, nodes) - cpu_us_per_second(puts, nodes)) * reads["elapsed_s"] / reads["operations"]


def measured(cluster, options):
    """Flags of a bench."""
    return "--duration", f"{options.seconds}s", "--pids", ",".join(str(node.pid) for node in cluster.nodes)


def puts_alone(cluster, options):
    """The report of a bench."""
    return bench(cluster, "put", "--keys", KEYS, "--value-size", VALUE_BYTES, "--rate", PUTS_PER_SECOND, "--clients", 8,
                 *measured(cluster, options), nodes=[cluster.leader()])


@contextlib.contextmanager
def puts_beside(cluster, leader):
    """Puts go through the leader, which must still lead and have made them when the block ends."""
    before, begin = revision_of(cluster), time.monotonic()
    load = cluster.start_load([leader], rate=PUTS_PER_SECOND)
    yield
    load.expect_to_run()
    rate = (revision_of(cluster) - before) / (time.monotonic() - begin)
    load.kill()
    assert rate > 0.8 * PUTS_PER_SECOND, f"only {rate:.0f} puts a second: the machine is too busy"
    assert cluster.leader() is leader, "another node leads: the machine is too busy"


def read(cluster, clients, nodes, flags, options):
    """The report of a bench in which all keys are found."""
    report = bench(cluster, "get", "--keys", KEYS, "--clients", clients, "--connections", CONNECTIONS[clients],
                   "--warmup", WARMUP[clients], *flags, *measured(cluster, options), nodes=nodes)
    assert report["not_found"] == 0, report
    return report


def measure_turn(cluster, name, load, puts, options):
    """The figures of reads in each mode of the server. `puts`: the report of them alone."""
    clients, place = load
    roles = roles_of(cluster)
    turn = {}
    with puts_beside(cluster, roles.leader):
        for mode, flags in MODES[name].items():
            reads = read(cluster, clients, roles.asked(place), flags, options)
            turn[mode] = {"rate": reads["rate_per_second"], "p50": reads["latency_p50_us"], "p99": reads["latency_p99_us"],
                          "cpu": cpu_us_per_read(reads, puts, cluster.nodes),
                          "leader_cpu": cpu_us_per_read(reads, puts, [roles.leader])}
            rounded = {figure: round(value) for figure, value in turn[mode].items()}
            print(f"{clients} at {place}: {name} {mode} {rounded}", file=sys.stderr, flush=True)
    return turn


def measure(clusters, options):
    """{(load, name, mode): [figures of each round]}"""
    results = {}
    for number in range(options.rounds):
        puts = {name: puts_alone(clusters[name], options) for name in order(number)}
        for load in LOADS:
            for name in order(number):
                for mode, figures in measure_turn(clusters[name], name, load, puts[name], options).items():
                    results.setdefault((load, name, mode), []).append(figures)
    return results


def cells(rounds, figures):
    """The medians of these figures, as cells of a row."""
    return " | ".join(str(round(statistics.median(turn[figure] for turn in rounds))) for figure in figures)


def print_report(results):
    print("| clients | at | server | reads | rate (1/s) | p50 (us) | p99 (us) | CPU of all nodes for a read (us) | "
          "of this the leader's (us) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for ((clients, place), name, mode), rounds in results.items():
        if place != FOLLOWERS:
            print(f"| {clients} | {place} | {name} | {mode} | {cells(rounds, ('rate', 'p50', 'p99', 'cpu', 'leader_cpu'))} |")
    print(f"\n| reads of {MANY} clients | all at the leader: rate (1/s) | CPU for a read (us) | of this the leader's (us) | "
          "half at each follower: rate (1/s) | CPU for a read (us) | of this the leader's (us) |")
    print("|---|---|---|---|---|---|---|")
    for (load, name, mode), spread in results.items():
        if load == (MANY, FOLLOWERS):
            together = results[(MANY, LEADER), name, mode]
            figures = "rate", "cpu", "leader_cpu"
            print(f"| {name} {mode} | {cells(together, figures)} | {cells(spread, figures)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each of the 30 measurements of a round")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="read-modes-"))
        clusters = {name: stack.enter_context(cluster_of(name, pathlib.Path(folder, name))) for name in NAMES}
        for cluster in clusters.values():
            cluster.start()
            fill(cluster, KEYS, VALUE_BYTES)
        results = measure(clusters, options)
    print_report(results)


if __name__ == "__main__":
    main()
