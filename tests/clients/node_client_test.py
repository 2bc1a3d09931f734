#!/usr/bin/python3
"""Tests Pontoon with etcd3, a client of etcd for Node.js: three nodes, and node/node_client.test.js.

  tests/clients/node_client_test.py --server bazel-bin/cmd/pontoon/pontoon \\
      --pontoonctl bazel-bin/cmd/pontoonctl/pontoonctl

Needs Node.js 18 or later, and npm with its registry, from which it installs node/package-lock.json into a folder that
goes with it. With --server etcd the expectations themselves are tested: they hold for etcd, too. The last line is
"N passed, N failed".
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from processes.child import run
from processes.cluster import Cluster
from processes.signals import end_on_signals

SOURCES = pathlib.Path(__file__).resolve().parent / "node"
TEST = "node_client.test.js"
INSTALL_SECONDS_MAX = 180
TEST_SECONDS_MAX = 240
# What node's reporter "spec" says of a case: "  ✔ are deleted (21.5ms)".
RESULT = re.compile(r"^  ([✔✖]) .* \([0-9.]+ms\)$", re.MULTILINE)


class CannotRun(Exception):
    """What the tests need is not there."""


def install(folder):
    """Copies the test, and brings the packages that its lock file names. None of them runs a script then."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise CannotRun(f"there is no {program} in PATH; run this once as root:\n"
                            "  deploy/install-packages.sh --with-clients")
    for source in SOURCES.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    # With the environment as it is: a proxy may be the way to the registry.
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=INSTALL_SECONDS_MAX)
    if done.returncode != 0:
        raise CannotRun(f"npm cannot install {SOURCES}/package-lock.json; is its registry within reach?\n{done.stdout}")


def test(folder, options):
    """Runs the test beside a cluster. How many cases passed, and how many did not."""
    with Cluster(pathlib.Path(folder, "cluster"), options.server, options.pontoonctl) as cluster:
        cluster.start()
        nodes = json.dumps([{"endpoint": node.endpoint, "pid": node.pid} for node in cluster.nodes])
        done = run(["env", f"NODES={nodes}", "node", "--test-reporter=spec", pathlib.Path(folder, TEST)],
                   TEST_SECONDS_MAX)
    print(done.stdout, done.stderr, sep="", flush=True)
    # A list of failures at the end repeats them, without this indentation.
    results = RESULT.findall(done.stdout)
    passed, failed = results.count("✔"), results.count("✖")
    return passed, failed if (done.returncode == 0 and passed > 0) or failed > 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server, pontoon or etcd")
    parser.add_argument("--pontoonctl", required=True, help="the tool that looks after the nodes")
    options = parser.parse_args()
    end_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="pontoon-node-client-") as folder:
            install(folder)
            passed, failed = test(folder, options)
    except (CannotRun, AssertionError, subprocess.TimeoutExpired) as error:
        print(f"node_client_test: {error}")
        passed, failed = 0, 1
    except KeyboardInterrupt:
        print("interrupted")
        return 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
