"""A pool of children that do what they are told, and a look at what is left of them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from forge_jobs import JobHandler, Outcome, register
from forge_jobs.children.guardian import guardian
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers import SubprocessPool
from forge_jobs.runtime.running.run import Run
from forge_jobs.testing import run

TORTURED = Path(__file__).with_name("tortured.py")

Made = Callable[..., SubprocessPool]


@pytest.fixture
def pool() -> Iterator[Made]:
    """Makes pools, whose children and their pipes must all be gone in the end."""
    itself = psutil.Process()
    descriptors, processes = itself.num_fds(), {*itself.children(recursive=True)}
    made: list[SubprocessPool] = []

    def make(*words: str, **options: Any) -> SubprocessPool:
        options = {"size": 1, "max_attempts": 1, **options}
        program = [sys.executable, "-S", str(TORTURED), *words]
        made.append(register(SubprocessPool("tests.pool", program, **options)))
        return made[-1]

    yield make
    for one in made:
        one.pool.stop()
    guardian.leave()
    assert {*itself.children(recursive=True)} <= processes
    assert itself.num_fds() <= descriptors


def tell(pool: SubprocessPool, do: str, **payload: Any) -> Outcome:
    """What a job comes to that tells its child to do this."""
    return run(pool, {"do": do, **payload})


def claimed(
    pool: JobHandler, payload: dict[str, Any], *, timeout: float | None = None, pk: int = 0
) -> Run:
    """A run that a worker can begin."""
    row = (pk, "default", pool.kind, json.dumps(payload), "{}", 0, None, 1, 1, timeout)
    job = ClaimedJob(*row, claimed_at="then")
    return Run(job, process_name="tested")
