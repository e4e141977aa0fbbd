"""What is stored comes back as it was, on both databases: floats as floats, to the last bit."""

import math
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forge_jobs import JobHandler, enqueue_many, job
from forge_jobs.conf.schedules import schedule
from forge_jobs.enqueueing.enqueue import NewJob, enqueue
from forge_jobs.models import Job, Schedule
from tests.refusals import refused
from tests.running import drain
from tests.test_jsontext import json_values, with_lists

pytestmark = pytest.mark.django_db

FEW = settings(max_examples=50)
HARD = (1e16, 1e22, 1e23, -1e23, 1.7976931348623157e308, 5e-324, -0.0, 0.0, 1.0, 9007199254740993.0)
every_float = st.floats(allow_nan=False, allow_infinity=False)


def handler() -> JobHandler:
    @job(kind="tests.keep")
    def keep(value: Any) -> Any:
        return value

    return keep


def told_apart(value: Any) -> Any:
    """The same, with every float as its bits: `1e16 == 10**16` and `-0.0 == 0.0` otherwise."""
    match value:
        case float():
            return struct.pack("d", value)
        case list() | tuple():
            return [told_apart(item) for item in value]
        case dict():
            return {key: told_apart(item) for key, item in value.items()}
    return value


@FEW
@given(json_values(every_float))
@example({"e+": "1e+23", "-0.0": ['"-0.0', "\\", '\\"1e+16'], "a": [1e23, -0.0, {"b": 1e16}]})
@example([-0.05, -0.0, 1e-7, 10**17, -(10**400)])
def test_whatever_an_enqueue_accepts_comes_back_as_it_was(value: Any) -> None:
    keep = handler()
    one = enqueue(keep, {"value": value}, context={"value": value})
    many = enqueue_many([NewJob(keep, {"value": value}), NewJob(keep, {"value": [value]})])

    for given_to, expected in ((one.pk, value), (many.ids[0], value), (many.ids[1], [value])):
        stored = Job.objects.get(pk=given_to)
        assert told_apart(stored.payload) == {"value": told_apart(with_lists(expected))}
    assert told_apart(one.payload) == told_apart(Job.objects.get(pk=one.pk).context)


@FEW
@given(st.lists(every_float, max_size=200))
@example(list(HARD))
def test_every_float_comes_back_to_the_last_bit(numbers: list[float]) -> None:
    stored = enqueue(handler(), {"value": numbers})
    stored.refresh_from_db()

    assert told_apart(stored.payload["value"]) == told_apart(numbers)


@pytest.mark.django_db(transaction=True)
def test_a_handler_gets_the_floats_that_were_given_and_its_own_come_back() -> None:
    enqueued = enqueue(handler(), {"value": list(HARD)})
    drain()

    enqueued.refresh_from_db()
    assert told_apart(enqueued.result) == told_apart(list(HARD))


def test_the_floats_of_a_schedule_come_back_and_are_no_change_of_what_is_declared() -> None:
    @job(kind="tests.keep_scheduled")
    def keep(value: Any) -> None: ...

    declared = schedule("@daily", name="nightly", payload={"value": list(HARD)})
    columns = {"nightly": declared.of("tests.keep_scheduled").columns()}
    Schedule.objects.sow(columns)
    row = Schedule.objects.get()

    assert told_apart(row.payload["value"]) == told_apart(list(HARD))
    assert row.seed == Schedule.as_seed(columns["nightly"])


@pytest.mark.parametrize("levels", [200, 10_000])
def test_what_is_nested_too_deeply_is_refused(levels: int) -> None:
    value: Any = None
    for _ in range(levels):
        value = [value]

    error = refused(handler(), {"value": value})
    assert "payload is nested too deeply" in str(error)
    assert "200 levels" in str(error)


def test_what_is_nested_as_deeply_as_may_be_comes_back() -> None:
    value: Any = None
    for _ in range(199):
        value = [value]

    stored = enqueue(handler(), {"value": value})
    stored.refresh_from_db()
    assert stored.payload == {"value": value}


def test_a_float_that_is_none_is_refused() -> None:
    assert "payload.value[1] is inf" in str(refused(handler(), {"value": [1e308, math.inf]}))
