#!/usr/bin/env python3
"""Proves the tests: breaks one rule of Pontoon at a time, and sees that a test fails.

The mutants are in mutants.toml: each names a rule, a place in the sources with what is put there
instead, and its killer, the test that must fail with that. The sources themselves are never
touched: a mutant is built in a copy of the tree (of the files that git knows, as they are now).

Killers:
  sim A..B       the simulator with these seeds, up to the first that fails
  random A..B    the random test of the core with these seeds
  scenario NAME  one golden scenario of the core
  test TARGET    a test program
"""

import argparse
import dataclasses
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "mutants.toml"
TABLE = "docs/simulation.md"
TABLE_BEGIN = "<!-- mutants: written by tests/mutants/run.py --update-table -->"
TABLE_END = "<!-- end of mutants -->"
KILL_SECONDS_MAX = 600
# The server that builds in the copy ends by itself when nobody needs it any more.
BAZEL_IDLE_SECONDS_MAX = 300
# Of gtest: the last case that began, perhaps before a failed check ended the process.
LAST_CASE = r"\A.*^\[ RUN      \] (?:Scenario\.)?(\S+)"


@dataclasses.dataclass(frozen=True)
class Edit:
    """One place in the sources, and what a mutant has there instead."""

    file: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    rule: str  # what is broken, in words
    edits: list
    killer: str
    kill: str  # what was seen to fail; empty: not recorded yet
    pitfall: str = ""  # in the list of faults that other systems had


@dataclasses.dataclass(frozen=True)
class Killer:
    """A test that is to fail."""

    target: str
    arguments: list
    # What its output says when it failed, the best first: the group is a name for the failure.
    signs: list

    def failure_in(self, output):
        found = (re.search(sign, output, re.MULTILINE | re.DOTALL) for sign in self.signs)
        return next((match.group(1) for match in found if match), None)


def load(path):
    with open(path, "rb") as file:
        records = tomllib.load(file)["mutant"]
    return [
        Mutant(
            name=record["name"],
            rule=record["rule"],
            edits=[
                Edit(edit["file"], edit["old"], edit["new"])
                for edit in [record] + record.get("more", [])
            ],
            killer=record["killer"],
            kill=record["kill"],
            pitfall=record.get("pitfall", ""),
        )
        for record in records
    ]


def killer_of(mutant, jobs):
    kind, _, rest = mutant.killer.partition(" ")
    if kind == "sim":
        arguments = ["--seeds", rest, "--jobs", str(jobs), "--failures", "1"]
        return Killer("//tests/sim:sim", arguments, [r"^FAILED: [^\n]*--(seed \d+)"])
    if kind == "random":
        return Killer("//raft/core:random_test", [f"--seeds={rest}"], [r"\b(seed \d+)"])
    if kind == "scenario":
        arguments = [f"--gtest_filter=Scenario.{rest}"]
        return Killer("//raft/core:scenario_test", arguments, [LAST_CASE])
    if kind == "test":
        return Killer(rest, [], [r"^\[  FAILED  \] ([\w./]+)", LAST_CASE])
    raise ValueError(f"{mutant.name}: a killer of an unknown kind: {mutant.killer}")


def faults_in(mutants, root):
    """What is wrong with the list itself, in words."""
    faults = []
    names = [mutant.name for mutant in mutants]
    faults += [f"{name}: a second one of this name" for name in set(names) if names.count(name) > 1]
    for mutant in mutants:
        try:
            killer_of(mutant, jobs=1)
        except ValueError as error:
            faults.append(str(error))
        for edit in mutant.edits:
            path = root / edit.file
            if not path.is_file():
                faults.append(f"{mutant.name}: {edit.file} is not there")
                continue
            count = path.read_text().count(edit.old)
            if count != 1:
                faults.append(f"{mutant.name}: {edit.file} has {count} times {edit.old!r}")
            if edit.old == edit.new:
                faults.append(f"{mutant.name}: changes nothing in {edit.file}")
    return faults


