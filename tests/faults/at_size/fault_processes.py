"""Processes that are killed, and others that sleep for shorter or longer than is allowed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.faults.at_size.conftest import Prepare, outages
from tests.faults.at_size.trial import PROCESSES
from tests.faults.servers import Server

pytestmark = pytest.mark.timeout(900)

TIMES = 10


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with ExitStack() as stack:
        on_server = request.param == "postgresql"
        yield stack.enter_context(Server.started()).url if on_server else ""


def test_a_process_may_be_killed_each_second(url: str, prepare: Prepare) -> None:
    trial = prepare(url)
    trial.enqueue()
    with trial.project.runjobs(*PROCESSES) as runjobs:
        trial.until_busy()
        for kill in range(TIMES):
            if kill == TIMES // 2:
                trial.enqueue()
            os.kill(trial.chance.choice(runjobs.pids[1:]), signal.SIGKILL)
            time.sleep(1)
        trial.resumes()
        trial.enqueue()
        trial.ends(runjobs)


@outages
def test_a_process_may_sleep_for_long(seconds: float, url: str, prepare: Prepare) -> None:
    trial = prepare(url)
    trial.enqueue()
    with trial.project.runjobs(*PROCESSES) as runjobs:
        trial.until_busy()
        sleeper = trial.chance.choice(runjobs.pids[1:])
        os.kill(sleeper, signal.SIGSTOP)
        try:
            trial.enqueue()
            time.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):
                os.kill(sleeper, signal.SIGCONT)
        trial.resumes()
        trial.enqueue()
        trial.ends(runjobs)
