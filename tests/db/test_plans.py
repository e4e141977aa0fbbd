"""How the databases run the hot path: by the index that was made for it, never through the table.

The table is as a busy project leaves it: mostly succeeded jobs, some of every other state.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from forge_jobs import db
from forge_jobs.db.rows import NewRow, Position, Transition
from forge_jobs.db.sqlite.jobs import as_text
from forge_jobs.db.wanted import Wanted
from forge_jobs.models import Job, State
from forge_jobs.models.following import SLICE
from forge_jobs.models.letting_go import LARGEST_RELEASE
from forge_jobs.runtime.claiming.room import LARGEST_CLAIM
from forge_jobs.runtime.finalizer import LARGEST_GROUP
from forge_jobs.services.stager import BATCH
from tests.conftest import NOON
from tests.factories import process_named

pytestmark = pytest.mark.django_db

JOBS = 40_000
RUNNING = 200
STATES = [
    *[State.SUCCEEDED] * 86,
    *[State.DEAD] * 2,
    *[State.CANCELLED] * 2,
    *[State.READY] * 4,
    *[State.SCHEDULED] * 4,
    *[State.RETRYING] * 2,
]
THROUGH_THE_TABLE = re.compile(r"Seq Scan on forge_jobs_job|SCAN (forge_jobs_job|job)(?! USING)")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


class Explainer:
    """Stands in for a cursor: keeps the plan of every statement, and runs none of them."""

    def __init__(self) -> None:
        self.plans: list[str] = []

    def execute(self, sql: str, parameters: Any = ()) -> None:
        word = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        with connection.cursor() as cursor:
            cursor.execute(f"{word} {sql}", parameters)
            self.plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    def fetchone(self) -> tuple[datetime]:
        return (NOON,)

    def fetchall(self) -> list[Any]:
        return []


@pytest.fixture(scope="module", autouse=True)
def _busy_table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for start in range(0, JOBS, 10_000):
            with transaction.atomic():
                db.twin().insert(cursor, [row(start + number) for number in range(10_000)])
        process = process_named("busy")
        claim(cursor, limit=RUNNING, process=process.pk)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE forge_jobs_job")
        yield
        cursor.execute("DELETE FROM forge_jobs_job")
        process.delete()


def row(number: int) -> NewRow:
    return NewRow(
        queue="other" if number % 7 == 0 else "default",
        kind="app.effect" if number % 11 == 0 else "app.noop",
        payload="{}",
        priority=number % 3,
        state=STATES[number % len(STATES)],
        run_at=NOON + timedelta(seconds=number),
        max_attempts=5,
        timeout_seconds=None,
        dedupe_key=f"d{number}" if number % 13 == 0 else None,
        idempotency_key=f"i{number}" if number % 17 == 0 else None,
        context="{}",
    )


@pytest.fixture
def _as_ours() -> None:
    """With what the sessions of our own threads have set."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for setting in db.twin().LIMITS.items():
                cursor.execute("SELECT set_config(%s, %s, true)", setting)


@pytest.fixture
def explainer(_as_ours: None) -> Explainer:
    return Explainer()


def claim(cursor: Any, *, limit: int, process: int = 1, after: Position | None = None) -> None:
    db.twin().claim(
        cursor,
        queue="default",
        kinds=["app.noop", "app.effect"],
        limit=limit,
        process=process,
        now=NOON,
        after=after,
    )


def assert_uses(plan: str, *indexes: str) -> None:
    """No walk through the job table, and these indexes."""
    assert not THROUGH_THE_TABLE.search(plan), plan
    for index in indexes:
        assert index in plan, plan


def assert_does_not_sort(plan: str) -> None:
    assert "Sort" not in plan, plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan


@pytest.mark.parametrize("limit", [1, 8, 100, LARGEST_CLAIM])
def test_a_claim_goes_by_its_index(explainer: Explainer, limit: int) -> None:
    claim(explainer, limit=limit)

    assert_uses(explainer.plans[-1], "forge_jobs_claim")


