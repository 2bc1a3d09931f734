"""Programs that end with the script that runs them, however it ends, and that nothing around it steers."""

import ctypes
import os
import pathlib
import signal
import subprocess

RUN_SECONDS_MAX = 120
STOP_SECONDS_MAX = 20
LOG_LINES_SHOWN = 5
PR_SET_PDEATHSIG = 1

_prctl = ctypes.CDLL(None).prctl


def _environment():
    """Without proxies, and without what sets up servers and their tools."""
    return {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")
            and not name.startswith(("PONTOON_", "PONTOONCTL_", "ETCD_", "ETCDCTL_"))}


def _options():
    """Of subprocess. The kernel kills the program when the thread that started it ends, for whatever reason;
    a Ctrl-C is for the script alone, which cleans up."""
    return {"stdin": subprocess.DEVNULL, "env": _environment(), "start_new_session": True,
            "preexec_fn": lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)}


def run(command, seconds=RUN_SECONDS_MAX):
    """Runs a program to its end. What it printed, as text, and its exit code."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds,
                          check=False, **_options())


class Child:
    """A program that runs beside the script, and may be started again when it has ended. What it prints is
    appended to a log. Start it from a thread that lives on: it ends with that thread."""

    def __init__(self, command, log):
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output, **_options())

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def expect_to_run(self):
        if not self.runs():
            lines = self.log.read_text(errors="replace").splitlines()
            raise AssertionError(f"{self.log} ends with:\n" + "\n".join(lines[-LOG_LINES_SHOWN:]))

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Lets it end by itself, also if it was suspended; kills it if it does not."""
        if not self.runs():
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.runs():
            self.process.kill()
            self.process.wait()

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE")
