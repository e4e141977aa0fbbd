"""What handlers say that they did: a file that each run adds a line to."""

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

PATH: Final = "FORGE_JOBS_FAULTS_LEDGER"
"""The environment variable that names the file."""


class Entry(NamedTuple):
    """`at` is by the clock that no fault moves."""

    word: str
    number: int
    pid: int
    at: float


def write(word: str, number: int) -> None:
    """Add a line, in one piece, whoever else does the same."""
    line = f"{word} {number} {os.getpid()} {time.monotonic()}\n"
    file = os.open(os.environ[PATH], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


class Ledger:
    """The file as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._entries: list[Entry] = []
        self._read = 0

    def pids(self) -> set[int]:
        """Of all processes that have written anything."""
        return {entry.pid for entry in self._entries}

    def entries(self, word: str) -> list[Entry]:
        """Those of a word, in the order in which they were written."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self._entries += [_entry(line) for line in whole.decode().split("\n")]
        return [entry for entry in self._entries if entry.word == word]


def _entry(line: str) -> Entry:
    word, number, pid, at = line.split()
    return Entry(word, int(number), int(pid), float(at))
