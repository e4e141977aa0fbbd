"""A process that stops says what it waits for, and ends its patience with a last word."""

import json
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from forge_jobs.context import SHUTDOWN
from forge_jobs.models import Process
from forge_jobs.runtime.command.farewell import EVERY_SECONDS, FIRST_SECONDS, Farewell
from forge_jobs.signals import jobs_awaited
from tests.app.jobs import wait_for_cancel
from tests.running import PATIENCE, Runjobs, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def hear(**named: Any) -> None:
        heard.append(named)

    jobs_awaited.connect(hear)
    yield heard
    jobs_awaited.disconnect(hear)


def test_it_speaks_soon_then_every_few_seconds_and_once_when_time_is_up(
    told: list[dict[str, Any]],
) -> None:
    stored = wait_for_cancel.enqueue(seconds=PATIENCE)
    subject = engine()
    with running(subject):
        eventually(lambda: bool(subject.workers.runs()))
        (run,) = subject.workers.runs()
        farewell = Farewell(subject.workers, timeout=timedelta(seconds=20))
        start = run.began_at + 10
        farewell.begin("SIGTERM", now=start)

        moments = [0, FIRST_SECONDS, FIRST_SECONDS + 1, FIRST_SECONDS + EVERY_SECONDS]
        assert [farewell.run_once(now=start + after) for after in moments] == [0, 1, 0, 1]
        assert not farewell.is_over
        run.context.cancelled.set(SHUTDOWN)
        farewell.run_once(now=start + 6)

    assert farewell.is_over
    assert [one["seconds"] for one in told] == [19.5, 14.5, 0]
    assert {one["reason"] for one in told} == {"SIGTERM"}
    ((first,), *_) = (one["awaited"] for one in told)
    assert (first.job.id, first.seconds) == (stored.pk, 10 + FIRST_SECONDS)


def test_without_jobs_it_says_nothing(told: list[dict[str, Any]]) -> None:
    farewell = Farewell(engine().workers, timeout=timedelta(seconds=20))
    farewell.begin("SIGTERM", now=0)

    assert (farewell.run_once(now=FIRST_SECONDS), farewell.is_over, told) == (0, True, [])


@pytest.mark.processes
@pytest.mark.parametrize("several", [(), ("--processes", "2")], ids=str)
def test_a_stop_tells_what_it_waits_for_and_how_to_hurry(several: tuple[str, ...]) -> None:
    stored = wait_for_cancel.enqueue(seconds=PATIENCE)

    with Runjobs("--shutdown-timeout", str(2 * PATIENCE), "--log-json", *several) as runjobs:
        eventually(lambda: Process.objects.filter(running=1).exists())  # as its heartbeat says
        runjobs.process.send_signal(signal.SIGINT)
        eventually(lambda: "waiting up to" in runjobs.output)
        runjobs.process.send_signal(signal.SIGINT)
        code, output = runjobs.wait()

    lines = [json.loads(line) for line in output.splitlines()]
    waiting, *_ = [line for line in lines if line.get("seconds_left")]
    assert code == 0
    assert waiting["jobs"] == [stored.pk]
    assert f"for 1 job: app.wait_for_cancel #{stored.pk} (for " in waiting["message"]
    assert "; a second Ctrl-C or SIGTERM gives back at once what runs" in waiting["message"]
