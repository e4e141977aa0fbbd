"""Columns of how processes and the database were."""

from datetime import timedelta
from typing import Any

import pytest

from forge_jobs.dashboard.gauges import GaugeSeries
from forge_jobs.dashboard.window import Window
from forge_jobs.models import DatabaseGauge, ProcessGauge
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LAST_HOUR = Window.last("1h", now=NOON)


def gauge(age: timedelta, **columns: Any) -> None:
    usual = {
        "span_seconds": 60, "process_name": "here", "host": "tests", "cpu_percent": 50.0,
        "rss_bytes": 1_000, "busy": 1, "threads": 8, "database_seconds": 0.002, "connections": 9,
    }  # fmt: skip
    ProcessGauge.objects.create(at=NOON - age, **usual | columns)


def test_each_process_has_its_columns() -> None:
    gauge(MINUTE, cpu_percent=10.0)
    gauge(MINUTE, process_name="there", cpu_percent=20.0)
    series = GaugeSeries.read(LAST_HOUR)

    assert list(series.processes) == ["here", "there"]
    assert series.processes["here"]["cpu_percent"] == [None] * 59 + [10.0]
    assert {column[-1] for column in series.processes["there"].values()} == {
        20.0, 1_000, 1, 8, 0.002, 9,
    }  # fmt: skip


def test_within_a_step_use_is_averaged_and_what_can_run_out_is_told_at_its_most() -> None:
    gauge(50 * SECOND, cpu_percent=10.0, rss_bytes=1_000, busy=0)
    gauge(40 * SECOND, cpu_percent=20.0, rss_bytes=3_000, busy=1)
    columns = GaugeSeries.read(LAST_HOUR).processes["here"]

    assert (columns["cpu_percent"][-1], columns["busy"][-1]) == (15.0, 0.5)
    assert columns["rss_bytes"][-1] == 3_000


def test_processes_of_one_name_on_two_hosts_are_told_apart() -> None:
    gauge(MINUTE, host="one")
    gauge(MINUTE, host="two")

    assert list(GaugeSeries.read(LAST_HOUR).processes) == ["here (one)", "here (two)"]


def test_a_long_window_goes_by_few_gauges() -> None:
    gauge(MINUTE, span_seconds=60, cpu_percent=1.0)
    gauge(MINUTE, span_seconds=600, cpu_percent=2.0)
    week = Window.last("7d", now=NOON)

    assert GaugeSeries.read(week).processes["here"]["cpu_percent"][-1] == 2.0


def test_the_database_is_told_of_at_its_worst() -> None:
    for disk_free_bytes, connections in ((50, 1), (40, 7)):
        DatabaseGauge.objects.create(
            at=NOON - MINUTE, disk_free_bytes=disk_free_bytes, connections=connections
        )
    series = GaugeSeries.read(LAST_HOUR)

    assert series.database["disk_free_bytes"][-1] == 40
    assert series.database["connections"][-1] == 7
    assert series.database["size_bytes"] == [None] * 60
