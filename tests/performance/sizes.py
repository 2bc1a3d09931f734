"""How much memory and disk a node takes."""

import pathlib
import re
import subprocess
import threading

LOOK_SECONDS = 0.02

def memory_mb(node, line):
    """Of /proc/PID/status: VmRSS, the highest that this was (VmHWM), or what of it is not mapped files (RssAnon)."""
    status = pathlib.Path(f"/proc/{node.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{line}:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1.024 / 1000


def forget_highest_memory(node):
    """Has VmHWM begin anew with what is resident now."""
    pathlib.Path(f"/proc/{node.pid}/clear_refs").write_text("5", encoding="ascii")


class HighestAnonymous:
    """The highest RssAnon of a node beside a block, looked at fifty times a second: the kernel does not keep it."""

    def __init__(self, node):
        self.node = node
        self.before_mb = self.mb = memory_mb(node, "RssAnon")
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.end.wait(LOOK_SECONDS):
            self.mb = max(self.mb, memory_mb(self.node, "RssAnon"))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def disk_mb(folder):
    """What is allocated, not what is only reserved or sparse. Files may come and go meanwhile."""
    done = subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) * 1.024 / 1000
