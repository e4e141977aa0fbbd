"""Totals: what was counted stays counted, of as many kinds as a reader has room for."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from forge_jobs.dashboard.counted import Counted
from forge_jobs.metrics.tally import Work
from forge_jobs.models import MetricSample, MetricTotal
from forge_jobs.models import metric_total as module
from forge_jobs.models.metric_total import OTHER
from forge_jobs.services.meter import Meter
from forge_jobs.services.thinner import Thinner
from tests.conftest import NOON
from tests.measured import sample

pytestmark = pytest.mark.django_db

NOOP = Work("default", "app.noop")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def _room_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("forge_jobs.models.metric_total.MOST", "forge_jobs.dashboard.counted.MOST"):
        monkeypatch.setattr(place, 2)


def roll(*, at: datetime = NOON) -> None:
    Meter().run_once(now=at + MINUTE)


def succeeded() -> dict[str, int]:
    return {work.kind: counts["succeeded"] for work, counts in Counted.read().counts.items()}


def ran(kind: str, **columns: Any) -> None:
    sample(kind=kind, succeeded=1, **columns)


def test_what_is_not_summed_up_yet_counts_as_much_as_what_is() -> None:
    sample(succeeded=2, seconds=(0.1, 0.2))
    roll()
    sample(succeeded=1, dead=1, seconds=(0.1, 0.1))

    counted = Counted.read()
    assert +counted.counts[NOOP] == {"succeeded": 3, "dead": 1}
    assert len(counted.run_times[NOOP]) == 4


def test_summing_up_changes_no_count() -> None:
    for kind in ("app.one", "app.two"):
        sample(kind=kind, succeeded=2, seconds=(0.1, 0.2))
    before = Counted.read()
    roll()

    assert not MetricSample.objects.exists()
    assert Counted.read() == before


def test_a_queue_and_kind_has_one_row_however_often_it_is_summed_up() -> None:
    for minutes in range(3):
        sample(at=NOON + minutes * MINUTE, succeeded=1)
        roll(at=NOON + minutes * MINUTE)

    assert MetricTotal.objects.get().succeeded == 3


def test_totals_outlast_all_that_they_were_summed_up_from() -> None:
    sample(succeeded=3)
    roll()
    Thinner().run_once(now=NOON + 400 * DAY)

    assert succeeded() == {"app.noop": 3}


def test_totals_hold_more_than_any_bucket() -> None:
    for _ in range(3):
        sample(succeeded=2_000_000_000)
    Meter().run_once(now=NOON)  # before their time
    MetricTotal.objects.add(MetricSample.objects.values(), at=NOON)

    assert MetricTotal.objects.get().succeeded == 6_000_000_000


@pytest.mark.usefixtures("_room_for_two")
class TestMoreKindsThanThereIsRoomFor:
    def test_kinds_that_come_late_are_counted_together(self) -> None:
        ran("app.a")
        ran("app.b")
        roll()
        for kind in ("app.a", "app.c", "app.d"):
            ran(kind)
        roll()

        assert succeeded() == {"app.a": 2, "app.b": 1, OTHER: 2}

    def test_each_queue_has_others_of_its_own(self) -> None:
        ran("app.a")
        ran("app.b")
        roll()
        ran("app.c")
        ran("app.c", queue="other")
        roll()

        assert {work for work in Counted.read().counts if work.kind == OTHER} == {
            Work("default", OTHER),
            Work("other", OTHER),
        }

    def test_of_new_kinds_nothing_is_told_that_might_have_to_be_taken_back(self) -> None:
        ran("app.a")
        roll()
        ran("app.a")
        ran("app.b")
        assert succeeded() == {"app.a": 2, "app.b": 1}
        ran("app.c")

        assert succeeded() == {"app.a": 2}

    def test_ten_thousand_kinds_are_as_many_rows_as_there_is_room_for(self) -> None:
        MetricSample.objects.bulk_create(
            MetricSample(at=NOON, queue="default", kind=f"app.{number}", succeeded=1)
            for number in range(10_000)
        )
        roll()

        assert MetricTotal.objects.count() == module.MOST + 1
        assert sum(succeeded().values()) == 10_000
