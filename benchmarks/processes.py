"""Starts contestants in processes of their own and reads what they report."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

from benchmarks.contestants import Entry

LIMIT_SECONDS = 300
ROOT = Path(__file__).parent.parent


class ContestantFailed(Exception):
    """Carries the end of what the process wrote to its standard error."""


class Running:
    def __init__(self, process: subprocess.Popen[str], log: IO[bytes]) -> None:
        self.process = process
        self.log = log
        self.system = psutil.Process(process.pid)

    def report(self) -> dict[str, Any]:
        """Wait for the next report; raises `ContestantFailed` if the process ends first."""
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise ContestantFailed(self.log.read().decode()[-3000:])
        return json.loads(line)

    def rss_mib(self) -> float:
        return self.system.memory_info().rss / 2**20

    def cpu_seconds(self) -> float:
        """The processor time that it has used."""
        return sum(self.system.cpu_times()[:2])

    def cpu_percent(self, *, seconds: float) -> float:
        """The part of one core that it uses while we sleep."""
        before = self.cpu_seconds()
        time.sleep(seconds)
        return 100 * (self.cpu_seconds() - before) / seconds


@contextmanager
def running(entry: Entry, verb: str, number: int, *, url: str) -> Iterator[Running]:
    """Start a contestant, and end it when the block does, or after five minutes."""
    command = [sys.executable, "-m", "benchmarks.contestants", entry.name, verb, str(number)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(entry, url),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        deadline = threading.Timer(LIMIT_SECONDS, process.kill)
        deadline.start()
        try:
            yield Running(process, log)
        finally:
            deadline.cancel()
            process.kill()
            process.wait()
            process.stdout.close()


def run(entry: Entry, verb: str, number: int = 0, *, url: str) -> float:
    """Let a contestant do one thing to its end; returns the seconds that it measured."""
    with running(entry, verb, number, url=url) as process:
        while "seconds" not in (report := process.report()):
            pass
        process.process.wait()
        return report["seconds"]


def environment(entry: Entry, url: str) -> dict[str, str]:
    return os.environ | {
        "BENCHMARK_DATABASE_URL": url,
        "BENCHMARK_PROGRAM": entry.program,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "PYTHONWARNINGS": "ignore",
    }
