"""How the databases read the pages of jobs: by index, never through the table, never sorting."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from forge_jobs.contrib.prometheus.queues import with_oldest_dead
from forge_jobs.dashboard.job_count import JobCount
from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.list_page import HEAVY
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Job, JobLabel, Queue, State
from forge_jobs.operations.selection import Selection
from forge_jobs.services.pruner import Pruner
from forge_jobs.states import TERMINAL, UNFINISHED
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SOME = 2_500
JOBS = 16 * SOME if connection.vendor == "postgresql" else SOME
"""PostgreSQL goes by how many there are."""
THROUGH_THE_TABLE = re.compile(r"Seq Scan on forge_jobs_job|SCAN forge_jobs_job$", re.MULTILINE)
SORTS = re.compile(r"(?<!Incremental )Sort  \(cost|TEMP B-TREE FOR ORDER BY")
INDEX = {
    State.READY: "forge_jobs_claim",
    State.BLOCKED: "forge_jobs_blocked",
    State.HELD: "forge_jobs_held",
    State.RUNNING: "forge_jobs_running",
    State.SCHEDULED: "forge_jobs_stage",
    State.RETRYING: "forge_jobs_retrying",
    **dict.fromkeys(TERMINAL, "forge_jobs_finished"),
}


@pytest.fixture(scope="module", autouse=True)
def _busy_table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As a busy project leaves it: mostly succeeded jobs, some of every other state."""
    with django_db_blocker.unblock():
        process = process_named("busy")
        try:
            Job.objects.bulk_create(job(number, process.pk) for number in range(SOME))
            if connection.vendor == "postgresql":
                multiply()
            label()
            yield
        finally:
            JobLabel.objects.all()._raw_delete(connection.alias)
            Job.objects.all()._raw_delete(connection.alias)
            process.delete()


def label() -> None:
    numbers = list(Job.objects.order_by("pk").values_list("pk", flat=True))
    JobLabel.objects.put((pk, ["common"]) for pk in numbers[::2])
    JobLabel.objects.put((pk, ["rare"]) for pk in numbers[::1000])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # What other tests put in and took out again may have left an index many empty pages.
            cursor.execute("REINDEX TABLE forge_jobs_job")
            cursor.execute("REINDEX TABLE forge_jobs_joblabel")
            cursor.execute("ANALYZE forge_jobs_job, forge_jobs_joblabel")


