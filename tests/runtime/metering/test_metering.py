"""What running processes leave behind: samples, events, gauges; and in what trouble."""

from datetime import timedelta

import psutil
import pytest
from django.db import OperationalError
from django.utils import timezone

from forge_jobs import Failed, Snoozed, Throttled, job
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.metrics.histogram import Histogram
from forge_jobs.models import (
    Event,
    Job,
    JobEvent,
    MetricSample,
    ProcessGauge,
    Queue,
    State,
    Watermark,
)
from forge_jobs.runtime.claiming import fetcher
from forge_jobs.signals import database_trouble, service_failed
from tests.app.jobs import fail, noop, wait_for_cancel
from tests.measured import counted
from tests.running import PATIENCE, Runjobs, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _what_is_claimed_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it would be given back meanwhile, which is told of and counted."""
    monkeypatch.setattr(fetcher, "LONGEST_WAIT", PATIENCE)


def events(stored: Job) -> list[str]:
    told = JobEvent.objects.filter(job_id=stored.pk).order_by("pk")
    return list(told.values_list("event", flat=True))


def test_a_process_that_ends_leaves_nothing_unwritten() -> None:
    noop.enqueue_many([{}] * 50)
    fail.enqueue()
    drain()
    drain()

    assert counted() == {"started": 52, "succeeded": 50, "retried": 1, "dead": 1}


def test_a_job_s_events_tell_who_ran_it_for_how_long_and_why_it_failed() -> None:
    stored = fail.enqueue()
    drain()
    drain()

    assert events(stored) == [Event.STARTED, Event.RETRIED, Event.STARTED, Event.DEAD]
    dead = JobEvent.objects.get(event=Event.DEAD)
    assert (dead.process_name, dead.attempt, dead.detail) == ("tested", 2, "as it should")
    assert dead.seconds is not None
    assert dead.seconds < PATIENCE


def test_samples_tell_how_long_jobs_waited_ran_and_took_in_all() -> None:
    noop.enqueue()
    drain()

    (sample,) = MetricSample.objects.all()
    for histogram in (sample.run_time, sample.wait, sample.latency):
        assert len(Histogram.from_json(histogram)) == 1


def test_a_process_writes_while_it_runs() -> None:
    noop.enqueue()
    with running(engine()):
        eventually(lambda: counted()["succeeded"] == 1)
        eventually(lambda: JobEvent.objects.filter(event=Event.SUCCEEDED).exists())


def test_a_long_run_can_be_seen_to_have_started() -> None:
    stored = wait_for_cancel.enqueue(seconds=PATIENCE)
    with running(engine(shutdown_timeout=0.1)):
        eventually(lambda: events(stored) == [Event.STARTED])
        assert counted() == {"started": 1}

    assert events(stored) == [Event.STARTED, Event.RELEASED]


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize(
    "outcome",
    [Snoozed(delay=60), Throttled(60, scope="job"), Failed("in vain")],
    ids=["snoozed", "throttled", "failed"],
)
def test_a_run_that_would_be_repeated_but_was_cancelled_meanwhile_ended_cancelled(
    outcome: Outcome, atomic: bool
) -> None:
    @job(kind="tests.subject", atomic=atomic)
    def subject() -> Outcome:
        Job.objects.all().cancel("enough", by="ann", now=timezone.now())
        return outcome

    stored = subject.enqueue()
    drain()

    *before, last = events(stored)
    assert sorted(before) == [Event.CANCEL_REQUESTED, Event.STARTED]  # the latter may be late
    assert last == Event.CANCELLED
    assert counted() == {"started": 1, "cancelled": 1}
    assert Job.objects.get().attempt == 1


def test_a_process_s_gauge_tells_how_it_is() -> None:
    with running(engine(threads=3, async_concurrency=2)):
        eventually(lambda: ProcessGauge.objects.exists())

    gauge = ProcessGauge.objects.get()
    assert (gauge.process_name, gauge.threads, gauge.busy) == ("tested", 3 + 2, 0)
    assert gauge.rss_bytes > 2**20
    assert gauge.connections >= 1
    assert 0 <= gauge.cpu_percent <= 100 * (psutil.cpu_count() or 1) + 100


def test_jobs_that_are_forgotten_at_once_count_as_enqueued() -> None:
    Queue.objects.sow({"default": {}})
    Queue.objects.update(retain_succeeded_seconds=0)
    noop.enqueue_many([{}] * 20)
    Watermark.objects.create(
        name="enqueued",
        done_id=min(Job.objects.values_list("pk", flat=True)),
        done_at=timezone.now(),
        seen_id=0,
        seen_at=timezone.now() + timedelta(hours=1),
    )
    drain()

    assert not Job.objects.exists()
    assert counted() == {"enqueued": 19, "started": 20, "succeeded": 20}


@pytest.mark.parametrize(
    ("error", "told_of"),
    [(OperationalError("gone"), database_trouble), (ZeroDivisionError(), service_failed)],
)
def test_trouble_with_metrics_is_told_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told_of: object
) -> None:
    told: list[object] = []

    def hear(**kwargs: object) -> None:
        told.append(kwargs["error"])

    def broken(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(MetricSample.objects, "store", broken)
    told_of.connect(hear)  # type: ignore[attr-defined] # which signal depends
    noop.enqueue()
    with running(engine()) as working:
        eventually(lambda: error in told)
        noop.enqueue()
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 2)
        monkeypatch.undo()
        assert not working.failure


def test_what_an_outage_kept_back_is_written_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter(range(2))
    store = MetricSample.objects.store

    def broken(*args: object, **kwargs: object) -> int:
        for _ in refusals:
            raise OperationalError("gone")
        return int(store(*args, **kwargs))  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(MetricSample.objects, "store", broken)
    noop.enqueue()
    with running(engine()):
        eventually(lambda: counted()["succeeded"] == 1)
    assert counted() == {"started": 1, "succeeded": 1}
    assert JobEvent.objects.filter(event=Event.SUCCEEDED).count() == 1


@pytest.mark.processes
def test_a_process_that_is_killed_loses_at_most_two_seconds_of_metrics_and_no_job() -> None:
    noop.enqueue_many([{}] * 20)
    with Runjobs("--threads", "2") as runjobs:
        eventually(lambda: counted()["succeeded"] == 20)
        runjobs.kill()
    noop.enqueue()
    drain()

    assert counted()["succeeded"] == 21
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 21
