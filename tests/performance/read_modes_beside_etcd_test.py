#!/usr/bin/env python3
"""Tests of what read_modes_beside_etcd.py makes of its measurements."""

import contextlib
import io
import pathlib
import sys
import types
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent))
from read_modes_beside_etcd import FOLLOWERS, LEADER, MANY, cpu_us_per_read, print_report

NODES = [types.SimpleNamespace(pid=pid) for pid in (11, 12, 13)]
# Half a core for ten seconds, of which the first node has most; then two cores for five.
PUTS = {"operations": 500, "elapsed_s": 10.0, "server_cpu_us_per_op_by_pid": {"11": 6000, "12": 2000, "13": 2000}}
READS = {"operations": 50_000, "elapsed_s": 5.0, "server_cpu_us_per_op_by_pid": {"11": 30, "12": 160, "13": 10}}


class CpuOfReadsTest(unittest.TestCase):
    def test_is_that_of_all_less_that_of_the_puts(self):
        self.assertAlmostEqual(cpu_us_per_read(READS, PUTS, NODES), 200 - 50)

    def test_of_a_node_is_less_its_own_part_of_the_puts(self):
        self.assertAlmostEqual(cpu_us_per_read(READS, PUTS, NODES[:1]), 0)
        self.assertAlmostEqual(cpu_us_per_read(READS, PUTS, NODES[1:2]), 150)


def figures(rate, leader_cpu):
    return {"rate": rate, "p50": 1.4, "p99": 9.6, "cpu": 70, "leader_cpu": leader_cpu}


class ReportTest(unittest.TestCase):
    def lines(self, results):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            print_report(results)
        return out.getvalue().splitlines()

    def test_has_a_row_of_medians_for_each_load_but_the_spread_one(self):
        lines = self.lines({((MANY, LEADER), "etcd", "serializable"): [figures(rate, 60) for rate in (9, 2000, 1000)],
                            ((MANY, FOLLOWERS), "etcd", "serializable"): [figures(3000, 0)]})
        first = lines[:lines.index("")]
        self.assertEqual(first[2:], [f"| {MANY} | leader | etcd | serializable | 1000 | 1 | 10 | 70 | 60 |"])

    def test_has_the_spread_load_beside_that_at_the_leader(self):
        lines = self.lines({((MANY, LEADER), "pontoon", "FOLLOWER"): [figures(1000, 60)],
                            ((MANY, FOLLOWERS), "pontoon", "FOLLOWER"): [figures(3000, -0.2)]})
        second = lines[lines.index("") + 1:]
        self.assertEqual(second[2:], ["| pontoon FOLLOWER | 1000 | 70 | 60 | 3000 | 70 | 0 |"])

    def test_has_cells_for_all_its_headings(self):
        lines = self.lines({((MANY, place), "etcd", "serializable"): [figures(1000, 60)] for place in (LEADER, FOLLOWERS)})
        for table in (lines[:lines.index("")], lines[lines.index("") + 1:]):
            self.assertEqual(len(table), 3)
            self.assertEqual({line.count("|") for line in table}, {table[0].count("|")})


if __name__ == "__main__":
    unittest.main()