class Workbench:
    """A copy of the tree in which mutants are built."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, edits):
        """Makes the copy equal to the tree, but for the edits. What is equal keeps its time."""
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=self.root, check=True, capture_output=True
        )
        names = {name for name in os.fsdecode(listed.stdout).split("\0") if name}
        for name in sorted(names):
            if not (self.root / name).is_file():
                continue
            content = (self.root / name).read_bytes()
            for edit in edits:
                if edit.file == name:
                    content = content.replace(edit.old.encode(), edit.new.encode())
            self._write(self.folder / name, content, (self.root / name).stat().st_mode)
        self._remove_others(names)

    @staticmethod
    def _write(path, content, mode):
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def _remove_others(self, names):
        for folder, subfolders, files in os.walk(self.folder):
            subfolders[:] = [name for name in subfolders if not name.startswith("bazel-")]
            for file in files:
                path = pathlib.Path(folder, file)
                if str(path.relative_to(self.folder)) not in names:
                    path.unlink()

    def build(self, target):
        """The path of the program, or None and what went wrong."""
        built = subprocess.run(
            ["bazel", f"--max_idle_secs={BAZEL_IDLE_SECONDS_MAX}", "build", target],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if built.returncode != 0:
            return None, built.stdout
        package, _, name = target.removeprefix("//").partition(":")
        return self.folder / "bazel-bin" / package / name, built.stdout


def run_limited(command, folder, seconds):
    """The exit code, or None after `seconds`; and the output."""
    program = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    )
    try:
        output, _ = program.communicate(timeout=seconds)
        return program.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        output, _ = program.communicate()
        return None, output


def kill(mutant, bench, jobs):
    """Builds the mutant and runs its killer. The failure's name if it is killed, else None."""
    begin = time.monotonic()
    killer = killer_of(mutant, jobs)
    bench.put(mutant.edits)
    program, output = bench.build(killer.target)
    if program is None:
        print(f"{mutant.name}: does not build\n{output[-3000:]}", flush=True)
        return None
    built = time.monotonic()
    runfiles = pathlib.Path(f"{program}.runfiles", "pontoon")
    code, output = run_limited([program] + killer.arguments, runfiles, KILL_SECONDS_MAX)
    failure = killer.failure_in(output) if code not in (0, None) else None
    reason = re.search(r"check failed: (.{1,160})", output)
    print(
        f"{mutant.name}: {f'killed by {failure}' if failure else 'LIVES'} "
        f"(built in {built - begin:.0f} s, ran {time.monotonic() - built:.0f} s)"
        + (f"\n    {reason.group(1)}" if failure and reason else ""),
        flush=True,
    )
    if failure is None:
        print(output[-1500:], flush=True)
    return failure


def record_kill(path, name, failure):
    """Writes into the list what was seen to fail."""
    blocks = re.split(r"(?m)^(?=\[\[mutant\]\]$)", path.read_text())
    mine = re.compile(rf'^name = "{re.escape(name)}"$', re.MULTILINE)
    blocks = [
        re.sub(r'(?m)^kill = ".*"$', f'kill = "{failure}"', block) if mine.search(block) else block
        for block in blocks
    ]
    path.write_text("".join(blocks))


def table_of(mutants):
    rows = ["| broken rule | seen in | killed by |", "|---|---|---|"]
    for mutant in mutants:
        if not mutant.kill:
            continue  # nobody has seen it die
        killed_by = mutant.killer
        if mutant.kill not in mutant.killer:
            killed_by += f": {mutant.kill}"
        rows.append(f"| {mutant.rule} | {mutant.pitfall} | {killed_by} |")
    return "\n".join(rows)


def update_table(mutants, path):
    text = path.read_text()
    before, begin, rest = text.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the table")
    path.write_text(f"{before}{begin}\n{table_of(mutants)}\n{end}{after}")


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="print the mutants")
    what.add_argument(
        "--check", action="store_true", help="see that each edit has one place; builds nothing"
    )
    what.add_argument("--mutant", action="append", metavar="NAME", help="kill this one; repeatable")
    what.add_argument("--all", action="store_true", help="kill all")
    what.add_argument(
        "--update-table",
        action="store_true",
        help=f"write the list into {TABLE}, between its marks",
    )
    parser.add_argument(
        "--record", action="store_true", help="note in the list which seed or test failed"
    )
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path(tempfile.gettempdir(), "pontoon-mutants"),
        help="the folder of the copy; kept, so that the next build is quick (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="processes of the simulator"
    )
    return parser.parse_args(arguments)


def kill_all(mutants, options, root):
    bench = Workbench(root, options.work)
    living = []
    for mutant in mutants:
        failure = kill(mutant, bench, options.jobs)
        if failure is None:
            living.append(mutant.name)
        elif options.record:
            record_kill(LIST, mutant.name, failure)
    print(f"{len(mutants) - len(living)} of {len(mutants)} mutants killed")
    for name in living:
        print(f"LIVES: {name}")
    return 1 if living else 0


def main(arguments):
    options = parse(arguments)
    root = HERE.parent.parent
    mutants = load(LIST)
    faults = faults_in(mutants, root)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    if options.check:
        print(f"{len(mutants)} mutants, each with its place in the sources")
        return 0
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:32} {mutant.killer:36} {mutant.rule}")
        return 0
    if options.update_table:
        update_table(mutants, root / TABLE)
        return 0
    if options.mutant:
        unknown = set(options.mutant) - {mutant.name for mutant in mutants}
        if unknown:
            print(f"unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
            return 2
        mutants = [mutant for mutant in mutants if mutant.name in options.mutant]
    return kill_all(mutants, options, root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
