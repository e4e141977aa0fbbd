"""What becomes of the job that has the dedupe key: kept, replaced, postponed, or left to run."""

from datetime import timedelta
from typing import Any

import pytest

from forge_jobs import NewJob, enqueue_many, job
from forge_jobs.clock import ManualClock
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Job, Process, State
from tests.app.jobs import effect, noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WAITING = [State.SCHEDULED, State.READY, State.BLOCKED, State.RETRYING]


@pytest.fixture
def process() -> Process:
    return process_named("here")


def replace(number: int, **options: Any) -> Job:
    """A replacement of the job under the key "k"."""
    usual: dict[str, Any] = {"dedupe_key": "k", "on_duplicate": "replace"}
    stored: Job = effect.using(**{**usual, **options}).enqueue(number=number)
    return stored


def postpone(by: timedelta, *, number: int = 2, **options: Any) -> Job:
    usual: dict[str, Any] = {"dedupe_key": "k", "on_duplicate": "postpone"}
    stored: Job = effect.using(delay=by, **{**usual, **options}).enqueue(number=number)
    return stored


@pytest.mark.parametrize("way", ["keep", "replace", "postpone"])
def test_where_nobody_has_the_key_a_job_is_made(way: Any) -> None:
    finished_job(dedupe_key="k")
    stored = effect.using(dedupe_key="k", on_duplicate=way, delay=60).enqueue(number=1)

    assert not stored.was_deduplicated
    assert stored.payload == {"number": 1}
    assert Job.objects.unfinished().get() == stored


@pytest.mark.parametrize("state", WAITING, ids=str)
def test_a_job_that_waits_is_replaced_with_all_that_was_said_of_it(state: State) -> None:
    old = stored_job(
        state=state, dedupe_key="k", payload={"a": 1}, attempt=2, max_attempts=3, expires_at=NOON,
        errors=[{"at": NOON.isoformat()}], last_error="no", progress={}, started_at=NOON,
    )  # fmt: skip
    now = replace(
        7, queue="other", priority=5, delay=60, max_attempts=9, timeout=2, context={"c": 1e23}
    )

    assert now.pk == old.pk
    assert now.was_deduplicated
    assert now.was_replaced
    assert not now.was_postponed
    assert (now.kind, now.queue, now.priority, now.payload) == (
        "app.effect",
        "other",
        5,
        {"number": 7},
    )
    assert (now.state, now.run_at, now.expires_at) == (State.SCHEDULED, NOON + MINUTE, None)
    assert (now.max_attempts, now.timeout_seconds, now.context) == (9, 2.0, {"c": 1e23})
    assert (now.attempt, now.started_at, now.last_error, now.progress) == (0, None, "", None)
    assert (now.enqueued_at, len(now.errors)) == (old.enqueued_at, 1)


def test_a_replacement_that_is_due_now_is_ready_now() -> None:
    stored_job(state=State.SCHEDULED, run_at=NOON + 9 * HOUR, dedupe_key="k")

    assert replace(7).state == State.READY
    assert Job.objects.get().run_at != NOON + 9 * HOUR


def test_a_replacement_waits_for_its_own_concurrency_key_and_frees_the_other(
    django_capture_on_commit_callbacks: Any,
) -> None:
    stored_job(
        dedupe_key="k", concurrency_key="old", concurrency_limit=1, concurrency_slot=1
    )  # fmt: skip
    waiting = stored_job(state=State.BLOCKED, concurrency_key="old", concurrency_limit=1)
    with django_capture_on_commit_callbacks(execute=True):
        replaced = replace(7, concurrency_key="new")
        assert (replaced.state, replaced.concurrency_slot) == (State.BLOCKED, None)

    replaced.refresh_from_db()
    assert (replaced.state, replaced.concurrency_slot) == (State.READY, 1)
    waiting.refresh_from_db()
    assert waiting.state == State.READY


@pytest.mark.parametrize("state", WAITING, ids=str)
def test_a_job_that_waits_is_postponed_and_else_stays_as_it_is(state: State) -> None:
    old = stored_job(state=state, dedupe_key="k", payload={"a": 1}, attempt=2)
    now = postpone(MINUTE, expires_in=30)

    assert now.pk == old.pk
    assert now.was_postponed
    assert not now.was_replaced
    assert (now.kind, now.payload, now.attempt) == (old.kind, {"a": 1}, 2)
    assert (now.run_at, now.expires_at) == (NOON + MINUTE, NOON + timedelta(seconds=90))
    assert now.state == (State.RETRYING if state is State.RETRYING else State.SCHEDULED)


@pytest.mark.parametrize("by", [timedelta(0), MINUTE, HOUR], ids=str)
def test_nothing_is_postponed_to_an_earlier_moment(by: timedelta) -> None:
    stored_job(state=State.RETRYING, run_at=NOON + HOUR, dedupe_key="k", expires_at=NOON + HOUR)
    now = postpone(by)

    assert now.was_deduplicated
    assert not now.was_postponed
    assert (now.run_at, now.expires_at) == (NOON + HOUR, NOON + HOUR)


def test_a_stream_of_postponed_jobs_runs_once_when_it_has_ended(manual_clock: ManualClock) -> None:
    from forge_jobs.testing import drain

    for number in range(5):
        postpone(MINUTE, number=number)
        manual_clock.advance(MINUTE / 2)
        assert not drain()
    manual_clock.advance(MINUTE / 2)

    assert [ran.payload for ran in drain()] == [{"number": 0}]


