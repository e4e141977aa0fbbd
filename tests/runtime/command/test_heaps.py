"""How much memory threads hold free, each for itself, after their process has seen to it."""

import ctypes
import os
import subprocess
import sys

import pytest

from tests.running import PATIENCE

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"),
        reason="not with this C library",
    ),
]

THREADS = 8

PROGRAM = f"""
import ctypes
from threading import Barrier, Thread
from forge_jobs.runtime.command.heaps import share_heaps

def work():
    library.malloc(1_000)
    all_are_there.wait()

share_heaps()
library = ctypes.CDLL(None)
all_are_there = Barrier({THREADS})
threads = [Thread(target=work) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.malloc_stats()
"""


def heaps(**variables: str) -> int:
    """Of a process with eight threads."""
    settled = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
    environment = {name: text for name, text in os.environ.items() if name not in settled}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return done.stderr.count("Arena ")


def test_all_threads_share_two_heaps() -> None:
    assert heaps() == 2


@pytest.mark.parametrize(
    "variables",
    [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}],
)
def test_unless_the_environment_says_how_many(variables: dict[str, str]) -> None:
    assert heaps(**variables) == 4
