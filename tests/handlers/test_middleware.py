"""Middleware: what runs around handlers, and sees what is enqueued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import translation
from pytest_django import Settings

from forge_jobs import (
    Cancelled,
    Dead,
    Done,
    Failed,
    JobContext,
    JobHandler,
    NewJob,
    Outcome,
    Throttled,
    enqueue_many,
    job,
    middleware,
)
from forge_jobs.checks.settings import check_settings
from forge_jobs.handlers.middleware import Around, Incoming, installed
from forge_jobs.models import Job, State
from forge_jobs.testing import drain, run
from tests.app.models import Effect
from tests.running import drain as drain_with_threads

pytestmark = pytest.mark.django_db

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    seen.clear()


@pytest.fixture
def install(settings: Settings) -> Callable[..., None]:
    def install(*layers: Any) -> None:
        settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MIDDLEWARE": list(layers)}

    return install


@pytest.fixture(params=["function", "coroutine"])
def handle(request: pytest.FixtureRequest) -> Callable[[Callable[[], object]], JobHandler]:
    """Makes a handler, of either sort, of what it is to return."""

    def handle(work: Callable[[], object]) -> JobHandler:
        if request.param == "function":

            @job(kind="tests.handle", max_attempts=1)
            def handler() -> object:
                return work()

            return handler

        @job(kind="tests.handle", max_attempts=1)
        async def coroutine() -> object:
            return work()

        return coroutine

    return handle


def outer(ctx: JobContext) -> Around:
    seen.append("outer begins")
    outcome = yield
    seen.append(("outer ends", type(outcome).__name__))
    return None


def inner(ctx: JobContext) -> Around:
    seen.append(("inner begins", ctx.kind))
    try:
        yield
    finally:
        seen.append("inner ends")
    return None


def fault() -> object:
    raise OSError("no answer")


def throttle() -> object:
    raise Throttled(60)


def test_the_first_is_the_outermost(install: Any, handle: Any) -> None:
    install(outer, inner)

    def work() -> int:
        seen.append("handled")
        return 7

    outcome = run(handle(work))

    assert isinstance(outcome, Done)
    assert outcome.result == 7
    assert seen == [
        "outer begins",
        ("inner begins", "tests.handle"),
        "handled",
        "inner ends",
        ("outer ends", "Done"),
    ]


def test_an_exception_is_raised_where_it_yields_and_goes_on(install: Any, handle: Any) -> None:
    install(outer, inner)

    outcome = run(handle(fault))

    assert isinstance(outcome, Failed)
    assert outcome.exception == "builtins.OSError"
    assert "in fault" in outcome.traceback
    assert seen == ["outer begins", ("inner begins", "tests.handle"), "inner ends"]


def test_an_outcome_that_is_raised_is_one_that_comes_to_be(install: Any, handle: Any) -> None:
    install(outer)

    assert isinstance(run(handle(throttle)), Throttled)
    assert seen[-1] == ("outer ends", "Throttled")


of_tenant: ContextVar[str] = ContextVar("of_tenant", default="nobody")


@contextmanager
def bound(name: str) -> Iterator[None]:
    token = of_tenant.set(name)
    try:
        yield
    finally:
        of_tenant.reset(token)


def binding(ctx: JobContext) -> Around:
    with bound("acme"):
        yield
        seen.append(of_tenant.get())
    seen.append(of_tenant.get())
    return None


@pytest.mark.django_db(transaction=True)
def test_a_context_variable_is_set_for_the_handler_and_reset(install: Any, handle: Any) -> None:
    """As structlog, OpenTelemetry and Sentry do, whose tokens are good in one context only."""
    install(binding)

    def work() -> str:
        found = of_tenant.get()
        of_tenant.set("changed")
        return found

    handler = handle(work)
    handler.enqueue()
    drain_with_threads()

    assert run(handler).result == "acme"  # type: ignore[attr-defined] # it is Done
    assert Job.objects.get().result == "acme"
    assert seen == ["changed", "nobody"] * 2


def swallowing(ctx: JobContext) -> Around:
    try:
        yield
    except OSError:
        seen.append("swallowed")
    return None


def forgiving(ctx: JobContext) -> Around:
    try:
        yield
    except OSError as error:
        return Cancelled(str(error))
    return None


def test_only_an_outcome_of_its_own_makes_an_error_good(install: Any, handle: Any) -> None:
    install(swallowing)
    assert isinstance(run(handle(fault)), Failed)
    install(forgiving)
    outcome = run(handle(fault))
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "no answer"


def replacing(ctx: JobContext) -> Around:
    yield
    return Dead("replaced")


def skipping(ctx: JobContext) -> Around:
    if ctx.kind == "tests.handle":
        return Done("not today")
    yield
    return None


def test_it_may_say_another_outcome_or_have_the_handler_not_run(install: Any, handle: Any) -> None:
    install(replacing)
    assert isinstance(run(handle(lambda: 7)), Dead)
    install(outer, skipping)
    outcome = run(handle(lambda: seen.append("handled")))
    assert isinstance(outcome, Done)
    assert outcome.result == "not today"
    assert seen[-2:] == ["outer begins", ("outer ends", "Done")]


def watching(ctx: JobContext) -> Around:
    try:
        yield
    except Exception as error:
        seen.append(str(error))
        raise
    return None


def breaking(ctx: JobContext) -> Around:
    raise LookupError("no such tenant")
    yield


def breaking_late(ctx: JobContext) -> Around:
    yield
    raise LookupError("no such tenant")


def insisting(ctx: JobContext) -> Around:
    yield
    yield
    return None


def holding_on(ctx: JobContext) -> Around:
    yield
    with suppress(GeneratorExit):
        yield
    yield
    return None


def babbling(ctx: JobContext) -> Any:
    yield
    return "fine"


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (breaking, "no such tenant"),
        (breaking_late, "no such tenant"),
        (insisting, "yields more than once"),
        (holding_on, "ignored GeneratorExit"),
        (babbling, "returned 'fine', which is no outcome"),
    ],
)
def test_its_own_faults_are_the_job_s_failure(
    install: Any, handle: Any, layer: Any, words: str
) -> None:
    install(watching, layer)

    outcome = run(handle(lambda: 7))
    assert isinstance(outcome, Failed)
    assert words in outcome.message
    (error,) = seen
    assert words in error


def stopping(ctx: JobContext) -> Around:
    raise SystemExit("enough")
    yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("layer", [stopping, breaking_late, insisting])
def test_a_process_outlives_whatever_it_does(install: Any, handle: Any, layer: Any) -> None:
    install(layer)
    handle(lambda: 7).enqueue_many([{}, {}])

    assert drain_with_threads().failure == ""
    assert {one.state for one in Job.objects.all()} == {State.DEAD}


def writing(ctx: JobContext) -> Around:
    seen.append(connection.in_atomic_block)
    Effect.objects.create(number=1)
    outcome = yield
    return Dead("not good enough") if isinstance(outcome, Done) else None


@pytest.mark.django_db(transaction=True)
def test_it_is_within_the_transaction_of_an_atomic_handler(install: Any) -> None:
    @job(kind="tests.atomic", atomic=True, max_attempts=1)
    def atomic(number: int) -> None:
        Effect.objects.create(number=number)
        if number == 3:
            raise ValueError

    install(writing)
    atomic.enqueue_many([{"number": 2}, {"number": 3}])
    drain_with_threads()

    assert seen == [True, True]
    assert {one.state for one in Job.objects.all()} == {State.DEAD}
    assert sorted(Effect.objects.values_list("number", flat=True)) == [1, 2]


def speaking(ctx: JobContext) -> Around:
    with translation.override(ctx.context["language"]):
        yield
    return None


@middleware
def in_a_language(ctx: JobContext) -> Around:
    with translation.override(ctx.context.get("language")):
        yield
    return None


@in_a_language.enqueueing
def keep_the_language(jobs: list[Incoming]) -> None:
    seen.append([one.payload for one in jobs])
    for one in jobs:
        one.context.setdefault("language", translation.get_language())


def test_a_language_travels_from_the_caller_to_the_handler(install: Any, handle: Any) -> None:
    install(in_a_language)
    speak = handle(lambda: translation.get_language())
    with translation.override("de"):
        speak.enqueue()
        speak.enqueue_many([{}, {}])
        enqueue_many([NewJob(speak, context={"language": "fr"}), NewJob(speak)])

    assert [len(jobs) for jobs in seen] == [1, 2, 2]
    languages = [one.outcome.result for one in drain()]  # type: ignore[attr-defined] # they are Done
    assert languages == ["de", "de", "de", "fr", "de"]
    assert Job.objects.first().context == {"language": "de"}  # type: ignore[union-attr] # it is there


@middleware
def refusing(ctx: JobContext) -> Around:
    yield
    return None


@refusing.enqueueing
def refuse(jobs: list[Incoming]) -> None:
    raise PermissionError("no tenant is active")


def test_what_is_refused_at_enqueue_is_not_stored(install: Any, handle: Any) -> None:
    install(refusing)
    with pytest.raises(PermissionError):
        handle(lambda: 7).enqueue()
    assert not Job.objects.exists()


def bare_layer(ctx: JobContext) -> Around:
    yield
    return None


def with_turned_list(jobs: list[Incoming]) -> None:
    jobs.reverse()


def with_added_job(jobs: list[Incoming]) -> None:
    jobs.append(jobs[0])


def with_none_left(jobs: list[Incoming]) -> None:
    jobs.clear()


async def asynchronous(jobs: list[Incoming]) -> None: ...


def test_a_list_that_middleware_sorts_gives_no_job_the_context_of_another(
    install: Any, handle: Any
) -> None:
    turning = middleware(bare_layer)
    turning.enqueueing(with_turned_list)
    install(turning)
    speak = handle(lambda: 7)
    enqueue_many([NewJob(speak, context={"tenant": name}) for name in ("a", "b", "c")])

    assert [one.context["tenant"] for one in Job.objects.order_by("pk")] == ["a", "b", "c"]


@pytest.mark.parametrize("change", [with_added_job, with_none_left])
def test_middleware_can_neither_add_jobs_nor_take_some_away(
    install: Any, handle: Any, change: Any
) -> None:
    changing = middleware(bare_layer)
    changing.enqueueing(change)
    install(changing)
    with pytest.raises(ImproperlyConfigured, match="neither add jobs nor take some away"):
        handle(lambda: 7).enqueue()
    assert not Job.objects.exists()


@pytest.mark.parametrize("given", [asynchronous, 7, None], ids=["async", "a number", "None"])
def test_what_can_not_see_new_jobs_is_refused_where_it_is_declared(given: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="it must be a function, and not async"):
        middleware(bare_layer).enqueueing(given)


def no_generator(ctx: JobContext) -> Outcome:
    return Done()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("shop.nowhere.tenant", "can't be imported"),
        (no_generator, "must be a generator function"),
        (7, "list of generator functions"),
    ],
)
def test_what_is_no_middleware_is_told_by_the_system_check(
    install: Any, given: Any, words: str
) -> None:
    install(given)
    (error,) = check_settings(None)
    assert words in error.msg
    with pytest.raises(ImproperlyConfigured, match=words):
        drain_with_threads()


def test_without_any_nothing_is_around() -> None:
    @job(kind="tests.bare")
    def bare() -> str:
        return "bare"

    outcome = run(bare)
    assert isinstance(outcome, Done)
    assert outcome.result == "bare"


def stubborn(ctx: JobContext) -> Around:
    yield
    try:
        yield
    finally:
        yield
    return None


def noting(ctx: JobContext) -> Around:
    try:
        yield
    except BaseException as error:
        seen.append(type(error))
        raise
    return None


def test_one_that_does_not_end_keeps_no_other_from_its_end(install: Callable[..., None]) -> None:
    install(noting, stubborn)

    with pytest.raises(RuntimeError, match="GeneratorExit"):
        installed().run(JobContext.__new__(JobContext), lambda: None)

    assert seen == [RuntimeError]


def test_a_stop_iteration_goes_through_as_what_it_is(install: Callable[..., None]) -> None:
    install(noting)

    with pytest.raises(StopIteration):
        installed().run(JobContext.__new__(JobContext), lambda: next(iter(())))
