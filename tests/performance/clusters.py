"""Three nodes of Pontoon or etcd on loopback, for the scripts of this folder."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PONTOON = os.path.join(ROOT, "bazel-bin/cmd/pontoon/pontoon")
CTL = os.path.join(ROOT, "bazel-bin/cmd/pontoonctl/pontoonctl")


def binary_of(name):
    """The server's path; ends the script with advice if it is missing."""
    path, remedy = {"pontoon": (PONTOON, "bazel build //cmd/..."),
                    "etcd": (shutil.which("etcd"), "apt-get install etcd-server")}[name]
    if not path or not os.path.exists(path):
        raise SystemExit(f"a server is missing; try: {remedy}")
    return path


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


class Cluster:
    """Three nodes of one program, stopped when the block ends; only `nodes` are started.

    A folder that was used before gives back its nodes.
    """

    def __init__(self, name, folder, flags=(), nodes=(0, 1, 2)):
        self.name = name
        ports_file = os.path.join(folder, f"{name}-ports.json")
        if not os.path.exists(ports_file):
            with open(ports_file, "w", encoding="ascii") as file:
                json.dump(free_ports(6), file)
        with open(ports_file, encoding="ascii") as file:
            ports = json.load(file)
        self.endpoints = [f"127.0.0.1:{p}" for p in ports[:3]]
        peers = [f"http://127.0.0.1:{p}" for p in ports[3:]]
        initial = ",".join(f"n{i}={peers[i]}" for i in range(3))
        self.commands = []
        self.logs = []
        for i in range(3):
            client = f"http://{self.endpoints[i]}"
            data = os.path.join(folder, f"{name}-{i}")
            self.commands.append(
                [binary_of(name), "--name", f"n{i}", "--data-dir", data,
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
                 "--initial-cluster", initial, *flags])
            self.logs.append(os.path.join(folder, f"{name}-{i}.log"))
        self.processes = [None] * 3
        for node in nodes:
            self.start(node)

    def start(self, node):
        with open(self.logs[node], "ab") as log:
            self.processes[node] = subprocess.Popen(self.commands[node], stdout=log,
                                                    stderr=subprocess.STDOUT)

    def stop(self, node):
        """Stops a node cleanly."""
        self.processes[node].send_signal(signal.SIGTERM)
        self.processes[node].wait()

    def status(self, node):
        """What etcd's API says of a node; None if it does not answer."""
        done = subprocess.run(["etcdctl", "--endpoints", self.endpoints[node], "endpoint", "status", "-w", "json"],
                              capture_output=True, check=False, env={**os.environ, "ETCDCTL_API": "3"})
        return json.loads(done.stdout)[0]["Status"] if done.returncode == 0 else None

    def leader(self):
        """The number of the node that leads."""
        for node in range(3):
            status = self.status(node)
            if status and status["leader"] == status["header"]["member_id"]:
                return node
        raise SystemExit(f"{self.name}: no leader")

    def pids(self):
        return ",".join(str(p.pid) for p in self.processes)

    def resident_mib(self):
        total = 0
        for process in self.processes:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                total += next(int(l.split()[1]) for l in status if l.startswith("VmRSS"))
        return total / 1024

    def wait_ready(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            done = subprocess.run([CTL, "--endpoints", ",".join(self.endpoints), "put", "ready", "1"],
                                  capture_output=True, check=False)
            if done.returncode == 0:
                return
        raise SystemExit(f"{self.name}: not ready after 30 s: {done.stderr.decode()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes = [process for process in self.processes if process]
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait()
