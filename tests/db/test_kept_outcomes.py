"""PostgreSQL keeps what settles few jobs for a session of ours: nothing else comes of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection

from forge_jobs import db
from forge_jobs.db.rows import ClaimedJob, Position, Promoted, Transition
from forge_jobs.models import Job, Process, State
from tests.conftest import NOON
from tests.db.conftest import names_of_kept
from tests.db.test_plans import row as any_row
from tests.factories import process_named
from tests.rows import claim, columns, stored_job, transition

if connection.vendor != "postgresql":
    pytest.skip("SQLite's driver does so by itself", allow_module_level=True)

from forge_jobs.db.postgresql import few

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_ours")]

MANY = 40_000
KEPT_NAMES = [
    few.KEPT_CLAIM,
    few.KEPT_CLAIM_AFTER,
    few.KEPT_READY_AMONG,
    few.KEPT_SETTLE,
    few.KEPT_SETTLE_AND_PROMOTE,
    few.KEPT_SUCCEED,
]
ERROR = json.dumps({"attempt": 1, "message": 'no "ü" \\ €'})


@pytest.fixture
def process() -> Process:
    return process_named("tested")


def a_success(job: ClaimedJob) -> Transition:
    return transition(job, finished_at=NOON, result='{"a":["ü",1.5,null]}')


def a_success_without_result(job: ClaimedJob) -> Transition:
    return transition(job, finished_at=NOON)


def a_failure(job: ClaimedJob) -> Transition:
    failed = {"error": ERROR, "last_error": "no 'ü' \\ %s", "process_name": "here"}
    return transition(job, State.DEAD, finished_at=NOON, **failed)


def a_retry(job: ClaimedJob) -> Transition:
    return transition(job, State.RETRYING, run_at=NOON, error=ERROR, progress="[1]")


def given_back(job: ClaimedJob) -> Transition:
    return transition(job, State.READY, attempt=0)


def of_a_lost_claim(job: ClaimedJob) -> Transition:
    return transition(job._replace(claimed_at="2001-01-01T00:00:00+00:00"), finished_at=NOON)


WAYS = [a_success, a_success_without_result, a_failure, a_retry, given_back, of_a_lost_claim]


def what_comes_of(
    ways: list[Callable[[ClaimedJob], Transition]], process: Process, *, is_cancelled: bool = False
) -> tuple[list[str | None], list[dict[str, Any]], list[Promoted]]:
    """Of jobs that hold a key each for which one waits: states, columns, and what may run."""
    Job.objects.all().delete()
    names = [f"key 'ü' % {number}" for number in range(len(ways))]
    jobs = [stored_job(concurrency_key=name, concurrency_slot=1) for name in names]
    for name in names:
        stored_job(state=State.BLOCKED, concurrency_key=name, concurrency_limit=1)
    claimed = claim(process, limit=len(ways))
    if is_cancelled:
        Job.objects.running().update(cancel_requested_at=NOON)
    outcomes = [way(job) for way, job in zip(ways, claimed, strict=True)]
    states, promoted = Job.objects.finalize_and_promote(outcomes, process=process)
    left = [
        columns(job, without=("id", "enqueued_at", "cancel_requested_at"))
        for job in Job.objects.order_by("id")
    ]
    return [states.get(job.pk) for job in jobs], left, sorted(promoted)


@pytest.mark.parametrize("ways", [*([way] for way in WAYS), WAYS])
def test_what_comes_of_few_jobs_is_as_ever(
    ways: list[Callable[[ClaimedJob], Transition]],
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = what_comes_of(ways, process)
    assert few.KEPT_SETTLE_AND_PROMOTE in names_of_kept()

    monkeypatch.setattr(few, "FEW", -1)
    assert what_comes_of(ways, process) == kept


@pytest.mark.parametrize("ways", [*([way] for way in WAYS), WAYS])
def test_without_a_key_as_well(
    ways: list[Callable[[ClaimedJob], Transition]],
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told() -> list[Any]:
        jobs = [stored_job() for _ in ways]
        outcomes = [way(job) for way, job in zip(ways, claim(process), strict=True)]
        states = Job.objects.finalize(outcomes, process=process)
        left = [columns(job, without=("id", "enqueued_at")) for job in Job.objects.order_by("id")]
        Job.objects.all().delete()
        return [[states.get(job.pk) for job in jobs], left]

    kept = told()
    assert {few.KEPT_SETTLE, few.KEPT_SUCCEED} & set(names_of_kept())

    monkeypatch.setattr(few, "FEW", -1)
    assert told() == kept


def test_one_that_was_asked_to_stop_is_cancelled_as_ever(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> Any:
        states, left, promoted = what_comes_of([a_retry], process, is_cancelled=True)
        left[0].pop("finished_at")
        return states, left, promoted

    kept = told()
    assert kept[0] == [State.CANCELLED]

    monkeypatch.setattr(few, "FEW", -1)
    assert told() == kept


def test_what_can_not_be_stored_is_refused_and_the_next_is_asked_as_before(
    process: Process,
) -> None:
    bad, good = [stored_job() for _ in range(2)]
    first, second = claim(process)

    with pytest.raises(DataError):
        Job.objects.finalize(
            [transition(first, finished_at=NOON, result='"\\u0000"')], process=process
        )
    before = names_of_kept()
    settled = Job.objects.finalize([a_success(second)], process=process)

    assert settled == {good.pk: State.SUCCEEDED}
    assert few.KEPT_SUCCEED in before
    assert names_of_kept() == before
    assert Job.objects.running().get() == bad


def ask_all(process: Process) -> None:
    """Whatever is kept, of which nothing comes."""
    at = Position(0, NOON, 1)
    nothing = [Transition(0, NOON.isoformat(), State.SUCCEEDED, 1, error=ERROR)]
    success = [Transition(0, NOON.isoformat(), State.SUCCEEDED, 1, finished_at=NOON)]
    claim(process, limit=9)
    claim(process, limit=9, after=at)
    Job.objects.ready_among({("app.noop",): ["default"]})
    Job.objects.finalize(nothing, process=process)
    Job.objects.finalize(success, process=process)
    Job.objects.finalize_and_promote(nothing, process=process)


@pytest.mark.parametrize("before", [0, 1, 200])
@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
def test_plans_from_when_all_were_gone_go_by_the_indexes_when_there_are_many(
    mode: str, before: int, process: Process
) -> None:
    arguments = {
        few.KEPT_CLAIM: f"'default', '{{app.noop}}', 9, {process.pk}, now()",
        few.KEPT_CLAIM_AFTER: f"'default', '{{app.noop}}', 9, {process.pk}, now(), 0, now(), 1",
        few.KEPT_READY_AMONG: "'{\"{app.noop}\"}', '{1}', '{default}', NULL",
        few.KEPT_SETTLE: "'[]', 1",
        few.KEPT_SETTLE_AND_PROMOTE: "'[]', 1, '{default}', '{app.noop}', 9, now()",
        few.KEPT_SUCCEED: "now(), NULL, 1, now(), 1",
    }
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forge_jobs_job CASCADE")
        if before:
            db.twin().insert(cursor, [any_row(number) for number in range(before)])
            cursor.execute("DELETE FROM forge_jobs_job")
            cursor.execute("VACUUM (TRUNCATE false, ANALYZE) forge_jobs_job")
        else:
            cursor.execute("ANALYZE forge_jobs_job")
        cursor.execute("SELECT set_config('plan_cache_mode', %s, false)", [mode])
        for _ in range(10):  # after which the server has decided whether to keep a plan
            ask_all(process)
        for start in range(0, MANY, 10_000):
            db.twin().insert(cursor, [any_row(start + number) for number in range(10_000)])
        plans = {}
        for name, values in arguments.items():
            cursor.execute(f"EXPLAIN EXECUTE {name} ({values})")
            plans[name] = [line for (line,) in cursor.fetchall()]

    assert names_of_kept() == sorted(KEPT_NAMES)
    for name, plan in plans.items():
        assert not reads_all_jobs(plan), (name, *plan)


def reads_all_jobs(plan: list[str]) -> bool:
    """Whether it does not find each job by what an index is told."""
    for line, below in zip(plan, [*plan[1:], ""], strict=True):
        is_of_jobs = "Scan" in line and "forge_jobs_job" in line
        if is_of_jobs and "Bitmap Heap" not in line and "Cond:" not in below:
            return True
    return False
