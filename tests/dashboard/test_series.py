"""Columns for charts: each thing counted once, percentiles of all runs and not of percentiles."""

from datetime import datetime, timedelta

import pytest

from forge_jobs.dashboard.series import JobSeries, finished_by_queue
from forge_jobs.dashboard.window import WINDOWS, Window
from forge_jobs.metrics.tally import COUNTS
from forge_jobs.models import Watermark
from forge_jobs.services.meter import Meter
from tests.conftest import NOON
from tests.measured import bucket, sample

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LAST_HOUR = Window.last("1h", now=NOON)
QUEUES = ("default", "other")


def at(series: JobSeries, moment: datetime) -> int:
    return (int(moment.timestamp()) - series.moments[0]) // series.step_seconds


def test_all_columns_are_as_long_as_the_moments() -> None:
    series = JobSeries.read(LAST_HOUR)

    assert series.counts.keys() == set(COUNTS)
    columns = [*series.counts.values(), *series.durations["run_time"].columns.values()]
    assert {len(column) for column in columns} == {len(series.moments)} == {60}


def test_an_empty_window_has_zeros_and_no_percentiles() -> None:
    series = JobSeries.read(LAST_HOUR)

    assert series.counts["succeeded"] == [0] * 60
    assert series.durations["latency"].columns[99] == [None] * 60
    assert series.durations["latency"].whole == {50: None, 95: None, 99: None}


def test_counts_stand_where_they_happened() -> None:
    bucket(at=NOON - 30 * MINUTE, succeeded=3, dead=1)
    bucket(at=NOON - 30 * MINUTE, succeeded=2, kind="app.effect")
    sample(at=NOON - SECOND, succeeded=1)
    series = JobSeries.read(LAST_HOUR)

    assert series.counts["succeeded"][at(series, NOON - 30 * MINUTE)] == 5
    assert series.counts["succeeded"][-1] == 1
    assert (series.totals["succeeded"], series.totals["dead"]) == (6, 1)


def test_one_queue_or_one_kind_can_be_looked_at() -> None:
    bucket(at=NOON - MINUTE, succeeded=1)
    bucket(at=NOON - MINUTE, succeeded=2, queue="other")
    sample(at=NOON - SECOND, succeeded=4, kind="app.effect")

    assert JobSeries.read(LAST_HOUR, queue="other").totals["succeeded"] == 2
    assert JobSeries.read(LAST_HOUR, kind="app.noop").totals["succeeded"] == 3
    assert JobSeries.read(LAST_HOUR, queue="default", kind="app.effect").totals["succeeded"] == 4


def test_percentiles_of_a_window_are_those_of_all_its_runs() -> None:
    bucket(at=NOON - 30 * MINUTE, seconds=(1.0,) * 98)
    bucket(at=NOON - 10 * MINUTE, seconds=(60.0, 60.0))
    series = JobSeries.read(LAST_HOUR)

    run_time = series.durations["run_time"]
    assert run_time.whole[50] == run_time.whole[95] == pytest.approx(1.0, rel=0.1)
    assert run_time.whole[99] == pytest.approx(60.0, rel=0.1)
    assert run_time.columns[50][at(series, NOON - 10 * MINUTE)] == pytest.approx(60.0, rel=0.1)


@pytest.mark.parametrize("name", WINDOWS)
def test_every_window_counts_everything_once_whatever_has_been_rolled_up(name: str) -> None:
    start = NOON - WINDOWS[name]
    moments = [start + step * WINDOWS[name] / 50 for step in range(50)]
    window = Window.last(name, now=NOON)
    expected = sum(moment >= window.start for moment in moments)
    for moment in moments:
        sample(at=moment, succeeded=1, seconds=(1.0,))
    for now in (start, NOON - WINDOWS[name] / 2, NOON, NOON + MINUTE, NOON + 3 * HOUR):
        Meter().run_once(now=now)

        series = JobSeries.read(window)
        assert series.totals["succeeded"] == expected
        columns = finished_by_queue(window, queues=QUEUES).values()
        assert sum(map(sum, columns)) == expected


def test_how_many_were_enqueued_is_unknown_until_they_are_counted() -> None:
    Watermark.objects.create(
        name="enqueued", done_id=1, seen_id=1, seen_at=NOON, done_at=NOON - 2 * MINUTE
    )
    bucket(at=NOON - 3 * MINUTE, enqueued=7)
    series = JobSeries.read(LAST_HOUR)

    assert series.counts["enqueued"][-4:] == [0, 7, None, None]


def test_a_duration_can_be_asked_for_by_its_name() -> None:
    bucket(at=NOON - MINUTE, wait='{"40":1}')
    series = JobSeries.read(LAST_HOUR, durations=["wait"])

    assert series.durations.keys() == {"wait"}
    assert series.durations["wait"].whole[50] is not None


def test_percentiles_are_told_for_each_step_and_for_the_whole() -> None:
    bucket(at=NOON - MINUTE, succeeded=1, seconds=(1.0,))
    series = JobSeries.read(LAST_HOUR)

    assert (series.step_seconds, series.totals["succeeded"]) == (60, 1)
    assert series.durations["run_time"].whole[95] == pytest.approx(1.0, rel=0.1)
    assert len(series.durations["run_time"].columns[95]) == 60


def test_small_charts_of_all_queues_come_at_once() -> None:
    bucket(at=NOON - MINUTE, succeeded=2, dead=1, retried=5)
    sample(at=NOON - SECOND, succeeded=4, queue="other")
    columns = finished_by_queue(LAST_HOUR, queues=QUEUES)

    assert columns["default"] == [0] * 59 + [3]
    assert columns["other"] == [0] * 59 + [4]
