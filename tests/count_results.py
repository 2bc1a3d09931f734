#!/usr/bin/env python3
"""Counts the test cases of one or more `bazel test` runs.

Reads the files that --build_event_json_file wrote and the test.xml files that they name, and ends
with one line, "N passed, N failed". The exit code is 0 only if nothing failed.

A gtest program counts with each of its cases, any other test as one case. What leaves no trace of
its own still counts as one failure: a test that could not be built, that crashed or timed out, that
failed with all its cases passed, and a build that failed before any test.
"""

import argparse
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


class Counts:
    """Test cases by what became of them."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return f"Counts({self.passed}, {self.failed}, {self.skipped})"

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def count_cases(xml_text):
    """The cases of one test.xml, as gtest or Bazel itself writes it."""
    counts = Counts()
    for case in ElementTree.fromstring(xml_text).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif case.get("status") == "notrun" or case.find("skipped") is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def count_program(passed, xml_text):
    """The cases of one test program, whose test.xml may be missing (None) or cut off."""
    try:
        counts = count_cases(xml_text or "")
    except ElementTree.ParseError:
        return Counts(passed=1) if passed else Counts(failed=1)
    if not passed and counts.failed == 0:
        counts.failed = 1
    return counts


def read_uri(uri):
    """The content of a file:// URI, or None."""
    try:
        with open(urllib.parse.unquote(urllib.parse.urlparse(uri).path), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def test_xml(result):
    """The test.xml of a testResult event, or None."""
    for output in result.get("testActionOutput", []):
        if output.get("name") == "test.xml":
            return read_uri(output.get("uri", ""))
    return None


def count_events(lines):
    """Returns the counts of a whole run, and the labels of tests that never ran."""
    counts = Counts()
    expected = set()
    seen = set()
    cut_off = 0
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            cut_off += 1  # Bazel died while it wrote
            continue
        identity = event.get("id", {})
        if "configured" in event and "_test rule" in event["configured"].get("targetKind", ""):
            expected.add(identity["targetConfigured"]["label"])
        if "testResult" in event:
            seen.add(identity["testResult"]["label"])
            result = event["testResult"]
            counts.add(count_program(result.get("status") == "PASSED", test_xml(result)))
    never_ran = sorted(expected - seen)
    counts.failed += len(never_ran) + cut_off
    return counts, never_ran


def count_run(lines, bazel_exit):
    """The counts of one run, and what to say about it. A run that failed counts at least one."""
    counts, never_ran = count_events(lines)
    remarks = [f"{label} could not be built or run" for label in never_ran]
    if bazel_exit != 0 and counts.failed == 0:
        remarks.append(f"bazel failed with exit code {bazel_exit}")
        counts.failed = 1
    if counts.passed + counts.failed == 0:
        remarks.append("no test was run")
        counts.failed = 1
    return counts, remarks


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", nargs=2, action="append", required=True,
                        metavar=("EVENTS", "EXIT"),
                        help="file written by --build_event_json_file, and exit code of bazel test")
    total = Counts()
    for events, bazel_exit in parser.parse_args().run:
        with open(events, encoding="utf-8") as lines:
            counts, remarks = count_run(lines, int(bazel_exit))
        for remark in remarks:
            print(remark)
        total.add(counts)
    if total.skipped > 0:
        print(f"{total.skipped} skipped")
    print(f"{total.passed} passed, {total.failed} failed")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
