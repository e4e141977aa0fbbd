"""`ctx.iterate`: every row, by primary key, from where the last run stopped."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from forge_jobs import Failed, JobContext, Snoozed, job
from forge_jobs.backoff import Fixed
from forge_jobs.exceptions import InvalidStep
from forge_jobs.models import JobStep, State
from forge_jobs.testing import FrozenClock, drain, frozen_at, run
from tests.app.models import Effect
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

AT_ONCE = Fixed(delay=timedelta(0))
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    with frozen_at(NOON) as frozen:
        yield frozen


@pytest.fixture
def numbers() -> list[int]:
    """More rows than are read at once."""
    Effect.objects.bulk_create(Effect(number=number) for number in range(450))
    return list(range(450))


def walk(queryset: QuerySet[Any], seen: list[int], *, failing: Any = (), **options: Any) -> Any:
    """A handler that fails at some numbers, each as often as it is in there."""
    left = list(failing)
    every = {"every": options.pop("every")} if "every" in options else {}

    @job(kind="tests.walk", takes_context=True, retry=AT_ONCE, **options)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(queryset, **every):
            seen.append(row.number)
            if row.number in left:
                left.remove(row.number)
                raise ConnectionError(row.number)

    return handler


def test_every_row_is_visited_once_in_the_order_of_the_keys(numbers: list[int]) -> None:
    seen: list[int] = []
    stored = walk(Effect.objects.all(), seen).enqueue()

    assert len(drain()) == 1

    stored.refresh_from_db()
    assert (stored.state, seen) == (State.SUCCEEDED, numbers)
    cursor = JobStep.objects.get()
    assert (cursor.name, cursor.value["visited"], cursor.value["is_over"]) == (
        "app.effect",
        450,
        True,
    )


def test_a_run_after_one_that_failed_begins_with_the_row_that_failed(numbers: list[int]) -> None:
    seen: list[int] = []
    walk(Effect.objects.all(), seen, failing=[3, 3, 307]).enqueue()

    drain()

    assert sorted(set(seen)) == numbers
    assert len(seen) == 450 + 3


def test_a_failure_costs_no_attempt_where_the_cursor_moved_and_one_where_it_did_not(
    numbers: list[int],
) -> None:
    seen: list[int] = []
    flaky = range(0, 450, 10)
    fine = walk(Effect.objects.all(), seen, failing=flaky, max_attempts=2).enqueue()
    assert len(drain()) == 46
    fine.refresh_from_db()
    assert (fine.state, fine.attempt) == (State.SUCCEEDED, 2)
    assert len(fine.errors) == 32

    poison = walk(Effect.objects.all(), seen, failing=[7] * 9, max_attempts=3).enqueue()
    drain()

    poison.refresh_from_db()
    assert (poison.state, poison.attempt, len(poison.errors)) == (State.DEAD, 3, 4)


@pytest.mark.usefixtures("numbers")
def test_where_it_is_is_stored_after_so_many_rows_or_so_long(clock: FrozenClock) -> None:
    places: list[int | None] = []

    @job(kind="tests.rows", takes_context=True)
    def by_rows(ctx: JobContext) -> None:
        for _ in ctx.iterate(Effect.objects.all(), every=100):
            places.append(stored_place())

    @job(kind="tests.seconds", takes_context=True)
    def by_time(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.filter(number__lt=5)):
            places.append(stored_place())
            if row.number % 2:
                clock.move_to(clock() + SECOND)

    by_rows.enqueue()
    drain()
    assert places == [None] * 100 + [100] * 100 + [200] * 100 + [300] * 100 + [400] * 50

    JobStep.objects.all().delete()
    places.clear()
    by_time.enqueue()
    drain()
    assert places == [None, None, 2, 2, 4]


def stored_place() -> int | None:
    """How many rows are done for those who look."""
    cursor = JobStep.objects.first()
    return cursor.value["visited"] if cursor else None


def test_keys_of_any_type_are_walked() -> None:
    for number in range(30):
        key = uuid.uuid5(uuid.NAMESPACE_DNS, str(number)).hex
        Session.objects.create(session_key=key, session_data="", expire_date=NOON)
    seen: list[str] = []

    @job(kind="tests.texts", takes_context=True, retry=AT_ONCE)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Session.objects.filter(expire_date=NOON), every=1):
            seen.append(row.session_key)
            if len(seen) in (5, 11):
                raise ConnectionError

    handler.enqueue()
    drain()

    assert len(seen) == 32
    assert set(seen) == set(Session.objects.values_list("pk", flat=True))


def test_what_a_handler_does_to_a_row_does_not_lead_the_walk_astray(numbers: list[int]) -> None:
    seen: list[int] = []

    @job(kind="tests.change", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.filter(pid=0), every=1):
            seen.append(row.number)
            if row.number % 3:
                Effect.objects.filter(pk=row.pk).update(pid=1)
                row.pk = None
            else:
                row.delete()

    handler.enqueue()
    drain()

    assert seen == numbers


def test_a_second_walk_over_the_same_model_needs_a_name(numbers: list[int]) -> None:
    @job(kind="tests.twice", takes_context=True)
    def handler(ctx: JobContext, *, name: str | None = None) -> int:
        first = ctx.iterate(Effect.objects.all())
        second = ctx.iterate(Effect.objects.all(), name=name)
        return len(list(first)) + len(list(second))

    assert "cursor 'app.effect' is there twice in one run" in str(run(handler, {}))
    outcome: Any = run(handler, {"name": "again"})
    assert outcome.result == 2 * len(numbers)


def test_a_walk_that_is_over_is_not_begun_again(numbers: list[int]) -> None:
    seen: list[int] = []

    @job(kind="tests.over", takes_context=True)
    def handler(ctx: JobContext) -> None:
        seen.extend(row.number for row in ctx.iterate(Effect.objects.all()))
        if not ctx.checkpoint.read(default=False):
            ctx.checkpoint.save(True)
            raise Snoozed(delay=0)

    handler.enqueue()
    assert len(drain()) == 2
    assert seen == numbers


def test_an_outcome_that_is_raised_in_the_middle_keeps_the_place(numbers: list[int]) -> None:
    seen: list[int] = []

    @job(kind="tests.snooze", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.all()):
            seen.append(row.number)
            if row.number % 100 == 50 and seen.count(row.number) == 1:
                raise Snoozed(delay=0)

    handler.enqueue()
    drain()

    assert len(seen) == len(numbers) + 4


@pytest.mark.usefixtures("numbers")
def test_a_cancelled_run_stops_after_the_row_that_it_is_at() -> None:
    seen: list[int] = []

    @job(kind="tests.cancel", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.all()):
            seen.append(row.number)
            if row.number == 9:
                ctx.cancelled.set("enough")

    stored = handler.enqueue()
    drain()
    stored.refresh_from_db()
    assert (stored.state, stored.last_error, len(seen)) == (State.CANCELLED, "enough", 10)

    stored.requeue()
    drain()

    assert seen == list(range(450))


@pytest.mark.parametrize(
    ("queryset", "told"),
    [
        (lambda: Effect.objects, "write .all()"),
        (lambda: [1, 2], "takes a queryset, not [1, 2]"),
        (lambda: Effect.objects.all()[:5], "is sliced"),
        (lambda: Effect.objects.order_by("number"), "leave out order_by()"),
        (lambda: Effect.objects.order_by("-pk"), "leave out order_by()"),
        (lambda: Effect.objects.values("number"), "gives no objects"),
        (lambda: Effect.objects.values_list("pk"), "gives no objects"),
        (lambda: Effect.objects.all().union(Effect.objects.all()), "is a union"),
        (lambda: Effect.objects.select_for_update(), "locks its rows"),
    ],
)
def test_what_cannot_be_walked_is_refused_with_what_to_do(queryset: Any, told: str) -> None:
    @job(kind="tests.refuse", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with pytest.raises(InvalidStep) as refused:
            ctx.iterate(queryset())
        assert refused.value.field == "queryset"
        assert told in str(refused.value)

    assert not isinstance(run(handler), Failed)


@pytest.mark.parametrize("every", [0, -1, True, 1.5, "1", -SECOND, None])
def test_an_interval_that_is_none_is_refused(every: Any) -> None:
    @job(kind="tests.refuse", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with pytest.raises(InvalidStep, match="every must be a number of rows"):
            ctx.iterate(Effect.objects.all(), every=every)

    assert not isinstance(run(handler), Failed)


def test_an_order_by_primary_key_and_that_of_the_model_are_no_matter() -> None:
    Group.objects.bulk_create(Group(name=name) for name in "cab")

    @job(kind="tests.order", takes_context=True)
    def handler(ctx: JobContext) -> list[str]:
        groups = Group.objects.order_by("id").distinct()
        return [row.name for row in ctx.iterate(groups)]

    outcome: Any = run(handler)
    assert outcome.result == ["c", "a", "b"]


def test_a_place_that_is_no_key_any_more_is_told(numbers: list[int]) -> None:
    seen: list[int] = []
    stored = walk(Effect.objects.all(), seen, failing=[5], max_attempts=2).enqueue()
    drain(max_jobs=1)
    cursor = JobStep.objects.get(job_id=stored.pk)
    cursor.value["after"] = "f00"
    cursor.save()

    drain()

    stored.refresh_from_db()
    assert "stopped after 'f00', which is no key of app.Effect" in stored.last_error


def test_a_run_that_uses_none_of_it_asks_nothing() -> None:
    @job(kind="tests.plain", takes_context=True)
    def handler(ctx: JobContext) -> bool:
        return ctx.has_kept

    stored = handler.enqueue()
    with CaptureQueriesContext(connection) as queries:
        drain()

    stored.refresh_from_db()
    assert stored.result is False
    assert not [query for query in queries if "jobstep" in query["sql"]]
