"""Three servers on the loopback interface: of Pontoon, or of another program that takes the same flags."""

import json
import pathlib
import shutil

from processes.child import RUN_SECONDS_MAX, Child, run
from processes.ports import HOST, free_ports, start_on_free_ports
from processes.waiting import wait_for

SIZE = 3
START_SECONDS_MAX = 30
STATUS_SECONDS_MAX = 2


class Node(Child):
    """One server. Its data stay from one start to the next."""

    def __init__(self, server, folder, name, ports, peer_urls, flags):
        client_port, self.metrics_port = ports
        self.name = name
        self.endpoint = f"{HOST}:{client_port}"
        self.metrics_address = f"{HOST}:{self.metrics_port}"  # of Pontoon's page too
        self.data = folder / name
        self.member_id = None  # known once the cluster has started
        super().__init__(
            [server, "--name", name, "--data-dir", self.data,
             "--listen-client-urls", f"http://{self.endpoint}",
             "--advertise-client-urls", f"http://{self.endpoint}",
             "--listen-peer-urls", peer_urls[name],
             "--initial-advertise-peer-urls", peer_urls[name],
             "--initial-cluster", ",".join(f"{peer}={url}" for peer, url in peer_urls.items()),
             "--listen-metrics-urls", f"http://{self.metrics_address}", *flags],
            folder / f"{name}.log")


class Cluster:
    """The servers, with data and logs in `folder`. They end with the block, if not before."""

    def __init__(self, folder, server, pontoonctl, flags=()):
        self.folder = pathlib.Path(folder)
        self.server = server
        self.pontoonctl = pontoonctl
        self.flags = list(flags)
        self.ports = []
        self.nodes = []
        self.loads = []

    def start(self):
        """Makes a new cluster, and waits until it serves."""
        self.folder.mkdir(exist_ok=True)
        start_on_free_ports(self)

    def start_once(self):
        self._place(free_ports(3 * SIZE))
        for node in self.nodes:
            shutil.rmtree(node.data, ignore_errors=True)  # of an attempt on other ports
            node.start()
        self._wait_until_ready(self.nodes)

    def resume(self, ports, places=range(SIZE)):
        """Starts the nodes at these places, of a cluster that had these ports and left its data here."""
        self._place(ports)
        started = [self.nodes[place] for place in places]
        for node in started:
            node.start()
        self._wait_until_ready(started)

    def _place(self, ports):
        self.ports = ports
        names = [f"node{i + 1}" for i in range(SIZE)]
        clients, peers, metrics = ports[:SIZE], ports[SIZE:2 * SIZE], ports[2 * SIZE:]
        peer_urls = {name: f"http://{HOST}:{port}" for name, port in zip(names, peers, strict=True)}
        self.nodes = [Node(self.server, self.folder, name, pair, peer_urls, self.flags)
                      for name, *pair in zip(names, clients, metrics, strict=True)]

    def _wait_until_ready(self, started):
        def is_ready():
            for node in started:
                node.expect_to_run()
            return self.call("health", nodes=started).returncode == 0 and self._learn_ids()

        wait_for(is_ready, f"{self.server} serves", START_SECONDS_MAX)

    def _learn_ids(self):
        """Whether all members have names by now."""
        status = self.status()
        for node in self.nodes:
            node.member_id = status.get(node.name, {}).get("member_id")
        return all(node.member_id for node in self.nodes)

    def _command(self, *arguments, nodes=None):
        """The command line of pontoonctl for these nodes, or for all that run."""
        nodes = nodes or [node for node in self.nodes if node.runs()]
        return [self.pontoonctl, "--endpoints", ",".join(node.endpoint for node in nodes), *arguments]

    def call(self, *arguments, nodes=None, seconds=RUN_SECONDS_MAX):
        """Runs pontoonctl. What it printed, and its exit code."""
        return run(self._command(*arguments, nodes=nodes), seconds)

    def run(self, *arguments, nodes=None, seconds=RUN_SECONDS_MAX):
        """What pontoonctl prints; it must succeed."""
        done = self.call(*arguments, nodes=nodes, seconds=seconds)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def status(self):
        """What `pontoonctl status` says of each member, by its name."""
        done = self.call("--timeout", f"{STATUS_SECONDS_MAX}s", "--output", "json", "status")
        return {row["name"]: row for row in json.loads(done.stdout)}

    def leader(self, seconds=START_SECONDS_MAX):
        """The node that leads; waits for one."""
        def find():
            rows = [row for row in self.status().values() if row["role"] == "leader"]
            # One that was deposed may not know it yet.
            name = max(rows, key=lambda row: row["term"])["name"] if rows else None
            return next((node for node in self.nodes if node.name == name), None)

        return wait_for(find, "a leader", seconds)

    def start_load(self, nodes, operation="put", rate=100):
        """Has so many puts or gets a second go through these nodes, until it is stopped."""
        load = Child(self._command("bench", operation, "--duration", "1h", "--rate", rate, "--clients", 8,
                                  "--connections", 2, "--keys", 1000, nodes=nodes),
                     self.folder / "load.log")
        load.start()
        self.loads.append(load)
        return load

    def kill(self):
        for child in (*self.loads, *self.nodes):
            child.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
