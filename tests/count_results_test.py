#!/usr/bin/env python3
"""Tests of count_results.py."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import count_results
from count_results import Counts, count_cases, count_events, count_program, count_run

GTEST_XML = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" name="AllTests">
  <testsuite name="A" tests="4">
    <testcase name="Good" status="run" result="completed" classname="A" />
    <testcase name="Bad" status="run" result="completed" classname="A">
      <failure message="x" type=""></failure>
    </testcase>
    <testcase name="Off" status="notrun" result="suppressed" classname="A" />
    <testcase name="Skipped" status="run" result="skipped" classname="A">
      <skipped message="no"></skipped>
    </testcase>
  </testsuite>
</testsuites>"""

BAZEL_XML = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="x/y" tests="1" failures="0" errors="1">
    <testcase name="x/y" status="run" duration="1" time="1">
      <error message="exited with error code 1"></error>
    </testcase>
  </testsuite>
</testsuites>"""


class CountCasesTest(unittest.TestCase):
    def test_gtest(self):
        self.assertEqual(count_cases(GTEST_XML), Counts(passed=1, failed=1, skipped=2))

    def test_bazels_own(self):
        self.assertEqual(count_cases(BAZEL_XML), Counts(failed=1))


class CountProgramTest(unittest.TestCase):
    def test_without_xml(self):
        self.assertEqual(count_program(False, None), Counts(failed=1))
        self.assertEqual(count_program(True, None), Counts(passed=1))

    def test_cut_off_xml(self):
        self.assertEqual(count_program(False, GTEST_XML[:200]), Counts(failed=1))

    def test_failed_after_its_last_case(self):
        all_good = GTEST_XML.replace('<failure message="x" type=""></failure>', "")
        self.assertEqual(count_program(False, all_good), Counts(passed=2, failed=1, skipped=2))


class CountEventsTest(unittest.TestCase):
    def setUp(self):
        file, self.xml_path = tempfile.mkstemp()
        os.write(file, GTEST_XML.encode())
        os.close(file)

    def tearDown(self):
        os.unlink(self.xml_path)

    def configured(self, label, kind="cc_test rule"):
        return json.dumps({"id": {"targetConfigured": {"label": label}},
                           "configured": {"targetKind": kind}})

    def result(self, label, status):
        output = {"name": "test.xml", "uri": "file://" + self.xml_path}
        return json.dumps({"id": {"testResult": {"label": label}},
                           "testResult": {"status": status, "testActionOutput": [output]}})

    def test_a_whole_run(self):
        counts, never_ran = count_events([
            self.configured("//a:lib", "cc_library rule"),
            self.configured("//a:ran_test"),
            self.configured("//a:broken_test", "sh_test rule"),
            self.result("//a:ran_test", "FAILED"),
        ])
        self.assertEqual(never_ran, ["//a:broken_test"])
        self.assertEqual(counts, Counts(passed=1, failed=2, skipped=2))

    def test_a_run_that_failed_counts_at_least_one(self):
        passed = self.result("//a:ran_test", "PASSED")
        self.assertEqual(count_run([], 0), (Counts(failed=1), ["no test was run"]))
        self.assertEqual(count_run([], 1), (Counts(failed=1), ["bazel failed with exit code 1"]))
        self.assertEqual(count_run([passed], 3)[0].failed, 1)

    def test_a_line_that_is_cut_off_is_a_failure(self):
        passed = self.result("//a:ran_test", "PASSED")
        counts, remarks = count_run([passed, self.result("//a:test", "PASSED")[:30]], 0)
        self.assertEqual((counts.passed, counts.failed), (1, 2))
        self.assertEqual(remarks, [])

    def test_several_runs_are_added(self):
        # The second run did not get as far as the test that passed in the first.
        runs = [([self.configured("//a:test"), self.result("//a:test", "FAILED")], "3"),
                ([self.configured("//a:test")], "1")]
        arguments = []
        with tempfile.TemporaryDirectory() as folder:
            for lines, bazel_exit in runs:
                events = os.path.join(folder, str(len(arguments)))
                with open(events, "w", encoding="utf-8") as file:
                    file.write("\n".join(lines))
                arguments += ["--run", events, bazel_exit]
            done = subprocess.run([sys.executable, count_results.__file__, *arguments],
                                  stdout=subprocess.PIPE, encoding="utf-8", check=False)
        self.assertEqual(done.stdout.splitlines(),
                         ["//a:test could not be built or run", "2 skipped", "1 passed, 2 failed"])
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