@on_postgresql
def test_a_claim_reads_no_table_though_it_is_so_small_that_its_index_seems_dear(
    explainer: Explainer,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forge_jobs_job")
        db.twin().insert(cursor, [row(number) for number in range(100)])
        cursor.execute("ANALYZE forge_jobs_job")
    claim(explainer, limit=100)
    claim(explainer, limit=100, after=Position(1, NOON, 10))
    db.twin().claim_among(
        explainer, queues=QUEUES, kinds=["app.noop"], limit=100, process=1, now=NOON
    )

    for plan in explainer.plans:
        assert_uses(plan, "forge_jobs_claim")


@pytest.mark.parametrize("limit", [1, 8, 50])
def test_a_claim_of_few_of_many_finds_them_in_order(explainer: Explainer, limit: int) -> None:
    claim(explainer, limit=limit)

    assert_does_not_sort(explainer.plans[-1])


QUEUES = ["default", "other", *(f"queue-{number}" for number in range(98))]


@on_postgresql
@pytest.mark.parametrize("limit", [1, 8, 100, LARGEST_CLAIM])
def test_a_claim_from_many_queues_goes_from_one_to_the_next_by_their_index(
    explainer: Explainer, limit: int
) -> None:
    kinds = ["app.noop", "app.effect"]
    db.twin().claim_among(explainer, queues=QUEUES, kinds=kinds, limit=limit, process=1, now=NOON)

    (plan,) = explainer.plans
    assert_uses(plan, "Nested Loop", "forge_jobs_claim")
    assert plan.index("Function Scan on unnest served") < plan.index("forge_jobs_claim")


@pytest.mark.parametrize("depth", [None, 1_000])
def test_a_look_at_many_queues_reads_no_more_of_each_than_it_must(
    explainer: Explainer, depth: int | None
) -> None:
    db.twin().ready_among(explainer, queues={("app.noop",): QUEUES}, depth=depth)

    assert_uses(explainer.plans[-1], "forge_jobs_claim")
    assert_does_not_sort(explainer.plans[-1])


@on_sqlite
def test_a_look_before_a_claim_touches_the_index_of_claims(explainer: Explainer) -> None:
    claim(explainer, limit=8)

    peek, _ = explainer.plans
    assert_uses(peek, "forge_jobs_claim")


@pytest.mark.parametrize("limit", [1, 8, 100, LARGEST_CLAIM])
def test_a_claim_that_goes_on_starts_inside_its_index(explainer: Explainer, limit: int) -> None:
    run_at = NOON + timedelta(hours=1)
    moment = run_at if connection.vendor == "postgresql" else as_text(run_at)
    claim(explainer, limit=limit, after=Position(1, moment, 10_000))

    beyond = {
        "postgresql": ["ROW(run_at, id) > ROW("],
        "sqlite": ["priority=? AND run_at=? AND id>?", "priority=? AND run_at>?"],
    }
    for plan in explainer.plans:
        assert_uses(plan, "forge_jobs_claim", *beyond[connection.vendor])


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.DEAD])
@pytest.mark.parametrize("size", [1, 8, 100, LARGEST_GROUP])
def test_a_finalize_finds_its_jobs_by_their_primary_key(
    explainer: Explainer, size: int, state: State
) -> None:
    outcomes = [
        Transition(number, NOON.isoformat(), state, 1, finished_at=NOON)
        for number in range(1, size + 1)
    ]
    db.twin().settle(explainer, process=1, transitions=outcomes)

    primary_key = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "forge_jobs_job_pkey"}
    assert_uses(explainer.plans[-1], primary_key[connection.vendor])
    assert "forge_jobs_running" not in explainer.plans[-1]


@pytest.mark.parametrize("size", [1, 100, LARGEST_RELEASE])
def test_the_batches_of_ended_jobs_are_found_by_the_keys_of_these(
    explainer: Explainer, size: int
) -> None:
    db.twin().batches_of(explainer, range(1, size + 1))

    primary_key = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "forge_jobs_job_pkey"}
    assert_uses(explainer.plans[-1], primary_key[connection.vendor])
    assert "forge_jobs_of_batch" not in explainer.plans[-1]


@pytest.mark.parametrize("size", [1, 100, SLICE])
def test_whether_batches_are_over_is_found_by_the_index_of_their_jobs(
    explainer: Explainer, size: int
) -> None:
    db.twin().over(explainer, range(1, size + 1))

    by_batch = {"sqlite": "(batch_id=? AND state=?)", "postgresql": "(batch_id = batch.id)"}
    assert_uses(explainer.plans[-1], "forge_jobs_of_batch", by_batch[connection.vendor])