def multiply() -> None:
    """As often as it takes, each time a while later."""
    moments = {"run_at", "enqueued_at", "started_at", "finished_at"}
    columns = [str(field.column) for field in Job._meta.concrete_fields if not field.primary_key]
    values = [f"{name} + later" if name in moments else name for name in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO forge_jobs_job ({', '.join(columns)}) SELECT {', '.join(values)} "
            "FROM generate_series(1, %s) AS number, make_interval(secs => number * %s) AS later, "
            "(SELECT * FROM forge_jobs_job) AS job ORDER BY number, id",
            [JOBS // SOME - 1, SOME],
        )


def job(number: int, process: int) -> Job:
    rare = {1: State.RUNNING, 3: State.RETRYING}
    usual = [*UNFINISHED, State.DEAD, State.CANCELLED]
    usual = [state for state in usual if state not in rare.values()]
    state = rare.get(number % 500) or (usual[number // 25 % 6] if number % 25 == 4 else None)
    moment = NOON + timedelta(seconds=number)
    columns: dict[str, Any] = {"state": state or State.SUCCEEDED, "started_at": moment}
    match columns["state"]:
        case State.RUNNING:
            columns["process_id"] = process
        case State.BLOCKED:
            columns |= {"concurrency_key": f"k{number % 7}", "concurrency_limit": 1}
        case State.SUCCEEDED | State.DEAD | State.CANCELLED:
            columns["finished_at"] = moment
    return Job(
        queue="other" if number % 7 == 0 else "default",
        kind="app.noop",
        payload={},
        priority=number % 3,
        run_at=moment,
        enqueued_at=moment,
        **columns,
    )


def plans(look: Callable[[], object]) -> dict[str, str]:
    """Of each query, how the database goes about it."""
    with CaptureQueriesContext(connection) as queries:
        look()
    word = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    found = {}
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"{word} {query['sql']}")
            found[query["sql"]] = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert found
    return found


def jobs_of(*states: State, **filters: Any) -> JobList:
    now = NOON + timedelta(seconds=JOBS)
    return JobList(selection=Selection(states=states or list(State), **filters), now=now)


FILTERS: list[dict[str, Any]] = [
    {},
    {"queue": "default"},
    {"label": "common"},
    {"label": "rare", "queue": "other", "since": NOON},
    {"kind": "app.rare"},
    {"kind": "app.*", "text": "x"},
    {"since": NOON + timedelta(hours=2)},
    {"until": NOON + timedelta(hours=2), "queue": "other"},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("state", [None, *State])
def test_no_page_is_read_through_the_table(state: State | None, filters: dict[str, Any]) -> None:
    if "kind" in filters and connection.vendor == "postgresql" and state in (None, *TERMINAL):
        with connection.cursor() as cursor:  # it would be right to: they lie all over the table
            cursor.execute("SET LOCAL enable_seqscan = off")
    jobs = jobs_of(*[state] if state else [], **filters)
    (first,) = list(_steps(jobs, 1)) or [None]

    def look() -> None:
        jobs.page()
        if first:
            jobs.page(after=first)
            jobs.page(before=first)

    for sql, plan in plans(look).items():
        assert not THROUGH_THE_TABLE.search(plan), f"{sql}\n{plan}"


@pytest.mark.parametrize("state", list(State))
def test_a_page_goes_by_the_index_of_its_state_and_need_not_sort(state: State) -> None:
    jobs = jobs_of(state, queue="default") if state in TERMINAL else jobs_of(state)
    (first,) = _steps(jobs, 1)

    for sql, plan in plans(lambda: (jobs.page(size=5), jobs.page(after=first, size=5))).items():
        if '"fits"' in sql:
            assert INDEX[state] in plan, f"{sql}\n{plan}"
            # What runs is little; and so are those that have all but their id in common.
            if state != State.RUNNING and not re.search(r'"id" [<>]', sql):
                assert not SORTS.search(plan), f"{sql}\n{plan}"


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(lambda: Pruner().run_once(now=NOON), id="by the pruner"),
        pytest.param(lambda: list(with_oldest_dead()), id="by a scrape"),
    ],
)
def test_what_ended_first_is_found_by_its_state_and_the_moment(look: Callable[[], object]) -> None:
    """Else SQLite goes through all succeeded jobs to find that none of them is dead."""
    Queue.objects.sow({"default": {}, "other": {}})
    asked = {sql: plan for sql, plan in plans(look).items() if ' FROM "forge_jobs_queue"' in sql}
    assert asked
    by_index = {
        "sqlite": "forge_jobs_finished (queue=? AND state=? AND finished_at>?)",
        "postgresql": "Index Only Scan using forge_jobs_finished",
    }
    for sql, plan in asked.items():
        assert by_index[connection.vendor] in plan, f"{sql}\n{plan}"
        assert not THROUGH_THE_TABLE.search(plan), f"{sql}\n{plan}"


@pytest.mark.parametrize("label", ["common", "rare"])
@pytest.mark.parametrize("state", [None, State.DEAD, State.READY])
def test_the_jobs_of_a_label_are_gone_through_by_its_index(state: State | None, label: str) -> None:
    jobs = jobs_of(*[state] if state else [], label=label)
    (first,) = _steps(jobs, 1)

    for sql, plan in plans(lambda: (jobs.page(size=5), jobs.page(after=first, size=5))).items():
        if '"fits"' in sql:
            assert "forge_jobs_labelled" in plan, f"{sql}\n{plan}"
            assert label == "rare" or not SORTS.search(plan), f"{sql}\n{plan}"


def test_what_is_done_to_the_few_jobs_of_a_label_does_not_read_the_table() -> None:
    jobs = jobs_of(*UNFINISHED, label="rare")
    chosen = jobs.selection.unfinished(now=jobs.now).order_by("pk").values_list("pk")[:5_000]

    for sql, plan in plans(lambda: list(chosen)).items():
        assert not THROUGH_THE_TABLE.search(plan), f"{sql}\n{plan}"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
@pytest.mark.parametrize("filters", [{}, {"since": NOON}], ids=str)
@pytest.mark.parametrize("state", TERMINAL)
def test_jobs_that_finished_at_one_moment_are_found_by_it(
    state: State, filters: dict[str, Any]
) -> None:
    jobs = jobs_of(state, queue="default", **filters)
    (first,) = _steps(jobs, 1)
    found = plans(lambda: jobs.page(after=first, size=5))
    tied = [plan for sql, plan in found.items() if re.search(r'"id" [<>]', sql)]

    assert tied
    assert all("finished_at=?" in plan for plan in tied)


@pytest.mark.parametrize("filters", [{}, {"kind": "app.no*"}], ids=["queues", "kinds"])
def test_what_ended_last_of_many_is_sought_in_a_stretch_of_time(filters: dict[str, Any]) -> None:
    for sql, plan in plans(jobs_of(State.DEAD, **filters).page).items():
        if '"fits"' in sql:
            assert "forge_jobs_finished" in plan, f"{sql}\n{plan}"
            assert re.search(r"finished_at\s?>", plan), f"{sql}\n{plan}"


def test_all_jobs_are_read_by_their_primary_key() -> None:
    for sql, plan in plans(lambda: jobs_of().page()).items():
        assert re.search("forge_jobs_job_pkey|PRIMARY KEY", plan), sql
        assert not SORTS.search(plan), f"{sql}\n{plan}"


def test_what_is_counted_up_to_a_bound_is_counted_by_index() -> None:
    jobs = jobs_of(State.SUCCEEDED, since=NOON + timedelta(seconds=0.9 * JOBS))
    page, totals = jobs.page(), Totals.read()

    for sql, plan in plans(lambda: JobCount.of(jobs, page, totals)).items():
        assert "forge_jobs_finished" in plan, f"{sql}\n{plan}"
        assert not THROUGH_THE_TABLE.search(plan)


def test_no_row_is_fetched_that_is_not_shown_and_no_payload_that_is_large() -> None:
    with CaptureQueriesContext(connection) as queries:
        page = jobs_of().page()

    walk, rows = [query["sql"] for query in queries]
    slim, short = re.subn(r'CASE WHEN \w+\([^ ]*"payload"\) <= \d+ THEN .*? END AS', "", rows)
    assert short == 1
    assert not [name for name in HEAVY if f'"{name}"' in walk + slim]
    assert rows.endswith(f"({', '.join(str(one.pk) for one in page.jobs)})")


def test_the_table_has_jobs_of_all_states() -> None:
    stored_job()
    states = set(Job.objects.values_list("state", flat=True).distinct())

    assert states == {*UNFINISHED, *TERMINAL}


def _steps(jobs: JobList, count: int) -> list[Any]:
    walk = jobs.walk(start=None, is_backward=False)
    return [step.place for _, step in zip(range(count), walk, strict=False)]
