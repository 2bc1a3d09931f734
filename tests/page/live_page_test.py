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
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from browser import Browser
from page_server import ForwardingServer
from processes.cluster import Cluster
from processes.signals import end_on_signals
from processes.waiting import wait_for

ELECTION_SECONDS_MAX = 15
LOAD_SECONDS = 65  # fills the window of one minute
PUTS_PER_SECOND = 20
GETS_PER_SECOND = 30


class LivePageTest(unittest.TestCase):
    options = None
    browser = None
    # A signal ends a case without its clean-up, so what must not stay is released by main() as well.
    resources = contextlib.ExitStack()

    def setUp(self):
        self.addCleanup(self.resources.close)
        folder = self.resources.enter_context(tempfile.TemporaryDirectory(prefix="pontoon-live-page-"))
        self.cluster = self.resources.enter_context(
            Cluster(folder, self.options.pontoon, self.options.pontoonctl))
        self.cluster.start()
        self.leader = self.cluster.leader()
        self.server = next(node for node in self.cluster.nodes if node is not self.leader)
        self.url = self.page_url()
        self.cluster.start_load(self.cluster.nodes, "put", PUTS_PER_SECOND)
        self.cluster.start_load(self.cluster.nodes, "get", GETS_PER_SECOND)
        self.browser.set_size(1280, 900)
        self.browser.set_media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        self.browser.open(self.url)
        self.see("#connection", "● Live")

    def tearDown(self):
        self.assertEqual(self.browser.take_console(), [], "the console is silent")
        foreign = [url for url in self.browser.take_requests() if not url.startswith(f"{self.url}/")]
        self.assertEqual(foreign, [], "no other host is asked")

    def page_url(self):
        if self.options.page_from_source:
            return self.resources.enter_context(ForwardingServer(self.server.metrics_port)).url
        return f"http://{self.server.metrics_address}"

    def see(self, selector, text, seconds=ELECTION_SECONDS_MAX):
        wait_for(lambda: text in self.browser.text(selector),
                 lambda: f"{text!r} at {selector}, which is {self.browser.text(selector)!r}", seconds)

    def members(self):
        """The rows of the members by name."""
        return {row.split()[0]: row for row in self.browser.texts("#member-rows tr")}

    def elections(self):
        """Name and term of those who became leader, newest first."""
        found = (re.search(r"(\S+) ★ leader (\d+)", row) for row in self.browser.texts("#change-rows tr"))
        return [(one[1], int(one[2])) for one in found if one]

    def test_follows_when_the_leader_is_killed(self):
        leader, server = self.leader.name, self.server.name
        self.see("#headline", f"{leader} leads")
        self.see("#summary", "3 of 3 members reachable")
        self.see("#summary", f"served by {server}")
        wait_for(lambda: self.members().keys() >= {leader, server}, lambda: f"names: {self.members()}")
        self.assertIn("this page", self.members()[server])
        self.assertIn("★ leader", self.members()[leader])
        first = wait_for(self.elections, "the first election")[0]
        self.assertEqual(first[0], leader)
        self.leader.kill()
        heir = self.cluster.leader(ELECTION_SECONDS_MAX).name
        self.see("#headline", f"{heir} leads")
        wait_for(lambda: self.browser.driver.title == f"Pontoon: {heir} leads", "the title")
        wait_for(lambda: "✕ unreachable" in self.members()[leader], lambda: f"who is dead: {self.members()}")
        self.assertIn("★ leader", self.members()[heir])
        newest = wait_for(lambda: [one for one in self.elections() if one[1] > first[1]],
                          lambda: f"a new row among the leader changes: {self.elections()}")[0]
        self.assertEqual(newest[0], heir)
        self.see("#problems", "problem")
        self.assertIn(leader, self.browser.text("#problem-list"))
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
