"""Many schedules that are due together: fired in a few statements, and as if one by one."""

import threading
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import CatchUp, Overlap
from forge_jobs.models import Job, Schedule, State
from forge_jobs.schedules import firing
from forge_jobs.services import scheduler, volley
from forge_jobs.services.scheduler import Scheduler
from tests.conftest import NOON
from tests.planned import MINUTE, SECOND, planned_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

FEW, MANY = 16, 40
DUE = NOON + MINUTE


def plant(count: int = MANY, **columns: Any) -> list[Schedule]:
    return [planned_schedule(name=f"schedule {number:03}", **columns) for number in range(count)]


def names() -> list[str]:
    """Of the schedules, in the order in which their jobs were made."""
    return [made.context["schedule"] for made in Job.objects.order_by("pk")]


def test_each_of_many_makes_its_job_and_moves_on() -> None:
    rows = plant(queue="other", priority=3, max_attempts=4, last_fired_at=NOON - MINUTE)

    assert Scheduler().run_once(now=DUE + SECOND) == MANY
    assert names() == [row.name for row in rows]
    for row, made in zip(rows, Job.objects.order_by("pk"), strict=True):
        row.refresh_from_db()
        assert (made.schedule, made.queue, made.priority, made.max_attempts) == (row, "other", 3, 4)
        assert made.context["due_at"] == DUE.isoformat()
        assert made.context["last_due_at"] == (NOON - MINUTE).isoformat()
        assert (row.last_fired_at, row.next_fire_at) == (DUE, DUE + MINUTE)


def test_how_many_they_are_costs_no_statement() -> None:
    plant(overlap=Overlap.QUEUE)
    leader = Scheduler()
    leader.run_once(now=NOON)
    with CaptureQueriesContext(connection) as few:
        leader.run_once(now=DUE)
    for number in range(100):
        planned_schedule(name=str(number), next_fire_at=DUE + MINUTE, overlap=Overlap.QUEUE)
    with CaptureQueriesContext(connection) as many:
        assert leader.run_once(now=DUE + MINUTE) == MANY + 100

    assert len(many) == len(few) < MANY


def test_two_leaders_that_saw_the_same_make_each_job_once() -> None:
    rows = plant(overlap=Overlap.QUEUE)
    seen = volley.simple(Schedule.objects.order_by("pk"), now=DUE)
    first, second = volley.fire(seen), volley.fire(seen)

    assert (len(first), second) == (MANY, [])
    assert names() == [row.name for row in rows]


@pytest.mark.django_db(transaction=True)
def test_two_leaders_at_once_make_each_job_once(manual_clock: ManualClock) -> None:
    plant(200, overlap=Overlap.QUEUE)
    manual_clock.current = DUE
    start = threading.Barrier(2)

    def lead() -> None:
        start.wait(timeout=30)
        try:
            leader = Scheduler()
            while leader.run_once(now=DUE):
                pass
        finally:
            connection.close()

    leaders = [threading.Thread(target=lead) for _ in range(2)]
    for leader in leaders:
        leader.start()
    for leader in leaders:
        leader.join(timeout=120)
    Scheduler().run_once(now=DUE)  # what one had locked, the other left

    assert sorted(names()) == [f"schedule {number:03}" for number in range(200)]


def test_one_that_was_edited_meanwhile_does_not_fire() -> None:
    edited, *others = plant()
    seen = volley.simple(Schedule.objects.order_by("pk"), now=DUE)
    edited.expression = "0 3 * * *"
    edited.save()

    assert len(volley.fire(seen)) == len(others)
    assert names() == [row.name for row in others]


def test_a_job_that_is_refused_costs_only_its_own_moment() -> None:
    bad, *others = plant()
    Schedule.objects.filter(pk=bad.pk).update(payload={"surplus": 1})

    assert Scheduler().run_once(now=DUE) == MANY
    bad.refresh_from_db()
    assert "surplus" in bad.last_error
    assert (bad.last_fired_at, bad.next_fire_at) == (None, DUE + MINUTE)
    assert names() == [row.name for row in others]


def test_what_the_database_will_not_store_costs_only_its_own_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = plant()

    def refused(*args: Any) -> None:
        raise DataError("one of them is too long")

    monkeypatch.setattr(firing, "insert_all", refused)

    assert Scheduler().run_once(now=DUE) == MANY
    assert names() == [row.name for row in rows]


