#!/usr/bin/python3
"""Tests the status page with three real nodes: kills the leader, and looks how the page follows.

  tests/page/live_page_test.py --pontoon bazel-bin/cmd/pontoon/pontoon \\
      --pontoonctl bazel-bin/cmd/pontoonctl/pontoonctl

With --screenshots DIR it leaves pictures of a cluster under some load there, which takes a minute
longer. With --page-from-source the page comes from the source tree instead of the node, so that it
can be tried without a build. The last line is "N passed, N failed".
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from browser import Browser, end_on_signals, wait_for
from page_server import ForwardingServer

ELECTION_SECONDS_MAX = 15
LOAD_SECONDS = 65  # fills the window of one minute
PUT_SECONDS = 0.1  # between two writes


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Cluster:
    """Three nodes on loopback in a temporary folder, all gone when the block ends."""

    def __init__(self, pontoon):
        self.folder = tempfile.mkdtemp(prefix="pontoon-live-page-")
        self.processes = {}
        ports = free_ports(9)
        self.clients, peers, self.metrics = ports[:3], ports[3:6], ports[6:]
        initial = ",".join(f"node{i + 1}=http://127.0.0.1:{peers[i]}" for i in range(3))
        try:
            for i in range(3):
                client, peer = (f"http://127.0.0.1:{port}" for port in (self.clients[i], peers[i]))
                with open(f"{self.folder}/node{i + 1}.log", "wb") as log:
                    self.processes[f"node{i + 1}"] = subprocess.Popen(
                        [pontoon, "--name", f"node{i + 1}", "--data-dir", f"{self.folder}/node{i + 1}",
                         "--listen-client-urls", client, "--advertise-client-urls", client,
                         "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                         "--initial-cluster", initial,
                         "--listen-metrics-urls", f"http://127.0.0.1:{self.metrics[i]}"],
                        stdout=log, stderr=subprocess.STDOUT)
        except BaseException:
            self.close()
            raise

    def status(self, place):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics[place]}/api/v1/status", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def leader(self):
        """The name of the node that leads, by all nodes that run; None if they do not agree or if
        names are missing."""
        names = set()
        for place, process in enumerate(self.processes.values()):
            if process.poll() is None:
                status = self.status(place)
                members = {one["id"]: one["name"] for one in status["members"]} if status else {}
                names.add(members.get(status["leader"]) if len(members) == 3 and all(members.values()) else None)
        return names.pop() if len(names) == 1 else None

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Load:
    """Writes and reads, some a second, while the block lasts."""

    def __init__(self, pontoonctl, ports):
        endpoints = ",".join(f"127.0.0.1:{port}" for port in ports)
        self._command = [pontoonctl, "--endpoints", endpoints, "--timeout", "3s"]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        count = 0
        while not self._over.wait(PUT_SECONDS):
            count += 1
            for command in (["put", f"greeting/{count % 100}", "hello" * (count % 50)], ["get", "greeting/1"]):
                subprocess.run([*self._command, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               check=False)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


class LivePageTest(unittest.TestCase):
    options = None
    browser = None
    # A signal ends a case without its clean-up, so what must not stay is released by main() as well.
    resources = contextlib.ExitStack()

    def setUp(self):
        self.addCleanup(self.resources.close)
        self.cluster = self.resources.enter_context(Cluster(self.options.pontoon))
        self.leader = wait_for(self.cluster.leader, "a leader", 30)
        self.server = [name for name in self.cluster.processes if name != self.leader][0]
        self.url = self.page_url(list(self.cluster.processes).index(self.server))
        self.resources.enter_context(Load(self.options.pontoonctl, self.cluster.clients))
        self.browser.set_size(1280, 900)
        self.browser.set_media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        self.browser.open(self.url)
        self.see("#connection", "● Live")

    def tearDown(self):
        self.assertEqual(self.browser.take_console(), [], "the console is silent")
        foreign = [url for url in self.browser.take_requests() if not url.startswith(f"{self.url}/")]
        self.assertEqual(foreign, [], "no other host is asked")

    def page_url(self, place):
        if self.options.page_from_source:
            return self.resources.enter_context(ForwardingServer(self.cluster.metrics[place])).url
        return f"http://127.0.0.1:{self.cluster.metrics[place]}"

    def see(self, selector, text, seconds=ELECTION_SECONDS_MAX):
        wait_for(lambda: text in self.browser.text(selector),
                 lambda: f"{text!r} at {selector}, which is {self.browser.text(selector)!r}", seconds)

    def heir(self):
        """Who leads now; at first the others still believe in the dead leader."""
        name = self.cluster.leader()
        return None if name == self.leader else name

    def members(self):
        """The rows of the members by name."""
        return {row.split()[0]: row for row in self.browser.texts("#member-rows tr")}

    def elections(self):
        """Name and term of those who became leader, newest first."""
        found = (re.search(r"(\S+) ★ leader (\d+)", row) for row in self.browser.texts("#change-rows tr"))
        return [(one[1], int(one[2])) for one in found if one]

    def test_follows_when_the_leader_is_killed(self):
        self.see("#headline", f"{self.leader} leads")
        self.see("#summary", "3 of 3 members reachable")
        self.see("#summary", f"served by {self.server}")
        self.assertIn("this page", self.members()[self.server])
        self.assertIn("★ leader", self.members()[self.leader])
        first = wait_for(self.elections, "the first election")[0]
        self.assertEqual(first[0], self.leader)
        self.cluster.kill(self.leader)
        heir = wait_for(self.heir, "a new leader", ELECTION_SECONDS_MAX)
        self.see("#headline", f"{heir} leads")
        wait_for(lambda: self.browser.driver.title == f"Pontoon: {heir} leads", "the title")
        wait_for(lambda: "✕ unreachable" in self.members()[self.leader], lambda: f"who is dead: {self.members()}")
        self.assertIn("★ leader", self.members()[heir])
        newest = wait_for(lambda: [one for one in self.elections() if one[1] > first[1]],
                          lambda: f"a new row among the leader changes: {self.elections()}")[0]
        self.assertEqual(newest[0], heir)
        self.see("#problems", "problem")
        self.assertIn(self.leader, self.browser.text("#problem-list"))
        self.see("#connection", "● Live")

    def test_shows_load(self):
        def summary(chart):
            return self.browser.run("return document.getElementById(arguments[0]).getAttribute('aria-label')",
                                    f"{chart}-chart")
        for chart in ("traffic", "commit", "request", "log-write"):
            wait_for(lambda chart=chart: all(text not in summary(chart) for text in ("not known", "writes 0/s")),
                     lambda chart=chart: summary(chart))
        self.see("#problems", "✓ No problems")

    def test_screenshots(self):
        folder = self.options.screenshots
        if not folder:
            self.skipTest("without --screenshots")
        os.makedirs(folder, exist_ok=True)
        self.browser.run("document.querySelector('input[name=window]').click()")
        deadline = time.monotonic() + LOAD_SECONDS
        wait_for(lambda: time.monotonic() > deadline, "the load", LOAD_SECONDS + 10)
        for theme in ("light", "dark"):
            for kind, width, height in (("desktop", 1280, 800), ("phone", 360, 740)):
                path = os.path.join(folder, f"page-{kind}-{theme}.png")
                self.browser.screenshot(path, width, height, theme, mobile=kind == "phone")
                self.assertGreater(os.path.getsize(path), 10000)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pontoon", required=True, help="the server")
    parser.add_argument("--pontoonctl", required=True, help="the tool that makes the load")
    parser.add_argument("--screenshots", metavar="DIR", help="where to leave pictures of the page")
    parser.add_argument("--page-from-source", action="store_true", help="show the page of the source tree")
    return parser.parse_args()


def main():
    LivePageTest.options = read_options()
    end_on_signals()
    try:
        with Browser() as browser, LivePageTest.resources:
            LivePageTest.browser = browser
            result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False, warnings="ignore").result
    except KeyboardInterrupt:
        print("interrupted")
        return 1
    failed = len({case.id() for case, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed")
    return 1 if failed or result.testsRun == skipped else 0


if __name__ == "__main__":
    sys.exit(main())
