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
    """Three nodes of one program, stopped when the block ends."""

    def __init__(self, name, folder, flags=()):
        self.name = name
        ports = free_ports(6)
        self.endpoints = [f"127.0.0.1:{p}" for p in ports[:3]]
        peers = [f"http://127.0.0.1:{p}" for p in ports[3:]]
        initial = ",".join(f"n{i}={peers[i]}" for i in range(3))
        self.processes = []
        for i in range(3):
            client = f"http://{self.endpoints[i]}"
            data = os.path.join(folder, f"{name}-{i}")
            log = open(os.path.join(folder, f"{name}-{i}.log"), "wb")
            self.processes.append(
                subprocess.Popen(
                    [binary_of(name), "--name", f"n{i}", "--data-dir", data,
                     "--listen-client-urls", client, "--advertise-client-urls", client,
                     "--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
                     "--initial-cluster", initial, *flags],
                    stdout=log, stderr=subprocess.STDOUT))

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
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
