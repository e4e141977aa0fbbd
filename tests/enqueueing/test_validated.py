"""Jobs whose arguments are validated: by every way in, through the database, to the handler."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command

from forge_jobs import JobContext, NewJob, aenqueue, enqueue, enqueue_many, job, schedule
from forge_jobs.backoff import Fixed
from forge_jobs.checks.schedules import check_schedules
from forge_jobs.exceptions import InvalidPayload, UnreadablePayload
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.middleware import Around
from forge_jobs.models import Job, State
from forge_jobs.testing import assert_enqueued, assert_not_enqueued, frozen_at, run
from tests import running
from tests.app.models import Effect
from tests.conftest import NOON
from tests.planned import planned_schedule

pytestmark = pytest.mark.django_db(transaction=True)

KEY = UUID("6f1b7d4e-3a52-4c8f-9d0b-2e7a51c3f8d6")
DAY = date(2026, 3, 2)
STORED = {"key": str(KEY), "price": {"net": "1.10", "day": "2026-03-02"}}


class Word(Enum):
    GOOD = "good"


@dataclass
class Price:
    net: Decimal
    day: date | None = None


@dataclass
class Document:
    title: str
    _id: int = 0


PRICE = Price(Decimal("1.10"), DAY)
GIVEN = {"key": KEY, "price": PRICE}
Bill = FunctionHandler[..., Any]


@pytest.fixture
def got() -> list[Any]:
    """What the handler was called with."""
    return []


@pytest.fixture
def bill(got: list[Any]) -> Bill:
    @job(kind="tests.bill", validate=True)
    def bill(key: UUID, price: Price, *, copies: int = 1) -> None:
        got.append((key, price, copies))

    return bill


WAYS: dict[str, Callable[[Bill], object]] = {
    "by name": lambda bill: bill.enqueue(key=KEY, price=PRICE),
    "by place": lambda bill: bill.enqueue(KEY, PRICE),
    "as JSON": lambda bill: bill.enqueue(**STORED),
    "enqueue": lambda bill: enqueue("tests.bill", GIVEN),
    "aenqueue": lambda bill: async_to_sync(aenqueue)(bill, GIVEN),
    "handler.aenqueue": lambda bill: async_to_sync(bill.aenqueue)(KEY, price=PRICE),
    "using": lambda bill: bill.using(priority=5).enqueue(KEY, PRICE),
    "enqueue_many": lambda bill: enqueue_many([NewJob(bill, GIVEN)]),
    "new": lambda bill: enqueue_many([bill.new(KEY, PRICE)]),
    "handler.enqueue_many": lambda bill: bill.enqueue_many([GIVEN]),
    "a schedule": lambda bill: planned_schedule(
        kind="tests.bill", payload=STORED, next_fire_at=NOON.replace(year=2126)
    ).trigger(),
    "a command": lambda bill: call_command(
        "jobs",
        "enqueue",
        "tests.bill",
        f'{{"key": "{KEY}", "price": {{"net": "1.10", "day": "2026-03-02"}}}}',
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_handler_gets_real_objects_whichever_way_they_come(
    way: str, bill: Bill, got: list[Any]
) -> None:
    WAYS[way](bill)
    payload = Job.objects.get().payload
    running.drain()

    assert payload == STORED
    assert got == [(KEY, PRICE, 1)]
    assert Job.objects.get().state == State.SUCCEEDED


def test_a_field_whose_name_begins_with_an_underscore_arrives_as_well(got: list[Any]) -> None:
    @job(kind="tests.archive", validate=True)
    def archive(document: Document) -> None:
        got.append(document)

    archive.enqueue(Document("payroll", 42))
    running.drain()

    assert got == [Document("payroll", 42)]


@pytest.mark.parametrize(
    "way",
    [
        lambda bill: bill.enqueue(KEY, 5),
        lambda bill: enqueue("tests.bill", GIVEN | {"price": 5}),
        lambda bill: enqueue_many([bill.new(KEY, PRICE), bill.new(KEY, 5)]),
        lambda bill: bill.enqueue_many([GIVEN, GIVEN | {"price": 5}]),
        lambda bill: async_to_sync(bill.aenqueue)(KEY, 5),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    way: Callable[[Bill], object], bill: Bill
) -> None:
    with pytest.raises(InvalidPayload, match="at price, expected `object`, got `int`"):
        way(bill)

    assert not Job.objects.exists()


def test_what_a_handler_enqueues_is_validated_too(bill: Bill, got: list[Any]) -> None:
    @job(kind="tests.begin", takes_context=True, validate=True, atomic=True)
    def begin(ctx: JobContext, day: date) -> None:
        ctx.enqueue(bill, {"key": KEY, "price": Price(Decimal(ctx.attempt), day)})

    begin.enqueue(day=DAY)
    running.drain()

    assert got == [(KEY, Price(Decimal(1), DAY), 1)]


def test_an_async_handler_gets_them_too(got: list[Any]) -> None:
    @job(kind="tests.keep", validate=True, takes_context=True)
    async def keep(ctx: JobContext, day: date) -> None:
        got.append((ctx.kind, day))

    keep.enqueue(day=DAY)
    running.drain()

    assert got == [("tests.keep", DAY)]


def test_keys_are_made_of_what_is_stored() -> None:
    @job(kind="tests.keep", validate=True, concurrency_key=lambda payload: f"day {payload['day']}")
    def keep(day: date) -> None: ...

    assert keep.enqueue(DAY).concurrency_key == "day 2026-03-02"


def test_a_payload_that_no_longer_fits_is_tried_again_as_code_may_be_on_its_way() -> None:
    @job(kind="tests.keep", retry=Fixed(delay=timedelta(hours=1)))
    def keep(day: str) -> None: ...

    stored = keep.enqueue(day="next week")

    @job(kind="tests.keep", retry=Fixed(delay=timedelta(hours=1)), validate=True)
    def stricter(day: date) -> None: ...

    running.drain()
    stored.refresh_from_db()

    assert (stored.state, stored.attempt) == (State.RETRYING, 1)
    assert "The stored payload does not fit tests.keep: at day, invalid" in stored.last_error
    assert stored.errors[0]["exception"] == "forge_jobs.exceptions.UnreadablePayload"


def test_it_is_dead_at_once_if_the_handler_says_so() -> None:
    @job(kind="tests.keep")
    def keep(day: str) -> None: ...

    stored = keep.enqueue(day="next week")

    @job(kind="tests.keep", validate=True, dead_on=UnreadablePayload)
    def stricter(day: date) -> None: ...

    running.drain()
    stored.refresh_from_db()

    assert stored.state == State.DEAD


@pytest.mark.parametrize("is_async", [True, False])
def test_middleware_sees_a_payload_that_no_longer_fits(is_async: bool, settings: Any) -> None:
    seen: list[BaseException] = []

    def watch(ctx: JobContext) -> Around:
        try:
            yield
        except UnreadablePayload as error:
            seen.append(error)
            raise
        return None

    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MIDDLEWARE": [watch]}
    job(kind="tests.keep")(lambda day: None).enqueue(day="next week")

    def keep(day: date) -> None: ...

    async def akeep(day: date) -> None: ...

    job(kind="tests.keep", validate=True)(akeep if is_async else keep)
    running.drain()

    assert len(seen) == 1


def test_nothing_of_an_atomic_handler_is_written_if_it_no_longer_fits() -> None:
    job(kind="tests.keep")(lambda day: None).enqueue(day="next week")

    @job(kind="tests.keep", validate=True, atomic=True)
    def keep(day: date) -> None:
        Effect.objects.create(number=1)

    running.drain()

    assert not Effect.objects.exists()
    assert Job.objects.get().state == State.RETRYING


def test_what_is_redacted_is_hidden_in_the_error_of_a_stored_payload() -> None:
    job(kind="tests.keep")(lambda pin: None).enqueue(pin="hunter2hunter2")

    @job(kind="tests.keep", validate=True, redact=["pin"])
    def keep(pin: Word) -> None: ...

    running.drain()

    stored = Job.objects.get()
    assert "does not fit" in stored.last_error
    assert "hunter2" not in stored.last_error + str(stored.errors)


def test_a_declared_schedule_is_checked_by_the_annotations(got: list[Any]) -> None:
    @job(kind="tests.keep", validate=True, schedules=[schedule("@daily", payload={"day": "soon"})])
    def keep(day: date) -> None: ...

    (error,) = check_schedules(None)

    assert error.id == "forge_jobs.E011"
    assert "at day, invalid RFC3339 encoded date" in error.msg


def test_a_declared_schedule_fires_with_real_objects(got: list[Any]) -> None:
    @job(
        kind="tests.keep",
        validate=True,
        schedules=[schedule("0 13 * * *", timezone="UTC", payload={"day": "2026-03-02"})],
    )
    def keep(day: date) -> None:
        got.append(day)

    with frozen_at(NOON) as clock:
        clock.advance(days=1)

    assert got == [DAY]


def test_helpers_of_tests_take_real_objects(bill: Bill, got: list[Any]) -> None:
    run(bill, {"key": KEY, "price": PRICE})
    bill.enqueue(KEY, PRICE)

    assert got == [(KEY, PRICE, 1)]
    assert_enqueued(bill, price=Price(Decimal("1.1"), DAY))
    assert_enqueued(bill, key=str(KEY))
    assert_not_enqueued(bill, price=Price(Decimal("1.2"), DAY))
    with pytest.raises(InvalidPayload, match="at price"):
        assert_not_enqueued(bill, price=5)
