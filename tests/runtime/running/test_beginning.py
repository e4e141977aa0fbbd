"""Whether a run may begin is asked in one way, whoever runs it: a thread, a chunk or a loop."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from forge_jobs import chunk_job, clock, job
from forge_jobs.models import Event, Job, JobEvent, State
from forge_jobs.runtime.engine import Engine
from forge_jobs.signals import claim_lost, job_finished
from tests.running import engine

pytestmark = pytest.mark.django_db(transaction=True)

calls: list[str] = []


def _in_a_thread() -> Any:
    @job(kind="tests.subject", expires_in=3600)
    def subject() -> None:
        calls.append("thread")

    return subject


def _in_a_chunk() -> Any:
    @chunk_job(size=8, kind="tests.subject", expires_in=3600)
    def subject(chunk: Any) -> None:
        calls.append("chunk")

    return subject


def _on_the_loop() -> Any:
    @job(kind="tests.subject", expires_in=3600)
    async def subject() -> None:
        calls.append("loop")

    return subject


@pytest.fixture(params=[_in_a_thread, _in_a_chunk, _on_the_loop], ids=lambda made: made.__name__)
def subject(request: pytest.FixtureRequest) -> Any:
    calls.clear()
    return request.param()


@pytest.fixture
def ended() -> Iterator[list[tuple[str, int]]]:
    """What is told of ends, and of claims that were lost."""
    told: list[tuple[str, int]] = []

    def on_finished(finished: Any, **kwargs: Any) -> None:
        told.append((finished.transition.state, finished.job.id))

    def on_lost(job: Any, **kwargs: Any) -> None:
        told.append(("lost", job.id))

    job_finished.connect(on_finished)
    claim_lost.connect(on_lost)
    yield told
    job_finished.disconnect(on_finished)
    claim_lost.disconnect(on_lost)


def drain_and(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Do something once a job has been claimed, before whoever runs it can have it."""
    subject = engine(threads=1, drain=True)
    put = subject.buffer.put

    def act_and_put(claimed: Any) -> None:
        act()
        put(claimed)

    monkeypatch.setattr(subject.buffer, "put", act_and_put)
    subject.run()
    return subject


def test_what_has_expired_since_it_was_claimed_does_not_begin_and_is_told_of_once(
    subject: Any, ended: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = subject.enqueue()

    def let_expire() -> None:
        Job.objects.update(expires_at=clock.now() - timedelta(minutes=1))

    drained = drain_and(let_expire, monkeypatch)

    stored.refresh_from_db()
    assert (stored.state, stored.attempt, stored.started_at) == (State.CANCELLED, 0, None)
    assert (calls, drained.failure) == ([], "")
    # What waits for long on a busy machine is given back, and claimed again.
    assert [one for one in ended if one[0] != State.READY] == [(State.CANCELLED, stored.pk)]
    assert Event.CANCELLED in [event.event for event in JobEvent.objects.all()]
