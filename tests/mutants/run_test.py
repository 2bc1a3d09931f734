#!/usr/bin/env python3
"""Tests of run.py."""

import pathlib
import sys
import tempfile
import unittest

import run

RECORDS = """
[[mutant]]
name = "first"
pitfall = "B01"
rule = "A promise is broken"
killer = "sim 1..9"
kill = ""
file = "a.cc"
old = '''
  Promise();
'''
new = ''

[[mutant]]
name = "second"
rule = "Two promises are broken"
killer = "scenario votes"
kill = "votes"
file = "a.cc"
old = 'Keep(1)'
new = 'Keep(2)'

[[mutant.more]]
file = "b.cc"
old = 'Keep(3)'
new = 'Keep(4)'
"""


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.list = self.root / "mutants.toml"
        self.list.write_text(RECORDS)
        self.write("a.cc", "{\n  Promise();\n  Keep(1);\n}\n")
        self.write("b.cc", "Keep(3);\n")

    def write(self, name, text):
        (self.root / name).write_text(text)

    def faults(self):
        return run.faults_in(run.load(self.list), self.root)

    def test_loads_all_edits(self):
        first, second = run.load(self.list)
        self.assertEqual(first.edits, [run.Edit("a.cc", "  Promise();\n", "")])
        self.assertEqual(
            second.edits,
            [run.Edit("a.cc", "Keep(1)", "Keep(2)"), run.Edit("b.cc", "Keep(3)", "Keep(4)")],
        )

    def test_a_sound_list_has_no_faults(self):
        self.assertEqual(self.faults(), [])

    def test_tells_of_a_text_that_is_gone(self):
        self.write("b.cc", "Keep(5);\n")
        self.assertEqual(self.faults(), ["second: b.cc has 0 times 'Keep(3)'"])

    def test_tells_of_a_text_that_is_there_twice(self):
        self.write("b.cc", "Keep(3); Keep(3);\n")
        self.assertEqual(self.faults(), ["second: b.cc has 2 times 'Keep(3)'"])

    def test_tells_of_a_file_that_is_gone(self):
        (self.root / "b.cc").unlink()
        self.assertEqual(self.faults(), ["second: b.cc is not there"])

    def test_tells_of_names_and_killers_that_are_wrong(self):
        text = RECORDS.replace('"second"', '"first"').replace('"scenario votes"', '"prayer"')
        self.list.write_text(text)
        self.assertEqual(
            self.faults(),
            ["first: a second one of this name", "first: a killer of an unknown kind: prayer"],
        )

    def test_records_the_kill_of_one_mutant(self):
        run.record_kill(self.list, "first", "seed 7")
        self.assertEqual(self.list.read_text(), RECORDS.replace('kill = ""', 'kill = "seed 7"'))

    def test_writes_the_table_between_its_marks(self):
        run.record_kill(self.list, "first", "seed 7")
        page = self.root / "page.md"
        page.write_text(f"before\n{run.TABLE_BEGIN}\nold\n{run.TABLE_END}\nafter\n")
        run.update_table(run.load(self.list), page)
        self.assertEqual(
            page.read_text(),
            f"before\n{run.TABLE_BEGIN}\n"
            "| broken rule | seen in | killed by |\n|---|---|---|\n"
            "| A promise is broken | B01 | sim 1..9: seed 7 |\n"
            "| Two promises are broken |  | scenario votes |\n"
            f"{run.TABLE_END}\nafter\n",
        )

    def test_the_table_leaves_out_what_was_not_seen_to_die(self):
        self.assertNotIn("A promise", run.table_of(run.load(self.list)))

    def test_refuses_a_page_without_marks(self):
        self.write("page.md", "nothing\n")
        with self.assertRaises(ValueError):
            run.update_table(run.load(self.list), self.root / "page.md")

    def test_a_program_that_takes_too_long_is_ended(self):
        code, output = run.run_limited(["sh", "-c", "echo begun; sleep 100"], self.root, seconds=1)
        self.assertEqual((code, output), (None, "begun\n"))

    def test_names_what_failed(self):
        def sign(killer, output):
            return run.killer_of(run.Mutant("m", "r", [], killer, ""), 1).failure_in(output)

        failed = "ok\nFAILED: bazel run //tests/sim:sim -- --seed 12 --trace\n"
        self.assertEqual(sign("sim 1..9", failed), "seed 12")
        self.assertIsNone(sign("sim 1..9", "FAILED: something was never reached\n"))
        self.assertEqual(sign("random 1..9", "x.cc:3: Failure\nseed 4: two leaders\n"), "seed 4")
        crashed = "[ RUN      ] A.B\n[       OK ] A.B\n[ RUN      ] A.C\ncheck failed\n"
        self.assertEqual(sign("test //a:b", crashed), "A.C")
        self.assertEqual(sign("scenario votes", "[ RUN      ] Scenario.votes\nFailure\n"), "votes")
        self.assertEqual(sign("test //a:b", crashed + "[  FAILED  ] A.D (1 ms)\n"), "A.D")


if __name__ == "__main__":
    sys.exit(unittest.main())
