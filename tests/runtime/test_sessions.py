"""A worker's session is kept from job to job, and each job finds it as good as new."""

import asyncio
import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from threading import Thread, current_thread
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django.db.backends.signals import connection_created

from forge_jobs import db, job
from forge_jobs.models import State
from forge_jobs.runtime import keeper, sessions
from forge_jobs.runtime.sessions import close_all, close_unused, count_open, tidy
from tests.app.models import Effect
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's alone")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's alone")


@pytest.fixture(autouse=True)
def _a_session_of_its_own() -> Iterator[None]:
    """What earlier tests did to the session of this thread is none of these."""
    connection.close()
    connection.ensure_connection()
    yield
    close_all()


def session() -> Any:
    """The driver's connection that the next statement would go by."""
    connection.ensure_connection()
    return connection.connection


def is_closed(session: Any) -> bool:
    try:
        session.execute("SELECT 1")
    except (sqlite3.ProgrammingError, psycopg.OperationalError):
        return True
    return False


def give_options(monkeypatch: pytest.MonkeyPatch, **options: object) -> None:
    """Let the next session have them."""
    connection.close()
    monkeypatch.setitem(
        connections.settings["default"],
        "OPTIONS",
        {**connection.settings_dict["OPTIONS"], **options},
    )


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def asked(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("age", [0, 60, None])
def test_a_session_is_kept_whatever_conn_max_age_says(
    age: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", age)
    connection.close()
    before = session()
    tidy()

    assert session() is before


def test_jobs_of_a_worker_share_its_session() -> None:
    seen: list[Any] = []

    @job(kind="tests.subject")
    def subject() -> None:
        seen.append(session())

    subject.enqueue_many([{}, {}, {}])
    drain(threads=1)

    assert len(seen) == 3
    assert len(set(map(id, seen))) == 1


def test_a_job_that_needs_no_session_finds_none() -> None:
    tidy()

    assert connection.connection is None
    tidy()
    assert connection.connection is None


def test_the_wrapper_is_as_new() -> None:
    connection.execute_wrappers.append(lambda *args: None)
    connection.force_debug_cursor = True
    connection.queries_log.append({"sql": "SELECT 1", "time": "0"})
    tidy()

    assert not connection.execute_wrappers
    assert not connection.force_debug_cursor
    assert not connection.queries_log
    assert asked("SELECT 1") == 1


def spoil_search_path() -> None:
    execute("SET search_path TO nowhere")


def spoil_writes() -> None:
    execute("SET default_transaction_read_only TO on")


def spoil_time_zone() -> None:
    execute("SET TIME ZONE 'Asia/Kathmandu'")


def spoil_timeout() -> None:
    execute("SET statement_timeout TO '1h'")


def leave_a_temporary_table() -> None:
    execute("CREATE TEMPORARY TABLE left_behind (id integer)")


def leave_an_advisory_lock() -> None:
    execute("SELECT pg_advisory_lock(4711)")


def leave_a_listener() -> None:
    execute("LISTEN left_behind")


def leave_a_prepared_statement() -> None:
    execute("PREPARE left_behind AS SELECT 1")


ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
"""  # for the server is shared with those who run other tests


LONG_AGO = 0.0  # by the monotonic clock

EACH_SETTING = [
    "SHOW search_path",
    "SHOW TimeZone",
    "SHOW statement_timeout",
    "SHOW application_name",
    "SHOW client_connection_check_interval",
    ADVISORY_LOCKS,
]


@on_postgresql
@pytest.mark.parametrize(
    ("spoil", "question", "answer"),
    [
        (spoil_search_path, "SHOW search_path", '"$user", public'),
        (spoil_writes, "SHOW default_transaction_read_only", "off"),
        (spoil_time_zone, "SHOW TimeZone", "UTC"),
        (spoil_timeout, "SHOW statement_timeout", "0"),
        (leave_a_temporary_table, "SELECT to_regclass('left_behind')", None),
        (leave_an_advisory_lock, ADVISORY_LOCKS, 0),
        (leave_a_listener, "SELECT count(*) FROM pg_listening_channels()", 0),
        (leave_a_prepared_statement, "SELECT count(*) FROM pg_prepared_statements", 0),
    ],
)
def test_a_session_of_postgresql_is_reset(
    spoil: Callable[[], None], question: str, answer: object
) -> None:
    before = session()
    spoil()
    tidy()

    assert asked(question) == answer
    assert session() is before


@on_postgresql
def test_a_reset_session_is_set_up_as_a_new_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    user = connection.settings_dict["USER"]
    give_options(monkeypatch, assume_role=user, isolation_level=IsolationLevel.REPEATABLE_READ)
    set_up: list[object] = []

    def configure(*, connection: Any, **kwargs: object) -> None:
        execute("SET work_mem TO '7MB'")
        set_up.append(connection)

    connection_created.connect(configure)
    try:
        before = session()
        tidy()
        assert asked("SELECT current_setting('role')") == user
    finally:
        connection_created.disconnect(configure)

    assert len(set_up) == 2
    assert asked("SHOW work_mem") == "7MB"
    assert session().isolation_level == IsolationLevel.REPEATABLE_READ
    assert session() is before


@on_postgresql
@pytest.mark.parametrize(
    ("trait", "value"), [("read_only", True), ("prepare_threshold", 1), ("row_factory", dict)]
)
def test_a_session_whose_driver_was_told_otherwise_is_closed(trait: str, value: object) -> None:
    before = session()
    setattr(before, trait, value)
    tidy()

    assert before.closed
    assert session() is not before


def hears_of_discard() -> bool:
    """An older driver's session that has prepared statements is not kept."""
    from forge_jobs.db.postgresql.sessions import HEARS_OF_DISCARD

    return HEARS_OF_DISCARD


@on_postgresql
def test_statements_that_the_driver_prepared_are_prepared_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_options(monkeypatch, prepare_threshold=0, server_side_binding=True)
    before = session()
    for _ in range(3):
        Effect.objects.filter(number=1).exists()
        tidy()

    assert (session() is before) is hears_of_discard()


CHANGES = pytest.mark.parametrize(
    "change",
    [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA query_only = ON",
        "EXPLAIN PRAGMA query_only = ON",
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA busy_timeout = 1",
        "PRAGMA synchronous = OFF",
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA recursive_triggers = ON",
        "PRAGMA writable_schema = ON",
        "PRAGMA case_sensitive_like = ON",
        "PRAGMA cache_size = 1",
        "ATTACH DATABASE ':memory:' AS left_behind",
        "CREATE TEMPORARY TABLE left_behind (id integer)",
        "BEGIN",
    ],
)


@on_sqlite
@CHANGES
def test_a_session_of_sqlite_that_was_changed_is_closed(change: str) -> None:
    before = session()
    execute(change)
    tidy()

    assert session() is not before
    assert asked("PRAGMA foreign_keys") == 1


@on_sqlite
def test_a_session_of_sqlite_whose_driver_was_told_otherwise_is_closed() -> None:
    before = session()
    before.row_factory = lambda cursor, row: list(row)
    tidy()

    assert session() is not before


def test_a_session_that_met_an_error_is_closed() -> None:
    before = session()
    with pytest.raises(DatabaseError):
        execute("SELECT * FROM nowhere")
    tidy()

    assert session() is not before


def test_a_session_is_closed_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(keeper, "LONGEST_LIFE", 0.0)
    before = session()
    tidy()

    assert session() is not before


class Foreign(type(connections["default"])):  # type: ignore[misc] # its class depends on the suite
    """As other packages derive their own from Django's, which believe things of the session."""


def test_the_session_of_a_wrapper_that_is_not_django_s_own_is_closed() -> None:
    wrapper = Foreign(connections.settings["default"], "default")
    known = connections["default"]
    connections["default"] = wrapper
    try:
        before = session()
        tidy()
        assert session() is not before
        wrapper.close()
    finally:
        connections["default"] = known


@on_postgresql
def test_a_session_that_the_server_ended_meanwhile_costs_nothing() -> None:
    pid = asked("SELECT pg_backend_pid()")
    tidy()
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        other.db.close()

    assert asked("SELECT pg_backend_pid()") != pid


@on_postgresql
def test_after_a_rest_the_server_is_asked_whether_the_session_is_still_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = session()
    tidy()
    asks: list[object] = []
    monkeypatch.setattr(keeper, "TRUSTED_SECONDS", -1.0)
    monkeypatch.setattr(before, "execute", asks.append)

    assert session() is before
    assert asks == ["SELECT 1"]


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`take_over()` for a process that the settings give these options."""

    def taking_over(**options: object) -> None:
        give_options(monkeypatch, **options)
        monkeypatch.setattr(keeper.custody, "is_ours", False)
        monkeypatch.setattr(keeper.custody, "process_name", "")
        sessions.take_over("web1")

    yield taking_over
    close_all()


@on_sqlite
@CHANGES
def test_one_of_runjobs_that_was_changed_is_closed_as_well(
    change: str, taken_over: Callable[..., None]
) -> None:
    taken_over()
    test_a_session_of_sqlite_that_was_changed_is_closed(f"\n  {change.lower()}")


@on_sqlite
@pytest.mark.parametrize("execute", ["executescript", "execute", "executemany"])
def test_whatever_way_one_of_runjobs_is_changed_it_is_closed(
    execute: str, taken_over: Callable[..., None]
) -> None:
    taken_over()
    before = session()
    statements = {"executemany": ("CREATE TEMP TABLE left_behind AS SELECT ?", [[1]])}
    getattr(before, execute)(*statements.get(execute, ["PRAGMA query_only = ON"]))
    tidy()

    assert session() is not before


@on_sqlite
def test_one_of_runjobs_that_only_read_and_wrote_data_is_not_asked_for_its_settings(
    taken_over: Callable[..., None],
) -> None:
    taken_over()
    before, seen = session(), list[str]()
    tidy()
    session().set_trace_callback(seen.append)
    with transaction.atomic():
        Effect.objects.create(number=1)
        assert Effect.objects.filter(number=1).exists()
    tidy()

    assert session() is before
    assert seen
    assert not [statement for statement in seen if "pragma" in statement.lower()]


@on_postgresql
def test_sessions_of_runjobs_are_never_pooled(taken_over: Callable[..., None]) -> None:
    taken_over(pool={"max_size": 4})

    assert connection.settings_dict["OPTIONS"].get("pool") is None
    assert not hasattr(session(), "_pool")


@on_postgresql
def test_sessions_of_runjobs_say_whose_they_are(taken_over: Callable[..., None]) -> None:
    taken_over()
    assert asked("SHOW application_name") == "forge_jobs MainThread of web1"
    tidy()

    assert asked("SHOW application_name") == "forge_jobs MainThread of web1"


@on_postgresql
def test_a_name_that_the_project_gives_its_sessions_stays(taken_over: Callable[..., None]) -> None:
    taken_over(application_name="shop", connect_timeout=3)

    assert asked("SHOW application_name") == "shop"
    assert connection.settings_dict["OPTIONS"]["connect_timeout"] == 3


@on_postgresql
def test_both_ends_notice_when_the_other_vanishes(taken_over: Callable[..., None]) -> None:
    taken_over()

    assert connection.settings_dict["OPTIONS"]["tcp_user_timeout"] == 15_000
    assert asked("SHOW client_connection_check_interval") == "10s"
    assert asked("SHOW idle_in_transaction_session_timeout") == "0"


def count_set_ups(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Of the wrapper of this thread, by Django."""
    set_up: list[object] = []
    connect = connection.connect

    def counted() -> None:
        set_up.append(connection.alias)
        connect()

    monkeypatch.setattr(connections["default"], "connect", counted)
    return set_up


@pytest.mark.parametrize(
    "spoil", [spoil_search_path, spoil_time_zone, spoil_timeout, leave_an_advisory_lock]
)
@on_postgresql
def test_one_of_runjobs_that_was_reset_is_not_set_up_anew(
    spoil: Callable[[], None], taken_over: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_over()
    before = session()
    how_it_was = [asked(question) for question in EACH_SETTING]
    set_ups = count_set_ups(monkeypatch)
    spoil()
    tidy()

    assert [asked(question) for question in EACH_SETTING] == how_it_was
    assert session() is before
    assert set_ups == []


@on_postgresql
@pytest.mark.parametrize("who", ["a receiver", "a role"])
def test_one_of_runjobs_that_others_set_up_is_set_up_anew(
    who: str, taken_over: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def configure(*, connection: Any, **kwargs: object) -> None:
        execute("SET work_mem TO '7MB'")

    taken_over(**{"assume_role": connection.settings_dict["USER"]} if who == "a role" else {})
    if who == "a receiver":
        connection_created.connect(configure)
    try:
        before = session()
        how_it_was = [asked("SHOW work_mem"), asked("SHOW role")]
        set_ups = count_set_ups(monkeypatch)
        tidy()
        assert [asked("SHOW work_mem"), asked("SHOW role")] == how_it_was
    finally:
        connection_created.disconnect(configure)

    assert session() is before
    assert len(set_ups) == 1


@pytest.mark.parametrize("is_taken_over", [False, True])
def test_each_job_has_all_of_the_age_that_a_session_may_have(
    is_taken_over: bool, taken_over: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
    if is_taken_over:
        taken_over()
    connection.close()
    before = session()
    connection.close_at = LONG_AGO
    tidy()

    assert session() is before
    connection.close_if_unusable_or_obsolete()
    assert session() is before


@on_sqlite
def test_in_threads_of_ours_a_session_keeps_few_pages(taken_over: Callable[..., None]) -> None:
    taken_over()
    usual = asked("PRAGMA cache_size")
    seen: list[int] = []

    def work() -> None:
        sessions.limit(**db.twin().LIMITS)
        seen.append(asked("PRAGMA cache_size"))
        close_all()

    thread = Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [-512]
    assert asked("PRAGMA cache_size") == usual


@on_sqlite
@pytest.mark.parametrize(("usual", "wanted"), [(1_000, 4_000), (0, 0)], ids=["", "nor at all"])
def test_no_claim_has_to_wait_for_a_checkpoint_that_another_commit_can_make(
    usual: int, wanted: int
) -> None:
    execute(f"PRAGMA wal_autocheckpoint = {usual}")
    db.twin().furnish(session(), db.twin().CLAIM_LIMITS)

    assert asked("PRAGMA wal_autocheckpoint") == wanted
    connection.close()


@on_postgresql
def test_in_threads_of_ours_locks_are_brief_and_statements_go_by_their_indexes(
    taken_over: Callable[..., None],
) -> None:
    taken_over()
    seen: dict[str, str] = {}

    def work() -> None:
        sessions.limit(**db.twin().LIMITS)
        for name in db.twin().LIMITS:
            seen[name] = asked(f"SHOW {name}")
        close_all()

    thread = Thread(target=work)
    thread.start()
    thread.join()

    assert seen == {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "10s",
        "enable_seqscan": "off",
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "plan_cache_mode": "force_generic_plan",
    }


def test_what_nobody_uses_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    close_unused()  # what threads of earlier tests may have left
    session()
    tidy()
    before = count_open()
    assert close_unused() == 0

    monkeypatch.setattr(sessions, "LONGEST_REST", 0.0)
    assert close_unused() == 1
    assert count_open() == before - 1


def test_what_a_thread_left_open_is_closed_once_it_has_ended() -> None:
    left: list[Any] = []

    def work() -> None:
        connection.ensure_connection()
        left.append(connections["default"])

    thread = Thread(target=work)
    thread.start()
    thread.join()
    before = count_open()

    assert close_unused() >= 1
    assert count_open() < before
    assert left[0].connection is None


def test_a_thread_that_an_async_handler_sends_work_to_serves_no_other_job() -> None:
    seen: list[Any] = []
    threads: list[Thread] = []

    def look() -> None:
        seen.append(session())
        threads.append(current_thread())

    @job(kind="tests.subject")
    async def subject() -> None:
        await asyncio.to_thread(look)

    subject.enqueue_many([{}, {}])
    drain(threads=1)

    assert len(seen) == 2
    assert seen[0] is not seen[1]
    for thread in threads:
        thread.join(10)
    gc.collect()
    assert all(is_closed(session) for session in seen)


@on_postgresql
def test_a_forked_process_ends_no_session_of_its_parent() -> None:
    wrapper = connection.copy()
    wrapper.ensure_connection()
    kept = wrapper.connection

    if (child := os.fork()) == 0:
        del wrapper
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)

    assert not is_closed(kept)
    wrapper.close()


def test_a_worker_s_session_is_closed_with_it() -> None:
    @job(kind="tests.subject")
    def subject() -> None:
        Effect.objects.create(number=1)

    stored = subject.enqueue()
    before = count_open()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.SUCCEEDED
    assert count_open() <= before