@on_postgresql
def test_it_is_even_where_statistics_know_of_nothing_but_one_batch(explainer: Explainer) -> None:
    """Those of a large batch that has just come in: a join would read all of its jobs."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE forge_jobs_job SET batch_id = 1 WHERE state = 'ready'")
        cursor.execute("ANALYZE forge_jobs_job (batch_id, state)")
    db.twin().over(explainer, [1, 2])

    assert_uses(explainer.plans[-1], "forge_jobs_of_batch", "(batch_id = batch.id)")
    assert "Bitmap Index Scan on forge_jobs_of_batch" not in explainer.plans[-1]


@pytest.mark.parametrize("limit", [1, 100, BATCH])
def test_the_stager_walks_its_index(explainer: Explainer, limit: int) -> None:
    db.twin().stage(explainer, now=NOON + timedelta(minutes=5), limit=limit)

    assert_uses(explainer.plans[-1], "forge_jobs_stage")
    assert_does_not_sort(explainer.plans[-1])


@pytest.mark.parametrize("size", [1, 100, 1_000])
def test_the_holders_of_keys_are_found_by_their_indexes(size: int) -> None:
    if size > 100 and getattr(connection, "pg_version", 150_000) < 150_000:
        pytest.skip("PostgreSQL 14 finds it cheaper to read a table of this size whole.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # What other tests put in and took out may have left an index many empty pages, and
            # those who enqueue have sessions of their own, which may read the whole table.
            cursor.execute("REINDEX TABLE forge_jobs_job")
    explainer = Explainer()
    db.twin().find(explainer, [row(13 * 17 * number) for number in range(size)])

    assert_uses(explainer.plans[-1], "forge_jobs_dedupe", "forge_jobs_idempotency")


def test_the_next_due_job_is_the_first_of_its_index(explainer: Explainer) -> None:
    db.twin().next_due(explainer)

    assert_uses(explainer.plans[-1], "forge_jobs_stage")
    assert_does_not_sort(explainer.plans[-1])


@pytest.mark.usefixtures("_as_ours")
def test_what_has_expired_is_found_by_its_index() -> None:
    late = Job.objects.expired(now=NOON).order_by("expires_at", "pk")
    plan = late.values_list("pk")[:500].explain()

    assert_uses(plan, "forge_jobs_expiring")
    assert_does_not_sort(plan)


def test_retries_that_were_put_off_are_not_sought_among_all_that_is_scheduled(
    explainer: Explainer,
) -> None:
    with CaptureQueriesContext(connection) as queries:
        Job.objects.bring_back(now=NOON)
    explainer.execute(queries.captured_queries[-1]["sql"])

    assert_uses(explainer.plans[-1], "forge_jobs_retrying")


@pytest.mark.usefixtures("_as_ours")
def test_the_jobs_of_a_process_are_found_by_their_index() -> None:
    plan = Job.objects.filter(state=State.RUNNING, process__in=[1]).explain()

    assert_uses(plan, "forge_jobs_running")


@on_postgresql
@pytest.mark.parametrize("jobs", [2_000, 10_000])
def test_a_finalize_needs_no_statistics_to_find_its_jobs(jobs: int, explainer: Explainer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forge_jobs_job")
        ready = [row(1)._replace(state=State.READY, dedupe_key=None, idempotency_key=None)]
        db.twin().insert(cursor, ready * jobs)
        claim(cursor, limit=jobs, process=process_named("busy with all").pk)
    outcomes = [Transition(number, NOON.isoformat(), State.SUCCEEDED, 1) for number in range(jobs)]
    db.twin().settle(explainer, process=1, transitions=outcomes)

    assert_uses(explainer.plans[-1], "forge_jobs_job_pkey")


@pytest.mark.parametrize("statistics", ["fresh", "none"])
def test_a_promotion_does_not_read_what_waits(statistics: str, explainer: Explainer) -> None:
    blocked = row(1)._replace(state=State.BLOCKED, dedupe_key=None, idempotency_key=None)
    rows = [
        blocked._replace(concurrency_key=f"key {number % 50}", concurrency_limit=1)
        for number in range(5_000)
    ]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM forge_jobs_job")
        db.twin().insert(cursor, rows)
        if statistics == "fresh":
            cursor.execute("ANALYZE forge_jobs_job")
    db.twin().promote(explainer, [f"key {number}" for number in range(20)])

    plan = explainer.plans[-1]
    assert_uses(plan, "forge_jobs_blocked", "forge_jobs_concurrency")
    assert not re.search(r"forge_jobs_blocked on forge_jobs_job job\b", plan), plan
    assert not re.search(r"SEARCH job USING INDEX forge_jobs_blocked", plan), plan


@on_postgresql
@pytest.mark.parametrize("statistics", ["fresh", "none"])
@pytest.mark.parametrize("size", [1, 20, LARGEST_GROUP])
def test_to_settle_and_promote_reads_neither_the_table_nor_what_waits(
    statistics: str, size: int, explainer: Explainer
) -> None:
    plain = row(1)._replace(dedupe_key=None, idempotency_key=None)
    blocked = plain._replace(state=State.BLOCKED, concurrency_limit=1)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forge_jobs_job")
        db.twin().insert(cursor, [plain._replace(state=State.READY)] * 2_000)
        claim(cursor, limit=2_000, process=process_named("busy with all").pk)
        keys = [f"key {number % 50}" for number in range(5_000)]
        db.twin().insert(cursor, [blocked._replace(concurrency_key=key) for key in keys])
        if statistics == "fresh":
            cursor.execute("ANALYZE forge_jobs_job")
    outcomes = [Transition(number, NOON.isoformat(), State.SUCCEEDED, 1) for number in range(size)]
    wanted = Wanted(["default"], ["app.serve"], size, NOON)
    db.twin().settle_and_promote(explainer, process=1, transitions=outcomes, wanted=wanted)

    plan = explainer.plans[-1]
    assert_uses(plan, "forge_jobs_job_pkey", "forge_jobs_blocked")
    assert "Seq Scan on forge_jobs_job" not in plan
    assert not re.search(r"forge_jobs_blocked on forge_jobs_job job\b", plan), plan
