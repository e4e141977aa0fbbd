"""Two leaders for a moment: whatever both of them sum up is counted once."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connections

from forge_jobs.models import MetricBucket, MetricSample, Watermark
from forge_jobs.models import metrics as module
from forge_jobs.services.meter import Meter
from tests.conftest import NOON
from tests.measured import counted
from tests.rows import stored_job
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SAMPLES = 400


def at_once(act: Callable[[], object], *, threads: int = 3) -> None:
    start, errors = Barrier(threads), list[BaseException]()

    def run() -> None:
        try:
            start.wait(PATIENCE)
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    racers = [Thread(target=run) for _ in range(threads)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(PATIENCE)
    assert not any(racer.is_alive() for racer in racers)
    assert not errors


def test_samples_are_rolled_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 50)
    MetricSample.objects.bulk_create(
        MetricSample(
            at=NOON + number * SECOND, queue="default", kind="app.noop", succeeded=1, dead=2
        )
        for number in range(SAMPLES)
    )

    def roll() -> None:
        while Meter().run_once(now=NOON + 5 * HOUR):
            pass

    at_once(roll)

    assert not MetricSample.objects.exists()
    assert counted() == {"succeeded": SAMPLES, "dead": 2 * SAMPLES}
    left = MetricBucket.objects.filter(is_summed=False)
    assert {bucket.span_seconds for bucket in left} == {3_600}


def test_enqueued_jobs_are_counted_once() -> None:
    Watermark.objects.count_enqueued(now=NOON)
    for _ in range(20):
        stored_job()
    Watermark.objects.count_enqueued(now=NOON + 10 * SECOND)
    at_once(lambda: Meter().run_once(now=NOON + 20 * SECOND))

    assert counted() == {"enqueued": 20}
