#!/usr/bin/env python3
"""Tests of the modules in this folder that need no server."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from processes.child import Child, run
from processes.ports import START_ATTEMPTS_MAX, free_ports, start_on_free_ports
from processes.waiting import wait_for

END_SECONDS_MAX = 20
# A script that starts a program, says which, and waits for its own end.
STARTER = """
import signal, sys
sys.path.append(sys.argv[1])
from processes.child import Child
child = Child(["sleep", "60"], "/dev/null")
child.start()
print(child.pid, flush=True)
signal.pause()
"""


class ChildTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name, "log")

    def start(self, *command):
        child = Child(command, self.log)
        child.start()
        self.addCleanup(child.kill)
        return child

    def test_ends_with_its_script_when_that_is_killed(self):
        tests = str(pathlib.Path(__file__).resolve().parents[1])
        with subprocess.Popen([sys.executable, "-c", STARTER, tests], stdout=subprocess.PIPE) as script:
            watched = os.pidfd_open(int(script.stdout.readline()))
            self.addCleanup(os.close, watched)
            self.assertEqual(select.select([watched], [], [], 0)[0], [], "it runs")
            script.kill()
            self.assertEqual(select.select([watched], [], [], END_SECONDS_MAX)[0], [watched], "it has ended")

    def test_is_not_steered_from_outside(self):
        foreign = {"https_proxy": "p", "NO_PROXY": "p", "PONTOON_NAME": "n", "PONTOONCTL_OUTPUT": "json",
                   "ETCD_NAME": "n", "ETCDCTL_ENDPOINTS": "e"}
        with unittest.mock.patch.dict(os.environ, {**foreign, "KEPT": "yes"}):
            lines = run(["env"]).stdout.splitlines()
        self.assertIn("KEPT=yes", lines)
        self.assertEqual({line.partition("=")[0] for line in lines} & foreign.keys(), set())

    def test_goes_on_in_its_log_when_started_again(self):
        child = self.start("echo", "hello")
        child.process.wait()
        child.start()
        child.process.wait()
        self.assertEqual(self.log.read_text(), "hello\nhello\n")
        with self.assertRaisesRegex(AssertionError, "ends with:\nhello\nhello"):
            child.expect_to_run()

    def test_stops_also_if_suspended(self):
        child = self.start("sleep", "1000")
        child.expect_to_run()
        child.send(signal.SIGSTOP)
        child.stop()
        self.assertEqual(child.process.returncode, -signal.SIGTERM)
        child.kill()  # which changes nothing any more

    def test_has_not_run_before_its_start(self):
        child = Child(["sleep", "1000"], self.log)
        child.stop()
        child.kill()
        self.assertFalse(child.runs())


class Service:
    """Fails at its first starts."""

    def __init__(self, failures):
        self.failures = failures
        self.ports = []
        self.kills = 0

    def start_once(self):
        self.ports.extend(free_ports(1))
        if len(self.ports) <= self.failures:
            raise AssertionError(f"failure {len(self.ports)}")

    def kill(self):
        self.kills += 1


class StartOnFreePortsTest(unittest.TestCase):
    def test_tries_again(self):
        service = Service(failures=START_ATTEMPTS_MAX - 1)
        start_on_free_ports(service)
        self.assertEqual(len(service.ports), START_ATTEMPTS_MAX)
        self.assertEqual(service.kills, service.failures)

    def test_gives_up(self):
        service = Service(failures=START_ATTEMPTS_MAX)
        with self.assertRaisesRegex(AssertionError, f"failure {START_ATTEMPTS_MAX}"):
            start_on_free_ports(service)
        self.assertEqual(service.kills, START_ATTEMPTS_MAX, "nothing is left")

    def test_ports_of_one_call_differ(self):
        self.assertEqual(len(set(free_ports(20))), 20)


class WaitForTest(unittest.TestCase):
    def test_takes_failed_connections_for_not_yet(self):
        looks = unittest.mock.Mock(side_effect=[ConnectionRefusedError(), 0, "found"])
        self.assertEqual(wait_for(looks, "it"), "found")

    def test_says_what_did_not_come_and_why(self):
        looks = unittest.mock.Mock(side_effect=ConnectionRefusedError("nobody is there"))
        with self.assertRaisesRegex(AssertionError, "not within 0 s: the end: nobody is there"):
            wait_for(looks, lambda: "the end", seconds=0)

    def test_lets_other_errors_pass(self):
        with self.assertRaises(FileNotFoundError):
            wait_for(unittest.mock.Mock(side_effect=FileNotFoundError()), "it")


if __name__ == "__main__":
    unittest.main()
