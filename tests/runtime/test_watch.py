"""A process that lives but takes nothing notices, and says what keeps it."""

import time
from datetime import timedelta

import pytest

from forge_jobs import JobContext, job
from forge_jobs.clock import now
from forge_jobs.runtime.engine import Engine
from tests.app.jobs import noop
from tests.running import PATIENCE, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = 90.0


@pytest.fixture
def idle() -> Engine:
    """A process whose threads do not run."""
    return engine()


def test_a_process_with_nothing_to_do_is_well(idle: Engine) -> None:
    watch = idle.watch

    assert watch.trouble(now=now()) == ""
    assert not watch.is_stuck


def test_a_fetcher_that_does_not_come_round_is_trouble(idle: Engine) -> None:
    idle.fetcher.came_round_at -= LONG_AGO
    watch = idle.watch

    assert "not got to claiming jobs for 90 s" in watch.trouble(now=now())
    assert watch.is_stuck


def test_outcomes_that_can_not_be_written_are_trouble(idle: Engine) -> None:
    idle.finalizer.busy_since = time.monotonic() - LONG_AGO
    watch = idle.watch

    assert "not got to writing outcomes for 90 s" in watch.trouble(now=now())
    assert watch.is_stuck


def test_long_jobs_are_trouble_only_if_others_wait_and_no_fault_even_then() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.cancelled.wait(PATIENCE)

    long = subject.enqueue()
    with running(engine(threads=1, shutdown_timeout=0.1)) as working:
        eventually(lambda: bool(working.workers.runs()))
        watch = working.watch
        watch.trouble(now=now())
        watch._started_at["workers"] -= LONG_AGO
        assert watch.trouble(now=now()) == ""

        noop.enqueue()
        watch._started_at["workers"] -= LONG_AGO
        assert watch.trouble(now=now()) == ""
        trouble = watch.trouble(now=now() + timedelta(seconds=LONG_AGO))
        is_stuck = watch.is_stuck  # when it stops, it is

    assert "Jobs wait, and all 1 workers have been busy" in trouble
    assert f"tests.subject #{long.pk}" in trouble
    assert not is_stuck
