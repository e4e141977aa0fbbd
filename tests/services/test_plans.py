"""A plan holds as long as what it was made from, and is none of a clock that was ahead."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import CatchUp, Overlap
from forge_jobs.log import log_trouble
from forge_jobs.models import Job, Schedule
from forge_jobs.services import scheduler
from forge_jobs.services.scheduler import Scheduler
from tests.conftest import NOON
from tests.planned import HOUR, MINUTE, SECOND, due_moments, planned_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

DAY = timedelta(days=1)
YEAR = timedelta(days=365)


class Leader:
    """Has a pass whenever a test says what time it is."""

    def __init__(self, manual_clock: ManualClock) -> None:
        self.clock = manual_clock
        self.begin()

    def begin(self) -> None:
        """As another process, perhaps with other settings."""
        self.scheduler = Scheduler()

    def run(self, moment: datetime) -> None:
        self.clock.current = moment
        while self.scheduler.run_once(now=moment):
            pass


@pytest.fixture
def leader(manual_clock: ManualClock) -> Leader:
    return Leader(manual_clock)


@pytest.fixture(autouse=True)
def _logged() -> None:
    log_trouble()


def stored() -> Schedule:
    row: Schedule = Schedule.objects.get()
    return row


def every_five(**columns: Any) -> Schedule:
    usual = {"expression": "*/5 * * * *", "next_fire_at": None, "overlap": Overlap.QUEUE}
    return planned_schedule(**usual | columns)


def at(hour: float, *, day: int = 2) -> datetime:
    """UTC, in the March of NOON."""
    return datetime(2026, 3, day, tzinfo=UTC) + hour * HOUR


@pytest.mark.parametrize("ahead", [HOUR, DAY, YEAR])
@pytest.mark.parametrize("is_the_same_process", [True, False])
def test_what_a_clock_that_was_ahead_planned_is_planned_anew(
    leader: Leader,
    caplog: pytest.LogCaptureFixture,
    ahead: timedelta,
    is_the_same_process: bool,
) -> None:
    every_five()
    leader.run(NOON)
    leader.run(NOON + ahead)
    planned_for = stored().next_fire_at
    if not is_the_same_process:
        leader.begin()
    leader.run(NOON + MINUTE)

    assert planned_for == NOON + ahead + 5 * MINUTE
    assert stored().next_fire_at == NOON + 5 * MINUTE
    line = "schedules are planned anew, for the clock was ahead: 1 (every minute)"
    assert caplog.messages[-1] == line


def test_after_a_clock_that_was_ahead_every_moment_gets_its_job(leader: Leader) -> None:
    every_five()
    leader.run(NOON)
    leader.run(NOON + HOUR)
    ahead = due_moments()
    for minutes in range(0, 180, 5):
        leader.run(NOON + minutes * MINUTE + SECOND)

    moments = [NOON + minutes * MINUTE for minutes in range(5, 180, 5)]
    assert sorted(due_moments()) == moments
    assert {*ahead} < {*moments}


def test_no_window_ends_before_it_begins(leader: Leader) -> None:
    every_five()
    leader.run(NOON)
    leader.run(NOON + YEAR)
    for minutes in (1, 5, 10):
        leader.run(NOON + minutes * MINUTE)

    contexts = list(Job.objects.order_by("-pk").values_list("context", flat=True)[:2])
    assert [context["last_due_at"] for context in contexts] == [
        (NOON + 5 * MINUTE).isoformat(),
        None,
    ]
    assert stored().last_fired_at == NOON + 10 * MINUTE


def test_a_schedule_that_was_over_for_a_clock_that_was_ahead_goes_on(leader: Leader) -> None:
    every_five(ends_at=NOON + DAY)
    leader.run(NOON + YEAR)
    assert stored().is_over

    leader.run(NOON)
    assert (stored().is_over, stored().next_fire_at) == (False, NOON + 5 * MINUTE)


def test_clocks_that_differ_a_little_plan_nothing_anew(
    leader: Leader, caplog: pytest.LogCaptureFixture
) -> None:
    every_five(expression="* * * * * *")
    leader.run(NOON + 3 * SECOND)
    leader.begin()
    leader.run(NOON)

    assert not caplog.messages
    assert stored().next_fire_at == NOON + 4 * SECOND


def test_a_moment_that_nobody_planned_is_planned_anew_within_five_minutes(leader: Leader) -> None:
    every_five(expression="0 3 * * *")
    leader.run(NOON)
    Schedule.objects.update(next_fire_at=NOON + YEAR)
    for minutes in range(6):
        leader.run(NOON + minutes * MINUTE)

    assert stored().next_fire_at == at(3, day=3)


def test_so_is_one_whose_row_was_changed_behind_the_scheduler_s_back(leader: Leader) -> None:
    every_five(expression="0 3 1 1 *")
    leader.run(NOON)
    Schedule.objects.update(expression="0 3 * * *")
    leader.run(NOON + 5 * MINUTE)

    assert stored().next_fire_at == at(3, day=3)


def test_a_plan_of_older_code_is_kept_and_told_to_nobody(
    leader: Leader, caplog: pytest.LogCaptureFixture
) -> None:
    every_five(expression="0 3 * * *", next_fire_at=at(3, day=3))
    leader.run(NOON)

    assert stored().next_fire_at == at(3, day=3)
    assert stored().planned_by["wall"] == "2026-03-03T03:00:00"
    assert not caplog.messages


def test_a_plan_that_waits_to_be_looked_at_again_fires_when_it_is_due(
    leader: Leader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "LARGEST_REVISION", 1)
    for name in ("a", "b", "c"):
        every_five(name=name, next_fire_at=NOON + 5 * MINUTE)
    leader.run(NOON + 5 * MINUTE - SECOND)
    for seconds in range(3):
        leader.run(NOON + 5 * MINUTE + seconds * SECOND)

    assert due_moments() == 3 * [NOON + 5 * MINUTE]


def daily(leader: Leader, settings: Any, *, zone: str, **columns: Any) -> None:
    """At 3 in the project's zone, which it has done for a day when it is NOON."""
    settings.TIME_ZONE = zone
    every_five(expression="0 3 * * *", timezone="", **columns)
    leader.run(NOON - 3 * DAY)
    leader.run(NOON - 2 * DAY)
    leader.run(NOON - DAY)
    leader.run(NOON)
    Job.objects.all().delete()


