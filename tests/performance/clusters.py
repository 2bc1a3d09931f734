"""What the scripts of this folder measure: three nodes of Pontoon, as built here, or of Debian's etcd."""

import json
import pathlib
import shutil

from processes.cluster import Cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = ROOT / "bazel-bin/cmd/pontoonctl/pontoonctl"
SERVERS = {"pontoon": (ROOT / "bazel-bin/cmd/pontoon/pontoon", "bazel build //cmd/..."),
           "etcd": (shutil.which("etcd"), "apt-get install etcd-server")}


def cluster_of(name, folder, flags=()):
    """A cluster of that server, not started yet; ends the script with advice if a program is missing."""
    server, remedy = SERVERS[name]
    if not server or not pathlib.Path(server).exists():
        raise SystemExit(f"a server is missing; try: {remedy}")
    return Cluster(folder, server, CTL, flags)


def bench(cluster, operation, *flags, nodes=None):
    """The report of a bench that takes its time, and in which nothing may fail."""
    return json.loads(cluster.run("--output", "json", "bench", operation, *flags, nodes=nodes, seconds=None))
