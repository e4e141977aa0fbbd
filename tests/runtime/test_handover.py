"""Where jobs wait for a key, the next is claimed in the commit that sets it free."""

from typing import Any

import pytest
from django.db import OperationalError, connection

from forge_jobs import db
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.outcomes import Done
from forge_jobs.models import Job, Queue, State
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.settlements import Finished
from tests.app.jobs import noop, serve
from tests.conftest import NOON
from tests.rows import claim, transition
from tests.running import engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def busy() -> Engine:
    """A process that does not run, but has found out that others wait for its jobs' key."""
    serve.enqueue_many([{"customer": 1}] * 3)
    busy = engine(queues=("default", "other"))
    for lane in busy.fetcher.lanes:
        lane.may_hold_work = False
    busy.fetcher.handover.is_open = True
    end(busy, *claim(busy.process, kinds=["app.serve"]))
    return busy


@pytest.fixture
def running(busy: Engine) -> ClaimedJob:
    """The second job of the three."""
    (running,) = claim(busy.process, kinds=["app.serve"])
    busy.claims.add(running)
    return running


def end(busy: Engine, *jobs: ClaimedJob, **columns: Any) -> None:
    busy.finalizer.finalize(
        [Finished(job, transition(job, finished_at=NOON, **columns), Done(), 0.1) for job in jobs]
    )


def states() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


def test_it_is_for_a_worker_of_the_same_process(busy: Engine, running: ClaimedJob) -> None:
    end(busy, running)
    assert states() == [State.SUCCEEDED, State.SUCCEEDED, State.RUNNING]
    busy.fetcher.rounds.take_over()

    following = busy.buffer.take()
    assert isinstance(following, ClaimedJob)
    assert (following.id, following.attempt) == (Job.objects.latest("pk").pk, 1)
    assert busy.fetcher.load.ahead() == 1
    end(busy, following)
    assert not busy.claims
    assert set(states()) == {State.SUCCEEDED}


def test_what_comes_first_is_claimed_first(busy: Engine, running: ClaimedJob) -> None:
    urgent = noop.using(priority=5).enqueue()
    end(busy, running)

    assert Job.objects.running().get().pk == urgent.pk
    assert states()[2] == State.READY


@pytest.mark.parametrize("cursor", ["of this project", "that sends parameters apart"])
def test_it_is_one_commit(
    cursor: str, busy: Engine, running: ClaimedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql" and cursor == "that sends parameters apart":
        monkeypatch.setattr("forge_jobs.db.postgresql.keys.ClientCursor", type(None))
    end(busy, running)

    assert states() == [State.SUCCEEDED, State.SUCCEEDED, State.RUNNING]


@pytest.mark.parametrize(
    "how", ["stops", "is quiet", "has work elsewhere", "has no threads", "is paused", "is limited"]
)
def test_it_is_only_made_ready_where_the_process(
    how: str, busy: Engine, running: ClaimedJob
) -> None:
    match how:
        case "stops":
            busy.fetcher.stop()
        case "is quiet":
            busy.lifecycle.be_quiet()
        case "has work elsewhere":
            next(lane for lane in busy.fetcher.lanes if lane.queue != "default").entrust(1)
        case "has no threads":
            busy.fetcher.load.claimed += 2 * busy.options.threads
        case "is paused":
            Queue.objects.pause("default")
        case "is limited":
            Queue.objects.filter(name="default").update(max_workers=5)
            busy.steering.run_once(now=NOON)
    end(busy, running)

    assert states() == [State.SUCCEEDED, State.SUCCEEDED, State.READY]


def test_one_whose_claim_got_lost_with_the_answer_is_claimed_again(
    busy: Engine, running: ClaimedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = db.twin().settle_promote_and_claim

    def lost(*arguments: Any, **keywords: Any) -> Any:
        whole(*arguments, **keywords)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(db.twin(), "settle_promote_and_claim", lost)
    end(busy, running)
    assert states() == [State.SUCCEEDED, State.SUCCEEDED, State.RUNNING]
    busy.fetcher.lanes.hear(busy.fetcher.bell, 0.0)

    assert busy.fetcher.rounds.fill() == 1
    again = busy.buffer.take()
    assert isinstance(again, ClaimedJob)
    assert again.attempt == 1
    end(busy, again)
    assert set(states()) == {State.SUCCEEDED}


def test_what_comes_too_late_for_the_fetcher_goes_back_when_the_process_signs_off(
    busy: Engine, running: ClaimedJob
) -> None:
    end(busy, running)
    (late,) = busy.fetcher.handover.take_all()
    busy.fetcher.stopping.set()
    busy.fetcher.handover.put([late])
    busy.claims.release_unheld()

    assert not busy.claims
    assert states()[2] == State.READY
