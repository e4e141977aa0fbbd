"""What a process wants of a key's next jobs is claimed in the commit that sets the key free."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

if connection.vendor != "postgresql":
    pytest.skip("SQLite leaves them to the next claim", allow_module_level=True)

from forge_jobs import job
from forge_jobs.db.rows import ClaimedJob, Promoted
from forge_jobs.db.wanted import NOTHING, Wanted
from forge_jobs.models import Job, Process, Queue, State
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, rolled_back, stored_job, transition

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOON + timedelta(seconds=1.5)
WANTED = Wanted(["default", "other"], ["app.noop"], 9, LATER)
MANY = 100
"""More than PostgreSQL is asked for by a statement that it keeps."""


@pytest.fixture
def process() -> Process:
    return process_named("here")


def held(process: Process, keys: int = 1, **of_next: Any) -> list[ClaimedJob]:
    """Claimed jobs, one for each key, behind each of which one waits that is as told."""
    for number in range(keys):
        stored_job(concurrency_key=f"key {number}", concurrency_slot=1, concurrency_limit=1)
    for number in range(keys):
        stored_job(state=State.BLOCKED, concurrency_key=f"key {number}", **of_next)
    return claim(process, limit=keys)


def end(
    process: Process, ended: list[ClaimedJob], wanted: Wanted = WANTED, **outcome: Any
) -> list[Promoted]:
    outcomes = [transition(one, **{"finished_at": NOON} | outcome) for one in ended]
    states, promoted = Job.objects.finalize_and_promote(outcomes, process=process, wanted=wanted)
    assert states.keys() == {one.id for one in ended}
    return promoted


def what_is_next() -> list[dict[str, Any]]:
    left = Job.objects.exclude(state=State.SUCCEEDED).order_by("pk")
    return [columns(one, without=("id", "enqueued_at", "concurrency_slot")) for one in left]


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize("keys", [1, 3, MANY])
def test_they_are_claimed_as_by_a_claim(process: Process, keys: int) -> None:
    of_next = {"payload": {"a": ["ü", 1.5]}, "max_attempts": 4, "timeout_seconds": 2.5}
    of_next |= {"attempt": 1, "has_begun": True, "priority": 3, "expires_at": LATER}
    ready = end(process, held(process, keys, **of_next), NOTHING)
    assert [one.claimed for one in ready] == [None] * keys
    expected = claim(process, limit=keys, now=LATER)
    rows = what_is_next()
    Job.objects.all().delete()

    wanted = WANTED._replace(limit=keys)
    inherited = [one.claimed for one in end(process, held(process, keys, **of_next), wanted)]

    def comparable(claimed: ClaimedJob | None) -> ClaimedJob:
        assert claimed is not None
        assert claimed.enqueued_at > 0
        return claimed._replace(id=0, enqueued_at=0.0)

    assert sorted(map(comparable, inherited)) == sorted(map(comparable, expected))
    assert what_is_next() == rows
    assert Job.objects.claimed_by(process).filter(concurrency_slot=1).count() == keys


def test_they_are_given_up_with_the_outcomes(process: Process) -> None:
    ended = held(process)
    with rolled_back():
        end(process, ended)

    assert [*Job.objects.order_by("pk").values_list("state", flat=True)] == [
        State.RUNNING,
        State.BLOCKED,
    ]


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize("keys", [4, MANY])
def test_no_more_than_are_wanted_are_claimed(process: Process, keys: int) -> None:
    promoted = end(process, held(process, keys), WANTED._replace(limit=3))

    assert sum(one.claimed is not None for one in promoted) == 3
    assert Job.objects.claimed_by(process).count() == 3
    assert Job.objects.ready().count() == keys - 3


def test_a_key_for_which_nobody_waits_takes_nobodys_place(process: Process) -> None:
    ended = held(process, 3)
    Job.objects.filter(concurrency_key="key 0", state=State.BLOCKED).delete()

    (one, other) = end(process, ended, WANTED._replace(limit=2))
    assert one.claimed
    assert other.claimed


@pytest.mark.parametrize("of_next", [{"kind": "app.other"}, {"queue": "third"}])
def test_what_is_not_wanted_becomes_ready(process: Process, of_next: dict[str, Any]) -> None:
    (promoted,) = end(process, held(process, **of_next))

    assert promoted.claimed is None
    assert Job.objects.ready().get().started_at is None


@pytest.mark.parametrize(
    "closed", [{"is_paused": True}, {"throttled_until": LATER + (LATER - NOON)}]
)
def test_nothing_is_claimed_of_a_queue_that_was_closed_just_now(
    process: Process, closed: dict[str, Any]
) -> None:
    ended = held(process, queue="other")
    Queue.objects.create(name="other", **closed)

    assert [one.claimed for one in end(process, ended)] == [None]
    assert Job.objects.ready().get().attempt == 0


def test_a_queue_that_was_throttled_before_is_open(process: Process) -> None:
    Queue.objects.create(name="default", throttled_until=NOON)

    assert [one.claimed is not None for one in end(process, held(process))] == [True]


def test_who_comes_after_a_failure_is_claimed_as_well(process: Process) -> None:
    ended = held(process)
    promoted = end(process, ended, state=State.RETRYING, finished_at=None, run_at=LATER)

    assert [one.claimed is not None for one in promoted] == [True]


def test_a_job_that_is_given_back_keeps_its_key(process: Process) -> None:
    assert end(process, held(process), state=State.READY, finished_at=None) == []
    assert not Job.objects.running().exists()


def test_no_slot_is_taken_twice(process: Process) -> None:
    @job(kind="tests.subject", concurrency_key="both", concurrency_limit=2)
    def subject() -> None:
        pass

    subject.enqueue_many([{}] * 6)
    ended = claim(process, kinds=["tests.subject"])
    promoted = end(process, ended, Wanted(["default"], ["tests.subject"], 2, LATER))
    Job.objects.pass_on({"both"})

    assert all(one.claimed for one in promoted)
    taken = Job.objects.filter(state__in=[State.READY, State.RUNNING])
    assert sorted(taken.values_list("concurrency_slot", flat=True)) == [1, 2]


def test_an_attempt_beyond_all_numbers_is_none(process: Process) -> None:
    largest = 2**31 - 1
    (promoted,) = end(process, held(process, attempt=largest))

    assert promoted.claimed is not None
    assert promoted.claimed.attempt == largest
