"""Coroutines that do not end when they should, or keep the loop from the others."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from forge_jobs import job
from forge_jobs.models import Job, State
from forge_jobs.runtime.running import loops, run
from forge_jobs.signals import loop_blocked, worker_abandoned
from tests.app.models import Effect
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.3)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no loop be replaced because it stands."""
    monkeypatch.setattr(run, "GRACE_SECONDS", PATIENCE)


@contextmanager
def told_by(signal: Any) -> Iterator[list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []

    def listen(**facts: Any) -> None:
        told.append(facts)

    signal.connect(listen)
    try:
        yield told
    finally:
        signal.disconnect(listen)


def state_of(stored: Job) -> str:
    stored.refresh_from_db()
    return stored.state


async def until(event: Event) -> None:
    deadline = time.monotonic() + PATIENCE
    while not event.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


def test_one_that_swallows_its_end_is_given_up_and_ended_where_it_awaits() -> None:
    is_over = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        try:
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    continue
        finally:
            is_over.set()

    killed = subject.enqueue()
    with running(engine(threads=1, async_concurrency=1)) as working:
        eventually(lambda: len(working.workers.runs()) == 1)
        killed.kill("enough", by="ada")
        eventually(lambda: state_of(killed) == State.CANCELLED)
        assert is_over.wait(PATIENCE)
        eventually(lambda: not working.workers.runs())
        assert working.workers.stuck == 0


def test_one_that_swallows_its_timeout_is_given_up_too() -> None:
    @job(kind="tests.subject", timeout=0.1, max_attempts=1)
    async def subject() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    late = subject.enqueue()
    drain(threads=1)

    assert state_of(late) == State.DEAD
    assert late.last_error.startswith("Timed out after 0.1 s and did not react")
    assert "asyncio.sleep(3600)" in late.errors[0]["traceback"]


def test_one_that_blocks_the_loop_is_named(monkeypatch: pytest.MonkeyPatch, patient: None) -> None:
    monkeypatch.setattr(loops, "NAMED_AFTER_SECONDS", 0.1)
    is_told = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        is_told.wait(PATIENCE)

    stored = subject.enqueue()
    with told_by(loop_blocked) as told, running(engine(threads=1)):
        eventually(lambda: bool(told))
        is_told.set()
        eventually(lambda: state_of(stored) == State.SUCCEEDED)

    assert [one["job"].id for one in told] == [stored.pk]
    assert "is_told.wait(PATIENCE)" in told[0]["stack"]


def test_a_task_that_blocks_the_loop_is_named_as_the_job_s_that_made_it(
    monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    monkeypatch.setattr(loops, "NAMED_AFTER_SECONDS", 0.1)
    is_told = Event()

    async def block() -> None:
        is_told.wait(PATIENCE)

    @job(kind="tests.subject")
    async def subject() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(block())

    stored = subject.enqueue()
    with told_by(loop_blocked) as told, running(engine(threads=1)):
        eventually(lambda: bool(told))
        is_told.set()
        eventually(lambda: state_of(stored) == State.SUCCEEDED)

    assert [one["job"].id for one in told] == [stored.pk]


def test_while_one_blocks_the_loop_its_neighbours_go_back_and_run_on_another() -> None:
    may_block, may_end = Event(), Event()
    begun: list[int] = []

    @job(kind="tests.neighbour", max_attempts=1)
    async def neighbour(*, number: int) -> None:
        begun.append(number)
        await until(may_end)

    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> str:
        await until(may_block)
        may_end.wait(PATIENCE)
        return "done all the same"

    neighbours = neighbour.enqueue_many([{"number": number} for number in range(3)])
    blocker = subject.enqueue()
    with running(engine(threads=2, async_concurrency=4)) as working:
        eventually(lambda: len(working.workers.runs()) == 4 and len(begun) == 3)
        may_block.set()
        eventually(lambda: len(begun) == 6)
        assert working.workers.stuck == 0  # for it may yet end well
        may_end.set()
        eventually(lambda: state_of(blocker) == State.SUCCEEDED)
        eventually(lambda: all(state_of(one) == State.SUCCEEDED for one in neighbours))

    assert blocker.result == "done all the same"
    assert [one.attempt for one in neighbours] == [1, 1, 1]


def test_one_that_blocks_the_loop_in_python_is_ended_by_a_kill(patient: None) -> None:
    is_on = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        is_on.set()
        while True:
            pass

    @job(kind="tests.neighbour")
    async def neighbour() -> None:
        await until(is_on)

    spared, killed = neighbour.enqueue(), subject.enqueue()
    with running(engine(threads=1, async_concurrency=2)):
        assert is_on.wait(PATIENCE)
        killed.kill("enough", by="ada")
        eventually(lambda: state_of(killed) == State.CANCELLED)
        eventually(lambda: state_of(spared) == State.SUCCEEDED)

    assert spared.attempt == 1


def test_one_that_blocks_the_loop_in_foreign_code_is_given_up_and_the_loop_left_to_it() -> None:
    is_on, may_end = Event(), Event()

    @job(kind="tests.subject", timeout=0.1, max_attempts=1)
    async def subject() -> None:
        is_on.set()
        may_end.wait(PATIENCE)

    @job(kind="tests.neighbour", max_attempts=1)
    async def neighbour() -> None:
        await until(is_on)
        await Effect.objects.acreate(number=1)

    with told_by(worker_abandoned) as told, running(engine(threads=2, async_concurrency=2)) as on:
        spared, late = neighbour.enqueue(), subject.enqueue()
        eventually(lambda: state_of(late) == State.DEAD)
        eventually(lambda: state_of(spared) == State.SUCCEEDED)
        may_end.set()
        eventually(lambda: on.workers.stuck == 0)

    assert "may_end.wait" in late.errors[0]["traceback"]
    assert [one["job"].id for one in told] == [late.pk]


def test_a_job_killed_in_a_synchronous_call_that_hangs_leaves_its_thread_alone_in_it() -> None:
    is_on, is_given_up, may_end = Event(), Event(), Event()

    def hang() -> None:
        is_on.set()
        may_end.wait(PATIENCE)

    @job(kind="tests.subject")
    async def subject() -> None:
        await sync_to_async(hang)()

    @job(kind="tests.neighbour", max_attempts=1)
    async def neighbour() -> None:
        await Effect.objects.acount()
        await until(is_given_up)
        await Effect.objects.acreate(number=1)

    spared = neighbour.enqueue_many([{}] * 2)
    with running(engine(threads=2, async_concurrency=3)) as working:
        eventually(lambda: [one.seats for one in working.workers.helping_threads] == [1, 1])
        killed = subject.enqueue()
        assert is_on.wait(PATIENCE)
        killed.kill("enough", by="ada")
        eventually(lambda: state_of(killed) == State.CANCELLED)
        is_given_up.set()
        eventually(lambda: all(state_of(one) == State.SUCCEEDED for one in spared))
        may_end.set()
        eventually(lambda: working.workers.stuck == 0)

    assert Effect.objects.count() == 2


def test_a_synchronous_call_in_python_is_ended_by_a_kill(patient: None) -> None:
    is_on = Event()

    def spin() -> None:
        is_on.set()
        while True:
            pass

    @job(kind="tests.subject")
    async def subject() -> None:
        await sync_to_async(spin)()

    killed = subject.enqueue()
    with running(engine(threads=1)):
        assert is_on.wait(PATIENCE)
        killed.kill("enough", by="ada")
        eventually(lambda: state_of(killed) == State.CANCELLED)


def test_what_a_job_tidies_up_after_its_kill_is_not_struck(patient: None) -> None:
    is_on = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        try:
            is_on.set()
            await asyncio.sleep(3600)
        finally:
            for number in range(20):
                await sync_to_async(Effect.objects.create)(number=number)

    killed = subject.enqueue()
    with running(engine(threads=1)):
        assert is_on.wait(PATIENCE)
        killed.kill("enough", by="ada")
        eventually(lambda: state_of(killed) == State.CANCELLED)

    assert Effect.objects.count() == 20


def test_at_a_stop_each_is_told_then_cancelled_and_given_back_with_its_attempt() -> None:
    begun: list[int] = []
    seen: list[str] = []

    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> None:
        try:
            begun.append(1)
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    subject.enqueue_many([{}] * 50)
    working = engine(threads=2, async_concurrency=50, shutdown_timeout=0.1)
    with running(working):
        eventually(lambda: len(begun) == 50)

    assert seen == ["cancelled"] * 50
    assert set(Job.objects.values_list("state", "attempt")) == {(State.READY, 0)}
    assert not working.failure
    assert not working.is_stuck


def test_at_a_stop_what_ends_in_time_is_waited_for() -> None:
    may_end = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        await until(may_end)

    subject.enqueue_many([{}] * 5)
    working = engine(threads=1, async_concurrency=5, shutdown_timeout=PATIENCE)
    with running(working):
        eventually(lambda: len(working.workers.runs()) == 5)
        working.lifecycle.request_stop("the test says so")
        eventually(lambda: working.lifecycle.is_stopping)
        may_end.set()

    assert set(Job.objects.values_list("state", "attempt")) == {(State.SUCCEEDED, 1)}


def test_one_that_swallows_a_stop_goes_back_with_its_attempt() -> None:
    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    subject.enqueue()
    working = engine(threads=1, shutdown_timeout=0.1)
    with running(working):
        eventually(lambda: len(working.workers.runs()) == 1)

    assert set(Job.objects.values_list("state", "attempt")) == {(State.READY, 0)}
    assert not working.is_stuck