def world() -> tuple[list[Any], list[Any]]:
    """All that fires leave behind."""
    columns = ("name", "next_fire_at", "is_over", "last_fired_at", "skipped", "last_skipped_at")
    jobs = Job.objects.values_list(
        "schedule__name", "idempotency_key", "dedupe_key", "run_at", "context", "state"
    )
    return (
        [*Schedule.objects.order_by("name").values_list(*columns)],
        sorted(map(str, ((str(name), *rest) for name, *rest in jobs))),
    )


@pytest.mark.parametrize("seed", range(3))
def test_together_they_leave_behind_what_they_leave_one_by_one(
    seed: int, manual_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = []
    for worth in (1, 1_000):
        monkeypatch.setattr(scheduler, "WORTH_A_VOLLEY", worth)
        random = Random(seed)
        Job.objects.all().delete()
        Schedule.objects.all().delete()
        for number in range(MANY):
            plant_one(number, random)
        leader = Scheduler()
        for moment in (NOON + MINUTE, NOON + 2 * MINUTE, NOON + 5 * MINUTE):
            manual_clock.current = moment
            leader.run_once(now=moment)
            done = Job.objects.unfinished().filter(schedule__in=range(1_000, 1_000 + FEW, 2))
            done.update(state=State.SUCCEEDED, finished_at=moment)
        worlds.append(world())

    assert worlds[0] == worlds[1]


def plant_one(number: int, random: Random) -> None:
    planned_schedule(
        pk=1_000 + number,
        name=f"schedule {number:03}",
        expression=random.choice(["* * * * *", "*/2 * * * *", "0 * * * *", "@every 30s"]),
        timezone=random.choice(["", "Europe/Berlin"]),
        overlap=random.choice(Overlap.values),
        catch_up=random.choice(CatchUp.values),
        jitter_seconds=random.choice([0.0, 40.0]),
        ends_at=random.choice([None, None, NOON + 90 * SECOND]),
        next_fire_at=random.choice([NOON + MINUTE, NOON + 30 * SECOND]),
    )


DAY = timedelta(days=1)


class Died(BaseException):
    """Nothing that a scheduler could take for a schedule's fault."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("count", "length"),
    [
        (60, timedelta(hours=1)),
        pytest.param(5_000, DAY, marks=[pytest.mark.on_demand, pytest.mark.timeout(3_600)]),
    ],
)
def test_leaders_that_die_leave_no_moment_without_a_job_and_none_with_two(
    count: int, length: timedelta, manual_clock: ManualClock
) -> None:
    random = Random(count)
    for number in range(count):
        planned_schedule(
            name=f"schedule {number:04}",
            expression=f"{random.randrange(60)},{random.randrange(60)} * * * *",
            overlap=Overlap.QUEUE,
            next_fire_at=None,
        )
    expected = {row.name: moments(row, until=NOON + length) for row in Schedule.objects.all()}
    leader = Scheduler()
    while leader.run_once(now=NOON):
        pass
    while manual_clock.current < NOON + length:
        now = manual_clock.advance(MINUTE)
        dies_at = random.randrange(1, 15) if not now.minute % 10 else None
        leader = lead(leader, now=now, dies_at=dies_at)

    made: dict[str, list[datetime]] = {name: [] for name in expected}
    for context in Job.objects.values_list("context", flat=True).order_by("pk"):
        made[context["schedule"]].append(datetime.fromisoformat(context["due_at"]))
    assert made == expected


def moments(row: Schedule, *, until: datetime) -> list[datetime]:
    found, due = [], NOON
    while (due := row.cron.after(due) or until + DAY) <= until:
        found.append(due)
    return found


def lead(leader: Scheduler, *, now: datetime, dies_at: int | None) -> Scheduler:
    """Until nothing is due; one that dies at a statement has a follower."""
    statements = 0

    def interrupt(execute: Any, *args: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == dies_at:
            raise Died
        return execute(*args)

    try:
        with connection.execute_wrapper(interrupt):
            while leader.run_once(now=now):
                pass
    except Died:
        return lead(Scheduler(), now=now, dies_at=None)
    return leader
