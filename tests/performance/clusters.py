"""What the scripts of this folder measure: three nodes of Pontoon, as built here, or of Debian's etcd."""

import json
import pathlib
import shutil
import time
import typing

from processes.child import run
from processes.cluster import Cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = ROOT / "bazel-bin/cmd/pontoonctl/pontoonctl"
SERVERS = {"pontoon": (ROOT / "bazel-bin/cmd/pontoon/pontoon", "bazel build //cmd/..."),
           "etcd": (shutil.which("etcd"), "apt-get install etcd-server")}
RESTART_SECONDS_MAX = 120


def cluster_of(name, folder, flags=()):
    """A cluster of that server, not started yet; ends the script with advice if a program is missing."""
    server, remedy = SERVERS[name]
    if not server or not pathlib.Path(server).exists():
        raise SystemExit(f"a server is missing; try: {remedy}")
    return Cluster(folder, server, CTL, flags)


def bench(cluster, operation, *flags, nodes=None):
    """The report of a bench that takes its time, and in which nothing may fail."""
    return json.loads(cluster.run("--output", "json", "bench", operation, *flags, nodes=nodes, seconds=None))


def fill(cluster, keys, value_bytes):
    """Puts every key of a bench once, in order. The report."""
    return bench(cluster, "put", "--keys", keys, "--total", keys, "--sequential", "--value-size", value_bytes,
                 "--clients", 256, "--connections", 8)


def revision_of(cluster):
    return max(row["revision"] for row in cluster.status().values())


def load_program(name):
    """A program of this folder; ends the script with advice if it is missing."""
    program = ROOT / "bazel-bin/tests/performance" / name
    if not program.exists():
        raise SystemExit(f"{name} is missing; try: bazel build //tests/performance:{name}")
    return program


def load(name, *flags):
    """The report of a program of this folder, which takes its time."""
    done = run([load_program(name), *flags], seconds=None)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


class Restart(typing.NamedTuple):
    since_kill_ms: float
    since_start_ms: float


def restart_until(cluster, *command):
    """Kills all nodes at once, starts them, and has pontoonctl ask the first as often as it takes. How long that was."""
    killed = time.monotonic()
    for node in cluster.nodes:
        node.process.kill()
    for node in cluster.nodes:
        node.process.wait()
    started = time.monotonic()
    for node in cluster.nodes:
        node.start()
    while cluster.call("--timeout", "200ms", *command, nodes=cluster.nodes[:1]).returncode != 0:
        cluster.nodes[0].expect_to_run()
        assert time.monotonic() - started < RESTART_SECONDS_MAX, f"{command} never succeeds"
    answered = time.monotonic()
    return Restart(1000 * (answered - killed), 1000 * (answered - started))
