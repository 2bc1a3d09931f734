"""The same measurement of etcd and of Pontoon in turns, and their medians side by side."""

import statistics
import sys

NAMES = ("etcd", "pontoon")


def order(number):
    """Both names, for a round; which comes first changes."""
    return sorted(NAMES, reverse=number % 2 == 1)


def in_turns(rounds):
    """Both names in each round."""
    for number in range(rounds):
        yield from order(number)


class Comparison:
    """Reports of one measurement. `figures` are names of numbers in a report, and words for them."""

    def __init__(self, heading, figures, unit=""):
        self.heading = heading
        self.figures = figures
        self.unit = f" ({unit})" if unit else ""
        self.reports = {name: [] for name in NAMES}

    def add(self, name, report):
        self.reports[name].append(report)
        print(f"{self.heading}, {len(self.reports[name])}: {name} {report}", file=sys.stderr, flush=True)

    def print_table(self):
        """In Markdown."""
        print(f"\n| {self.heading} | etcd{self.unit} | pontoon{self.unit} | pontoon / etcd |\n|---|---|---|---|")
        for figure, words in self.figures:
            etcd, pontoon = (statistics.median(report[figure] for report in self.reports[name]) for name in NAMES)
            ratio = f"**{pontoon / etcd:.2f}**" if etcd else ""
            print(f"| {words} | {etcd:.0f} | {pontoon:.0f} | {ratio} |", flush=True)
