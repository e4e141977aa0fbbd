"""Enqueueing: where a job goes, when it runs, and what the caller gets."""

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models.signals import ModelSignal, post_init, pre_init
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from forge_jobs import aenqueue, enqueue, job
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, State
from tests.app.jobs import effect, noop
from tests.conftest import NOON
from tests.rows import columns, rolled_back
from tests.test_jsontext import json_values, with_lists

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
Declare = Callable[..., JobHandler]
# PostgreSQL's jsonb gives a float of more than 15 digits back as the whole number that it is.
values = json_values(st.floats(-1e15, 1e15))


@pytest.fixture
def declare() -> Declare:
    """Declares a job with these options, which takes any payload."""

    def declare(**options: Any) -> JobHandler:
        @job(kind="tests.declared", **options)
        def declared(**payload: Any) -> None: ...

        handler: JobHandler = declared
        return handler

    return declare


def test_a_job_is_enqueued_by_its_handler_or_by_its_kind() -> None:
    for stored in (effect.enqueue(number=1), enqueue(effect, {"number": 1})):
        assert (stored.kind, stored.payload) == ("app.effect", {"number": 1})

    assert enqueue("app.effect", {"number": 1}).kind == "app.effect"


def test_a_job_may_have_no_payload() -> None:
    assert enqueue("app.noop").payload == {}


def test_a_job_without_further_words_is_ready_in_the_default_queue_with_five_attempts() -> None:
    stored = noop.enqueue()

    assert (stored.queue, stored.state, stored.priority) == ("default", State.READY, 0)
    assert (stored.attempt, stored.max_attempts, stored.timeout_seconds) == (0, 5, None)
    assert not stored.was_deduplicated


@pytest.mark.parametrize(
    ("given", "handler_s", "router_s", "queue"),
    [
        ("images", "publish", "other", "images"),
        (None, "publish", "other", "publish"),
        (None, None, "other", "other"),
        (None, None, None, "default"),
    ],
)
def test_a_queue_is_given_or_the_handler_s_or_the_router_s_or_the_default(
    settings: Settings,
    declare: Declare,
    given: str | None,
    handler_s: str | None,
    router_s: str | None,
    queue: str,
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "ROUTER": lambda kind: router_s}

    assert declare(queue=handler_s).using(queue=given).enqueue().queue == queue


def test_the_router_is_asked_for_the_kind(settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "ROUTER": {"app.": "images", "app.n": "other"}}

    assert (noop.enqueue().queue, effect.enqueue(number=1).queue) == ("other", "images")


@pytest.mark.parametrize(("given", "priority"), [(None, 7), (0, 0), (-100, -100), (100, 100)])
def test_a_priority_is_given_or_the_handler_s(
    declare: Declare, given: int | None, priority: int
) -> None:
    assert declare(priority=7).using(priority=given).enqueue().priority == priority


def test_max_attempts_are_the_handler_s_unless_given(declare: Declare) -> None:
    assert declare(max_attempts=2).enqueue().max_attempts == 2
    assert declare(max_attempts=None).enqueue().max_attempts is None
    assert declare(max_attempts=2).using(max_attempts=3).enqueue().max_attempts == 3
    assert declare(max_attempts=2).using(max_attempts=None).enqueue().max_attempts is None


def test_max_attempts_are_the_settings_unless_the_handler_has_some(
    settings: Settings, declare: Declare
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MAX_ATTEMPTS": None}

    assert declare().enqueue().max_attempts is None


def test_a_timeout_is_the_handler_s_unless_given(declare: Declare) -> None:
    assert declare(timeout=MINUTE).enqueue().timeout_seconds == 60
    assert declare(timeout=MINUTE).using(timeout=1.5).enqueue().timeout_seconds == 1.5


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"delay": 60.25},
        {"run_at": (NOON + timedelta(days=10_000)).astimezone(timezone(timedelta(hours=-3)))},
        {"timeout": MINUTE, "max_attempts": None, "priority": -5, "queue": "other"},
        {"dedupe_key": "a", "idempotency_key": "b", "context": {"trace": ["c", {"d": None}]}},
    ],
    ids=lambda options: ", ".join(options),
)
def test_the_returned_job_equals_the_row(declare: Declare, options: Any) -> None:
    returned = declare().using(**options).enqueue(pages=[1, 2.5, None], word="Grüße 🦆")

    assert columns(returned) == columns(Job.objects.get())
    assert not returned._state.adding


def test_the_returned_job_is_made_as_django_makes_one(declare: Declare) -> None:
    declared = declare()
    job = declared.using(expires_in=60).enqueue(one=1)
    loaded = Job.objects.get(pk=job.pk)

    assert [*vars(job)] == [*vars(loaded)]
    assert {**vars(job), "_state": None} == {**vars(loaded), "_state": None}
    assert (job._state.adding, job._state.db) == (loaded._state.adding, loaded._state.db)
    assert job.errors is not declared.enqueue().errors


@pytest.mark.parametrize("signal", [pre_init, post_init])
def test_who_listens_for_rows_hears_of_the_returned_job(
    signal: ModelSignal, declare: Declare
) -> None:
    heard: list[object] = []

    def hear(sender: object, **kwargs: object) -> None:
        heard.append(sender)

    signal.connect(hear, sender=Job)
    try:
        job = declare().enqueue(one=1)
    finally:
        signal.disconnect(hear, sender=Job)

    assert heard == [Job]
    assert columns(job) == columns(Job.objects.get())


def test_tuples_are_lists_in_the_returned_job_as_they_are_in_the_row(declare: Declare) -> None:
    returned = declare().using(context={"hops": (1, 2)}).enqueue(pages=(1, (2, 3)))

    assert columns(returned) == columns(Job.objects.get())


@hypothesis(max_examples=50)
@given(values)
def test_a_payload_comes_back_from_the_database_as_it_was_given(value: Any) -> None:
    with registry.isolated():
        declared = job(kind="tests.declared")(lambda **payload: None)
        returned = declared.enqueue(value=value)

    assert Job.objects.get(pk=returned.pk).payload == {"value": with_lists(value)}


def test_enqueueing_takes_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        columns(noop.enqueue())


def test_a_job_is_visible_in_the_transaction_that_enqueued_it() -> None:
    with transaction.atomic():
        noop.enqueue()

        assert Job.objects.ready().count() == 1


def test_a_job_is_rolled_back_with_the_transaction_that_enqueued_it() -> None:
    with rolled_back():
        noop.enqueue()

    assert not Job.objects.exists()


def test_a_job_is_enqueued_from_async_code() -> None:
    assert async_to_sync(aenqueue)("app.effect", {"number": 1}, queue="other").queue == "other"
    assert async_to_sync(effect.aenqueue)(number=2).payload == {"number": 2}
    assert async_to_sync(noop.using(priority=5).aenqueue)().priority == 5


def test_a_payload_may_have_any_name_in_async_code() -> None:
    @job(kind="tests.named")
    def named(self: int, func: int) -> None: ...

    async def enqueue_it() -> Job:
        return await named.aenqueue(self=1, func=2)

    assert async_to_sync(enqueue_it)().payload == {"self": 1, "func": 2}
