"""What the charts draw: jobs a minute, durations, and a line for each process."""

import json
from datetime import timedelta

import pytest

from forge_jobs.dashboard import charts
from forge_jobs.dashboard.charts import Choice
from forge_jobs.dashboard.gauges import GaugeSeries
from forge_jobs.dashboard.series import JobSeries
from forge_jobs.dashboard.window import Window
from forge_jobs.models import MetricSample
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def jobs_chart() -> charts.Chart:
    window = Window.last("5m", now=NOON)
    return charts.of_jobs(JobSeries.read(window), now=NOON)["jobs"]


def test_jobs_are_told_by_the_minute_and_what_has_just_begun_by_its_own_length() -> None:
    MetricSample.objects.create(
        at=NOON - 15 * SECOND, queue="default", kind="app.noop", succeeded=5
    )
    succeeded = next(line for line in jobs_chart()["series"] if line["tone"] == "succeeded")

    assert max(succeeded["values"]) == 30  # five in ten seconds


def test_everything_that_is_drawn_is_json() -> None:
    assert json.loads(json.dumps(jobs_chart()))["unit"] == "count"


def test_of_very_many_processes_those_are_drawn_that_were_heard_of_last() -> None:
    names = ("database_seconds", "rss_bytes", "cpu_percent", "connections")
    nothing: dict[str, list[float | None]] = {name: [None, None] for name in names}
    latest = [f"new {number}" for number in range(charts.MOST_LINES)]
    gauges = GaugeSeries(
        moments=[0, 60],
        step_seconds=60,
        processes={
            "gone": nothing | {"busy": [1.0, None]},
            **{name: nothing | {"busy": [None, 1.0]} for name in latest},
        },
        database={name: [None, None] for name in ("size_bytes", "wal_bytes", "connections")},
    )
    drawn = charts.of_health(gauges)

    assert {line["name"] for line in drawn["busy"]["series"]} == {*latest}
    assert drawn["connections"]["series"][0]["name"] != "all"


def test_an_unknown_window_is_the_usual_one() -> None:
    assert Choice.read({"window": "century", "queue": "mail"}) == Choice("30m", "mail")
    assert Choice("1h", "mail").windows[0] == ("5m", "?window=5m&queue=mail", False)
