"""The thinner: what was measured goes in time, the details of it first."""

from datetime import timedelta

import pytest

from forge_jobs.metrics.tally import SPANS
from forge_jobs.models import DatabaseGauge, Event, JobEvent, MetricBucket, ProcessGauge
from forge_jobs.services import thinner as module
from forge_jobs.services.thinner import Thinner
from tests.conftest import NOON
from tests.measured import bucket

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def gauge(*, age: timedelta, span: int) -> ProcessGauge:
    made: ProcessGauge = ProcessGauge.objects.create(
        at=NOON - age, span_seconds=span, process_name="here", host="tests", cpu_percent=1.0,
        rss_bytes=1, busy=0, threads=1, database_seconds=0.0, connections=1,
    )  # fmt: skip
    return made


@pytest.mark.parametrize("span", SPANS[1:])
def test_buckets_are_kept_for_thirty_days(span: int) -> None:
    kept = bucket(at=NOON - 29.9 * DAY, span=span)
    bucket(at=NOON - 30.1 * DAY, span=span)

    assert Thinner().run_once(now=NOON) == 1
    assert MetricBucket.objects.get() == kept


def test_the_shortest_buckets_are_kept_for_an_hour_if_longer_ones_have_them() -> None:
    kept = {
        bucket(at=NOON - 0.9 * HOUR, span=SPANS[0], is_summed=True),
        bucket(at=NOON - 2 * HOUR, span=SPANS[0], is_summed=False),
    }
    bucket(at=NOON - 1.1 * HOUR, span=SPANS[0], is_summed=True)

    assert Thinner().run_once(now=NOON) == 1
    assert set(MetricBucket.objects.all()) == kept


def test_of_a_process_s_gauges_the_first_of_each_minute_is_kept_for_thirty_days() -> None:
    kept = {
        gauge(age=0.9 * HOUR, span=SPANS[0]),
        gauge(age=29.9 * DAY, span=SPANS[1]),
        gauge(age=29.9 * DAY, span=SPANS[-1]),
    }
    gauge(age=1.1 * HOUR, span=SPANS[0])
    gauge(age=30.1 * DAY, span=SPANS[-1])

    assert Thinner().run_once(now=NOON) == 2
    assert set(ProcessGauge.objects.all()) == kept


def test_events_and_gauges_of_the_database_are_kept_for_thirty_days() -> None:
    for age in (29.9 * DAY, 30.1 * DAY):
        DatabaseGauge.objects.create(at=NOON - age)
        JobEvent.objects.note([1], Event.CANCELLED, at=NOON - age)

    assert Thinner().run_once(now=NOON) == 2
    assert DatabaseGauge.objects.get().at == JobEvent.objects.get().at == NOON - 29.9 * DAY


def test_a_pass_is_bounded_and_the_next_one_follows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LARGEST_PASS", 4)
    monkeypatch.setattr(module, "BATCH", 2)
    for minutes in range(7):
        bucket(at=NOON - 31 * DAY - minutes * MINUTE)
    thinner = Thinner()

    assert thinner.run_once(now=NOON) == 4
    assert thinner.rest(now=NOON) == timedelta(0)
    assert thinner.run_once(now=NOON) == 3
    assert thinner.rest(now=NOON) == thinner.interval