def test_a_job_that_has_been_claimed_is_left_alone_and_the_new_one_is_stored(
    process: Process,
) -> None:
    first = stored_job(dedupe_key="k")
    claim(process)
    second = replace(2)

    assert second.pk != first.pk
    assert not second.was_deduplicated
    assert (second.dedupe_key, second.state, second.dedupe_turn) == ("k", State.READY, 1)
    first.refresh_from_db()
    assert (first.state, first.dedupe_key, first.payload) == (State.RUNNING, "k", {})

    assert replace(3).pk == second.pk
    assert postpone(MINUTE).pk == second.pk
    assert noop.using(dedupe_key="k").enqueue().pk == second.pk


def test_jobs_that_were_claimed_under_one_key_do_not_keep_the_next_from_being_stored(
    process: Process,
) -> None:
    made = []
    for number in range(3):
        made.append(replace(number))
        claim(process, kinds=["app.effect"])

    assert len({job.pk for job in made}) == Job.objects.running().count() == 3
    assert [job.dedupe_turn for job in Job.objects.order_by("pk")] == [None, 1, 2]


def test_of_two_that_wait_under_one_key_the_newer_one_is_replaced(process: Process) -> None:
    stored_job(dedupe_key="k")
    (claimed,) = claim(process)
    second = replace(2)
    Job.objects.filter(pk=claimed.id).release(now=NOON)

    assert replace(3).pk == second.pk
    assert Job.objects.ready().count() == 2


def test_a_job_that_was_stored_behind_another_can_be_requeued(process: Process) -> None:
    stored_job(dedupe_key="k")
    claim(process)
    replace(2)
    Job.objects.update(state=State.DEAD, process=None, finished_at=NOON)

    assert Job.objects.requeue(now=NOON) == 1
    assert Job.objects.unfinished().get().dedupe_turn is None


def many(*rows: tuple[str, str, int, int]) -> Any:
    """Key, way, number and delay of each."""
    return enqueue_many(
        NewJob(effect, {"number": number}, dedupe_key=key, on_duplicate=way, delay=delay)  # type: ignore[arg-type] # some are wrong
        for key, way, number, delay in rows
    )


def test_duplicates_in_one_list_come_to_what_they_would_one_by_one() -> None:
    held = stored_job(dedupe_key="held", state=State.SCHEDULED, run_at=NOON)
    jobs = many(
        ("a", "replace", 1, 0),
        ("held", "postpone", 2, 60),
        ("a", "replace", 3, 60),
        ("b", "postpone", 4, 60),
        ("b", "postpone", 5, 120),
        ("a", "postpone", 6, 30),
        ("held", "replace", 7, 0),
        ("c", "keep", 8, 0),
        ("c", "keep", 9, 0),
    )

    assert Job.objects.count() == 4
    assert jobs.deduplicated == 6
    assert [one.payload["number"] for one in jobs] == [3, 7, 3, 4, 4, 3, 7, 8, 8]
    assert jobs[0].run_at == NOON + MINUTE
    assert jobs[3].run_at == NOON + 2 * MINUTE
    assert (jobs[1].pk, jobs[1].state) == (held.pk, State.READY)
    assert [one.was_deduplicated for one in jobs] == [
        *(False, True, True, False, True, True, True, False, True)
    ]


def test_a_job_behind_a_claimed_one_is_made_once_for_a_list(process: Process) -> None:
    stored_job(dedupe_key="k")
    claim(process)
    jobs = many(("k", "replace", 1, 0), ("k", "replace", 2, 0))

    assert [one.was_deduplicated for one in jobs] == [False, True]
    assert Job.objects.ready().get().payload == {"number": 2}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_duplicate": "replace"}, "says nothing without a dedupe_key"),
        ({"on_duplicate": "postpone", "dedupe_key": ""}, "1 to 200 characters"),
        ({"on_duplicate": "replac", "dedupe_key": "k"}, "Did you mean 'replace'?"),
        ({"on_duplicate": None, "dedupe_key": "k"}, "keep, replace, postpone, not None"),
        (
            {"on_duplicate": "replace", "dedupe_key": "k", "idempotency_key": "i"},
            "beside an idempotency_key",
        ),
        (
            {"on_duplicate": "replace", "dedupe_key": "k", "after": [1]},
            "beside batch or after",
        ),
    ],
    ids=str,
)
def test_a_way_that_can_not_be_meant_is_refused(options: Any, words: str) -> None:
    with pytest.raises(InvalidOption) as refusal:
        noop.using(**options).enqueue()

    assert refusal.value.field in ("on_duplicate", "dedupe_key")
    assert words in str(refusal.value)


def test_what_is_replaced_runs_as_it_is_now() -> None:
    from forge_jobs.testing import drain

    seen: list[int] = []

    @job(kind="tests.note")
    def note(number: int) -> None:
        seen.append(number)

    for number in range(3):
        note.using(dedupe_key="k", on_duplicate="replace").enqueue(number)
    drain()

    assert seen == [2]


def test_a_job_that_is_held_stays_so_when_it_is_changed() -> None:
    before = noop.enqueue()
    held = effect.using(dedupe_key="k", after=before).enqueue(number=1)

    replaced = replace(2, expires_in=60, delay=60)
    assert (replaced.pk, replaced.state, replaced.payload) == (held.pk, State.HELD, {"number": 2})
    assert replaced.gate_id == held.gate_id

    put_off = postpone(HOUR)
    assert (put_off.pk, put_off.state, put_off.run_at) == (held.pk, State.HELD, NOON + HOUR)