def test_another_zone_of_the_project_makes_plans_void(
    leader: Leader, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    every_five(expression="0 3 1 1 *", timezone="")
    leader.run(NOON)
    settings.TIME_ZONE = "America/New_York"
    leader.begin()
    leader.run(NOON + MINUTE)

    assert stored().next_fire_at == datetime(2027, 1, 1, 8, tzinfo=UTC)
    why = "what they were planned from has changed"
    assert caplog.messages == [f"schedules are planned anew, for {why}: 1 (every minute)"]


@pytest.mark.parametrize("moved_at", [at(2.5), at(5), at(7.9), at(12)])
def test_moving_west_does_not_fire_twice_in_a_day(
    leader: Leader, settings: Any, moved_at: datetime
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # an hour ahead of UTC
    every_five(expression="0 3 * * *", timezone="")
    for hours in range(-48, 0):
        leader.run(moved_at + hours * HOUR)
    settings.TIME_ZONE = "America/New_York"  # five hours behind
    leader.begin()
    for hours in range(48):
        leader.run(moved_at + hours * HOUR)

    days = [moment.day for moment in due_moments() if moment >= at(0)]
    assert days == ([2, 3] if moved_at < at(8) else [2, 3, 4])
    assert due_moments()[-1].hour == 8


def test_moving_east_loses_no_day(leader: Leader, settings: Any) -> None:
    daily(leader, settings, zone="America/New_York")  # at 8 UTC
    settings.TIME_ZONE = "Asia/Tokyo"  # at 18 UTC of the day before
    leader.begin()
    for hours in range(1, 72):
        leader.run(NOON + hours * HOUR)

    assert due_moments() == [at(18), at(18, day=3), at(18, day=4)]


@pytest.mark.parametrize(("catch_up", "fires"), [(CatchUp.ONCE, [at(18)]), (CatchUp.SKIP, [])])
def test_a_time_that_the_move_skips_is_one_that_was_missed(
    leader: Leader, settings: Any, catch_up: CatchUp, fires: list[datetime]
) -> None:
    daily(leader, settings, zone="America/New_York", catch_up=catch_up)
    settings.TIME_ZONE = "Asia/Tokyo"
    leader.begin()
    leader.run(at(20))

    assert due_moments() == fires
    assert stored().next_fire_at == at(18, day=3)


def test_what_was_missed_in_the_old_zone_is_made_good_once(leader: Leader, settings: Any) -> None:
    daily(leader, settings, zone="Asia/Tokyo")
    settings.TIME_ZONE = "America/New_York"
    leader.begin()
    leader.run(at(20))  # 3 in Tokyo was at 18; in New York it is at 8 of the next day
    assert due_moments() == []

    leader.run(at(8, day=3))
    assert due_moments() == [at(8, day=3)]


def test_what_has_never_fired_does_not_fire_because_of_a_move(
    leader: Leader, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    every_five(expression="0 3 * * *", timezone="")
    leader.run(at(7))
    settings.TIME_ZONE = "Europe/Berlin"
    leader.begin()
    leader.run(at(7.5))

    assert due_moments() == []
    assert stored().next_fire_at == at(2, day=3)


def test_what_follows_elapsed_time_goes_on_through_a_move(leader: Leader, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    every_five(timezone="")
    for minutes in range(0, 65, 5):
        leader.run(NOON + minutes * MINUTE)
    settings.TIME_ZONE = "America/New_York"
    leader.begin()
    for minutes in range(65, 75, 2):
        leader.run(NOON + minutes * MINUTE)

    moments = due_moments()
    assert moments == [NOON + 5 * number * MINUTE for number in range(1, len(moments) + 1)]
    assert len(moments) == 14


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_zone_of_its_own_may_change_just_so(leader: Leader, settings: Any, zone: str) -> None:
    daily(leader, settings, zone="Europe/Berlin")
    row = stored()
    row.timezone = zone
    row.save()
    for hours in range(1, 40):
        leader.run(NOON + hours * HOUR)

    days = [moment.astimezone(row.zone).day for moment in due_moments()]
    assert days == ([3] if zone == "America/New_York" else [3, 4])


def test_rules_of_a_zone_that_have_changed_make_a_plan_void(leader: Leader) -> None:
    every_five(expression="0 3 * * *")
    leader.run(NOON)
    Schedule.objects.update(next_fire_at=at(4, day=3))  # it was to be an hour off by then
    leader.begin()
    leader.run(NOON + MINUTE)

    assert stored().next_fire_at == at(3, day=3)


def test_what_is_enabled_again_has_forgotten_what_it_waited_for(
    leader: Leader, settings: Any
) -> None:
    daily(leader, settings, zone="America/New_York")
    stored().disable()
    settings.TIME_ZONE = "Asia/Tokyo"
    leader.begin()
    leader.run(at(0, day=9))
    stored().enable()
    leader.run(at(1, day=9))

    assert due_moments() == []
    assert stored().next_fire_at == at(18, day=9)
