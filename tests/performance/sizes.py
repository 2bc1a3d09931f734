"""How much memory and disk a node takes."""

import pathlib
import re
import subprocess


def memory_mb(node, line):
    """Of /proc/PID/status: VmRSS, or the highest that this was (VmHWM)."""
    status = pathlib.Path(f"/proc/{node.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{line}:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1.024 / 1000


def forget_highest_memory(node):
    """Has VmHWM begin anew with what is resident now."""
    pathlib.Path(f"/proc/{node.pid}/clear_refs").write_text("5", encoding="ascii")


def disk_mb(folder):
    """What is allocated, not what is only reserved or sparse. Files may come and go meanwhile."""
    done = subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) * 1.024 / 1000
